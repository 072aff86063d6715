"""A toy bundle whose scorer judges a picture with its latents, and groups of three.

toy-pairs   grey 6x8, two calls: state = state + mean of z, canvas = clip(state / 4 + 1/2); z is (2,) a call.
            encode: z = mean of the image, at both calls; score, at step t: 8 (mean - 1/2) + sum of z + t;
            score_group: of each prefix the sum of 8 (mean - 1/2) + sum of z
"""

__all__ = ["CALLS", "GROUP", "opinion", "write_pair_toy"]

from pathlib import Path

import numpy as np
from onnx import TensorProto

from pentimento.bundle.manifest import Drawing, ImageSpec, Manifest, NoiseSpec, Phase, Scorer, Steps
from pentimento.bundle.store import graph_spec, write_bundle
from tests.service.toy_graphs import GREY, LOGIT_GAIN, T_INPUT, graph, node, show, spec

CALLS, GROUP = 2, 3


def opinion(image: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The logit of pairs without t: images (n, 1, 6, 8), latents (n, 2, 2)."""
    return LOGIT_GAIN * (image.mean((1, 2, 3)) - 0.5) + z.sum((1, 2))


def write_pair_toy(folder: Path) -> None:
    """Writes `toy-pairs` as a subfolder."""
    z = spec("z", (2,))
    graphs = {
        "init": graph(
            [
                node("Cast", "t", "t_float", to=TensorProto.FLOAT),
                node("Reshape", "t_float to_image", "t_image"),
                node("Expand", "t_image grey_one", "next.canvas"),
            ],
            [T_INPUT],
            [spec("next.canvas", GREY)],
        ),
        "step": graph(
            [
                node("ReduceMean", "z", "level", axes=[1], keepdims=0),
                node("Reshape", "level to_image", "level_image"),
                node("Add", "state.canvas level_image", "next.canvas"),
                *show("next.canvas"),
            ],
            [z, spec("state.canvas", GREY)],
            [spec("canvas", GREY), spec("next.canvas", GREY)],
        ),
        "encode": graph(
            [
                node("ReduceMean", "image", "mean", axes=[1, 2, 3], keepdims=0),
                node("Reshape", "mean to_rows", "column"),
                node("Expand", "column calls", "z"),
            ],
            [spec("image", GREY)],
            [spec("z", (CALLS, 2))],
            {"to_rows": np.array([-1, 1, 1]), "calls": np.array([1, CALLS, 2])},
        ),
        "score": graph(
            [
                *_pair([1, 2, 3]),
                node("Cast", "t", "t_float", to=TensorProto.FLOAT),
                node("Add", "pair t_float", "logit"),
            ],
            [T_INPUT, spec("image", GREY), spec("z", (CALLS, 2))],
            [spec("logit", ())],
            {"latent_axes": np.array([1, 2])},
        ),
        "score_group": graph(
            [*_pair([2, 3, 4]), node("CumSum", "pair along", "logit")],
            [spec("image", (GROUP, *GREY)), spec("z", (GROUP, CALLS, 2))],
            [spec("logit", (GROUP,))],
            {"latent_axes": np.array([2, 3]), "along": np.array(1)},
        ),
    }
    manifest = Manifest(
        name="toy-pairs",
        version="1.0.0",
        family="toy",
        image=ImageSpec(channels=1, height=6, width=8),
        graphs={
            name: graph_spec(f"{name}.onnx", data, inputs=inputs, outputs=outputs)
            for name, (data, inputs, outputs) in graphs.items()
        },
        drawing=Drawing(
            phases=(Phase(graph="init"), Phase(graph="step", calls=CALLS, shows=True)),
            steps=Steps(default=CALLS, min=1, max=CALLS, trained=CALLS),
            noise=(NoiseSpec(name="z", shape=(2,), per="call"),),
        ),
        scorer=Scorer(kind="discriminator", group_size=GROUP),
    )
    write_bundle(folder / "toy-pairs", manifest, {name: data for name, (data, _, _) in graphs.items()})


def _pair(image_axes: list[int]) -> list:
    """8 (mean of the image - 1/2) + sum of its latents, as `pair`."""
    return [
        node("ReduceMean", "image", "mean", axes=image_axes, keepdims=0),
        node("Sub", "mean half", "centred"),
        node("Mul", "centred gain", "looks"),
        node("ReduceSum", "z latent_axes", "means", keepdims=0),
        node("Add", "looks means", "pair"),
    ]
