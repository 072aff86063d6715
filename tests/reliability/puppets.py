"""Toy bundles that a request can make slow, failing or NaN, for the tests of reliability.

    toy-puppet  grey 6x8, drawn as `steps_canvases` says, for requests that give nothing but a seed. A request
                may give two latents more: `work`, over 10, a sixth of a millisecond of computing a step for
                each unit, and `mood`: from the third step on a graph call fails for rows whose mood is over
                10, and puts out NaN for rows whose mood is under -10
    toy-wide    grey 96x96 of noise that no encoder makes smaller: 9 KB a picture, up to 1000 steps

Left to the seed, `work` and `mood` are standard normal: too small to do anything. With zeros, as a server
tries its graphs with, a call of toy-puppet takes some 25 milliseconds: so none is made on an event loop.
"""

__all__ = ["FAILS", "PUTS_OUT_NAN", "WIDE_BYTES", "products", "write_puppets"]

from pathlib import Path

import numpy as np
from onnx import GraphProto, TensorProto, helper

from pentimento.bundle.manifest import Drawing, ImageSpec, Manifest, NoiseSpec, Phase, Steps
from pentimento.bundle.store import graph_spec, write_bundle
from tests.service.toy_graphs import GREY, T_INPUT, Nodes, Toy, graph, node, show, spec

FAILS, PUTS_OUT_NAN = 1000.0, -1000.0
"""Moods of a row."""

WIDE = (1, 96, 96)
WIDE_BYTES = 96 * 96  # of one picture of toy-wide, at least

_CONSTANTS = {
    "cold": np.float32(-10),
    "trial": np.float32(150),
    "nan": np.float32("nan"),
    "side": np.array([256, 256]),
    "true": np.array(True),
    "stride": np.float32(0.381966),
}


def write_puppets(folder: Path) -> None:
    """Writes both bundles as subfolders."""
    _puppet(folder / "toy-puppet")
    _wide(folder / "toy-wide")


def products(side: int) -> GraphProto:
    """The body of a Loop that multiplies a matrix of `side` x `side` with itself in each round."""
    return helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["goes_on"]),
            helper.make_node("MatMul", ["matrix", "matrix"], ["product"]),
        ],
        "trip",
        [
            helper.make_tensor_value_info("trip", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("matrix", TensorProto.FLOAT, [side, side]),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("product", TensorProto.FLOAT, [side, side]),
        ],
    )


def _trips() -> Nodes:
    """Nodes that compute `still`: 0, after as many products of 256 x 256 zeros as the largest `work` asks."""
    body = products(256)
    return [
        node("ReduceMax", "work", "most", keepdims=0),
        node("Greater", "most ten", "busy"),
        node("Where", "busy most zero", "asked"),
        # Zeros are what a server tries graphs with: they show that calls may take long.
        node("Abs", "work", "size"),
        node("ReduceMax", "size", "size_most", keepdims=0),
        node("Equal", "size_most zero", "tried"),
        node("Where", "tried trial asked", "wanted"),
        node("Cast", "wanted", "trips", to=TensorProto.INT64),
        # Of `t`, so that ONNX Runtime cannot work it out beforehand.
        node("ReduceMax", "t", "t_max", keepdims=0),
        node("Cast", "t_max", "t_max_float", to=TensorProto.FLOAT),
        node("Mul", "t_max_float zero", "nothing"),
        node("Expand", "nothing side", "blank"),
        helper.make_node("Loop", ["trips", "true", "blank"], ["last"], body=body),
        node("ReduceMax", "last", "still", keepdims=0),
    ]


def _strings() -> Nodes:
    """Nodes that compute `troubled`: the state, unless a row's mood makes the call fail or the state NaN."""
    return [
        node("Greater", "t once", "late"),  # (B,)
        node("Reshape", "mood to_row", "mood_row"),  # (B, 1) -> (B,)
        node("Greater", "mood_row ten", "hot"),
        node("And", "late hot", "fails"),
        node("Cast", "fails", "fails_int", to=TensorProto.INT64),
        node("Mul", "fails_int two", "index"),
        node("Gather", "nought index", "checked"),  # an index of 2 into one element: ONNX Runtime refuses
        node("Cast", "checked", "checked_float", to=TensorProto.FLOAT),
        node("Add", "checked_float still", "calm"),
        node("Less", "mood_row cold", "sick"),
        node("And", "late sick", "spoilt"),
        node("Where", "spoilt nan calm", "trouble"),
        node("Reshape", "trouble to_image", "trouble_image"),
        node("Add", "state.canvas trouble_image", "troubled"),
    ]


def _puppet(folder: Path) -> None:
    image = spec("latent", GREY), spec("z", GREY)
    step = [
        *_trips(),
        *_strings(),
        node("Mul", "troubled half", "faded"),
        node("Cast", "t", "t_float", to=TensorProto.FLOAT),
        node("Reshape", "t_float to_image", "t_image"),
        node("Mul", "t_image hundredth", "drift"),
        node("Add", "faded z", "moved"),
        node("Add", "moved drift", "next.canvas"),
        *show("next.canvas"),
    ]
    inputs = [T_INPUT, spec("work", (1,)), spec("mood", (1,)), image[1], spec("state.canvas", GREY)]
    _write(
        folder,
        GREY,
        graph([node("Identity", "latent", "next.canvas")], [image[0]], [spec("next.canvas", GREY)]),
        graph(
            step,
            inputs,
            [spec("canvas", GREY), spec("next.canvas", GREY)],
            {**_CONSTANTS, "to_row": np.array([-1])},
        ),
        NoiseSpec(name="latent", shape=GREY),
        NoiseSpec(name="z", shape=GREY, per="call"),
        NoiseSpec(name="work", shape=(1,)),
        NoiseSpec(name="mood", shape=(1,)),
    )


def _wide(folder: Path) -> None:
    """init: state = latent. step: state = canvas = fraction of (state + 0.38)."""
    step = [
        node("Add", "state.canvas stride", "turned"),
        node("Mod", "turned one", "next.canvas", fmod=1),
        node("Identity", "next.canvas", "canvas"),
    ]
    _write(
        folder,
        WIDE,
        graph(
            [node("Identity", "latent", "next.canvas")], [spec("latent", WIDE)], [spec("next.canvas", WIDE)]
        ),
        graph(
            step, [spec("state.canvas", WIDE)], [spec("canvas", WIDE), spec("next.canvas", WIDE)], _CONSTANTS
        ),
        NoiseSpec(name="latent", shape=WIDE, prior="uniform"),
    )


def _write(folder: Path, shape: tuple[int, int, int], init: Toy, step: Toy, *noise: NoiseSpec) -> None:
    graphs = {"init": init, "step": step}
    manifest = Manifest(
        name=folder.name,
        version="1.0.0",
        family="toy",
        summary="A toy for tests.",
        image=ImageSpec(channels=shape[0], height=shape[1], width=shape[2]),
        graphs={
            name: graph_spec(f"{name}.onnx", data, inputs=inputs, outputs=outputs)
            for name, (data, inputs, outputs) in graphs.items()
        },
        drawing=Drawing(
            phases=(Phase(graph="init"), Phase(graph="step", calls="steps", shows=True)),
            steps=Steps(default=5, min=1, max=1000, trained=5),
            noise=noise,
        ),
    )
    write_bundle(folder, manifest, {name: data for name, (data, _, _) in graphs.items()})
