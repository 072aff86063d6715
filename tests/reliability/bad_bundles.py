"""Bundles whose graphs do harm when they are loaded and tried: they never end, or take all memory."""

__all__ = ["write_endless", "write_greedy", "write_vast"]

import json
from pathlib import Path

import numpy as np
from onnx import helper

from pentimento.bundle.manifest import Drawing, ImageSpec, Manifest, NoiseSpec, Phase, Steps
from pentimento.bundle.store import MANIFEST, graph_spec, write_bundle
from tests.reliability.puppets import products
from tests.service.toy_graphs import GREY, Nodes, graph, node, spec


def write_endless(folder: Path) -> None:
    """Its graph multiplies matrices 2^60 times."""
    body = products(64)
    nodes = [
        node("Expand", "nothing side", "blank"),
        helper.make_node("Loop", ["trips", "true", "blank"], ["last"], body=body),
        node("ReduceMax", "last", "still", keepdims=0),
    ]
    constants = {"trips": np.int64(1 << 60), "true": np.array(True), "side": np.array([64, 64])}
    _write(folder, nodes, constants)


def write_greedy(folder: Path) -> None:
    """Its graph makes an array of 16 GiB."""
    nodes = [node("Expand", "nothing side", "vast"), node("ReduceMax", "vast", "still", keepdims=0)]
    _write(folder, nodes, {"side": np.array([1 << 16, 1 << 16])})


def write_vast(folder: Path) -> None:
    """Its noise is an array of 4096 x 8192 for each picture, as the manifest says."""
    _write(folder, [node("ReduceMax", "nothing", "still", keepdims=0)], {})
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["drawing"]["noise"][0]["shape"] = [4096, 8192]
    manifest["graphs"]["step"]["inputs"][0]["shape"] = [4096, 8192]
    (folder / MANIFEST).write_text(json.dumps(manifest))


def _write(folder: Path, nodes: Nodes, constants: dict[str, np.ndarray]) -> None:
    """A bundle of one step, which adds `still` to its noise; `nothing` is a 0 that no one can know before."""
    nodes = [
        node("ReduceMax", "latent", "most", keepdims=0),
        node("Mul", "most zero", "nothing"),
        *nodes,
        node("Add", "latent still", "canvas"),
    ]
    data, inputs, outputs = graph(nodes, [spec("latent", GREY)], [spec("canvas", GREY)], constants)
    manifest = Manifest(
        name=folder.name,
        version="1.0.0",
        family="toy",
        summary="Does harm.",
        image=ImageSpec(channels=GREY[0], height=GREY[1], width=GREY[2]),
        graphs={"step": graph_spec("step.onnx", data, inputs=inputs, outputs=outputs)},
        drawing=Drawing(
            phases=(Phase(graph="step", shows=True),),
            steps=Steps(default=1, min=1, max=1, trained=1),
            noise=(NoiseSpec(name="latent", shape=GREY),),
        ),
    )
    write_bundle(folder, manifest, {"step": data})
