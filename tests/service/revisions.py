"""Bundles whose pictures and scores tell which version drew them, so that a mixture of two is noticed.

Version k (0..30) draws, at step s, the grey level 8 k + s in every pixel, and its scorer says k. The state
that `init` hands to `step` is k as well: steps of one version after the start of another are white.
"""

__all__ = [
    "STEPS",
    "TOKEN",
    "Seen",
    "admin",
    "check",
    "draw",
    "level",
    "names",
    "reloaded",
    "version",
    "write_in_place",
    "write_revision",
]

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnx import TensorProto
from pentimento_client import Client

from pentimento.bundle.manifest import Drawing, ImageSpec, Manifest, NoiseSpec, Phase, Scorer, Steps
from pentimento.bundle.store import MANIFEST, graph_spec, write_bundle
from pentimento.service.catalog.catalog import Catalog
from pentimento.service.catalog.served import Reload
from tests.service.toy_graphs import EXTRAS, GREY, T_INPUT, graph, node, spec

TOKEN = "the-token-of-the-tests"
STEPS = 7


def admin() -> dict[str, str]:
    """The key of the admin, as headers of an HTTP request or as pairs of gRPC metadata."""
    return {"authorization": f"Bearer {TOKEN}"}


def reloaded(catalog: Catalog) -> Reload:
    """Has a catalog read its folder again, and returns what changed."""
    return catalog.swap(catalog.read())


def names(catalog: Catalog) -> list[str]:
    """Names of the bundles that a catalog serves."""
    return [info.manifest.name for info in catalog.infos()]


def version(k: int) -> str:
    return f"1.{k}.0"


def level(k: int, step: int) -> int:
    """The grey level, 0..255, that version k draws at a step."""
    return 8 * k + step


def write_revision(folder: Path, k: int, *, side: int = 160) -> None:
    """Writes version k of a bundle, atomically.

    Args:
        folder: Of the bundle; its name is the bundle's.
        k: The version, 0..30.
        side: Each step multiplies four pairs of square matrices of this side, to take its time.
    """
    image = spec("latent", GREY)
    constants = {
        "k": np.float32(k),
        "start": np.float32(level(k, 1)),
        "most": np.float32(255),
        "side": np.array([side, side]),
    }
    graphs = {
        "init": graph(
            [node("Mul", "latent zero", "blank"), node("Add", "blank k", "next.canvas")],
            [image],
            [spec("next.canvas", GREY)],
            constants,
        ),
        "step": graph(
            [
                *EXTRAS["slow"],
                node("Sub", "trouble k", "difference"),
                node("Abs", "difference", "mixture"),
                node("Mul", "mixture most", "white"),
                node("Cast", "t", "t_float", to=TensorProto.FLOAT),
                node("Reshape", "t_float to_image", "t_image"),
                node("Add", "white t_image", "late"),
                node("Add", "late start", "grey"),
                node("Div", "grey most", "share"),
                node("Clip", "share zero one", "canvas"),
                node("Identity", "trouble", "next.canvas"),
            ],
            [T_INPUT, spec("state.canvas", GREY)],
            [spec("canvas", GREY), spec("next.canvas", GREY)],
            constants,
        ),
        "score": graph(
            [
                node("ReduceMean", "image", "mean", axes=[1, 2, 3], keepdims=0),
                node("Mul", "mean zero", "nil"),
                node("Add", "nil k", "logit"),
            ],
            [spec("image", GREY)],
            [spec("logit", ())],
            constants,
        ),
    }
    manifest = Manifest(
        name=folder.name,
        version=version(k),
        family="toy",
        summary="Tells which version it is.",
        image=ImageSpec(channels=GREY[0], height=GREY[1], width=GREY[2]),
        graphs={
            name: graph_spec(f"{name}.onnx", data, inputs=inputs, outputs=outputs)
            for name, (data, inputs, outputs) in graphs.items()
        },
        drawing=Drawing(
            phases=(Phase(graph="init"), Phase(graph="step", calls="steps", shows=True)),
            steps=Steps(default=STEPS, min=1, max=STEPS, trained=STEPS),
            noise=(NoiseSpec(name="latent", shape=GREY),),
        ),
        scorer=Scorer(kind="critic"),
    )
    contents = {name: data for name, (data, _, _) in graphs.items()}
    if not (folder / "manifest.json").is_file():  # what a test has broken is no bundle that may be replaced
        shutil.rmtree(folder, ignore_errors=True)
    write_bundle(folder, manifest, contents, overwrite=True)


def write_in_place(folder: Path, k: int, *, manifest_first: bool, **options: int) -> Iterator[None]:
    """Writes version k over what is there, as a careless copy does, half a file at a time.

    Yields:
        After each half, but for the last one, with which the bundle is complete.
    """
    with tempfile.TemporaryDirectory() as elsewhere:
        source = Path(elsewhere) / folder.name
        write_revision(source, k, **options)
        files = sorted(source.iterdir(), key=lambda path: (path.name == MANIFEST) != manifest_first)
        for path in files:
            data = path.read_bytes()
            for end in (len(data) // 2, len(data)):
                (folder / path.name).write_bytes(data[:end])
                if (path, end) != (files[-1], len(data)):
                    yield
        assert {path.name for path in folder.iterdir()} == {path.name for path in files}


@dataclass(frozen=True)
class Seen:
    """A whole drawing, and which version k made it: all its pixels and scores agreed on one."""

    model: str
    k: int
    judge: int | None


def draw(client: Client, model: str, **options: object) -> Seen:
    """Draws as a stream, and checks that every pixel and score is of the same version."""
    with client.stream(model, **options) as stream:
        header = stream.header
        k, judge = _k(header.version), None if header.scored_by is None else _k(header.scored_by.version)
        steps = 0
        for frame in stream:
            steps += 1
            check(k, frame.step, np.rint(frame.arrays * 255))
            if judge is not None:
                assert (frame.scores.logits == judge).all(), (judge, frame.scores.logits)
        assert steps == header.steps
    return Seen(header.model, k, judge)


def check(k: int, step: int, pixels: np.ndarray) -> None:
    """Checks that pixels, 0..255, are those of version k at a step."""
    assert (pixels == level(k, step)).all(), f"version {k} at step {step} drew {np.unique(pixels)}"


def _k(text: str) -> int:
    return int(text.split(".")[1])
