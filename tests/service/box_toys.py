"""A toy bundle whose canvases come with a box and with plain numbers.

toy-looks   grey 6x8, three calls whatever the steps: state = state + t / 100, canvas = clip(state / 4 + 1/2);
            write_box = (z_x + 3, z_y + 2, 1 + t, 1/2), age = (t,); encode: z = 4 (mean of the image) + eps
"""

__all__ = ["CALLS", "boxes_of", "write_box_toy"]

from pathlib import Path

import numpy as np
from onnx import TensorProto

from pentimento.bundle.manifest import Drawing, FrameOutput, ImageSpec, Manifest, NoiseSpec, Phase, Steps
from pentimento.bundle.store import graph_spec, write_bundle
from tests.service.toy_graphs import GREY, T_INPUT, graph, node, show, spec

CALLS = 3


def boxes_of(z: np.ndarray, calls: list[int]) -> np.ndarray:
    """The boxes that those calls put out, (n, calls, 4), z being (n, 3, 2)."""
    t = np.broadcast_to(np.array(calls, dtype=np.float32), (len(z), len(calls)))
    x, y = np.moveaxis(z[:, calls] + np.array([3, 2], dtype=np.float32), 2, 0)
    return np.stack([x, y, 1 + t, np.full_like(t, 0.5)], axis=2)


def write_box_toy(folder: Path) -> None:
    """Writes `toy-looks` as a subfolder."""
    z, state = spec("z", (2,)), spec("state.canvas", GREY)
    step = [
        node("Cast", "t", "t_float", to=TensorProto.FLOAT),
        node("Reshape", "t_float to_column", "age"),
        node("Reshape", "t_float to_image", "t_image"),
        node("Mul", "t_image hundredth", "drift"),
        node("Add", "state.canvas drift", "next.canvas"),
        *show("next.canvas"),
        node("Add", "z middle", "centre"),
        node("Add", "age one", "stride"),
        node("Mul", "age zero", "nothing"),
        node("Add", "nothing half", "width"),
        node("Concat", "centre stride width", "write_box", axis=1),
    ]
    encode = [
        node("ReduceMean", "image", "mean", axes=[1, 2, 3], keepdims=0),
        node("Reshape", "mean to_image3", "level"),
        node("Mul", "level four", "brightness"),
        node("Reshape", "eps to_calls", "jitter"),
        node("Add", "brightness jitter", "z"),
    ]
    constants = {
        "to_column": np.array([-1, 1]),
        "middle": np.array([[3, 2]], dtype=np.float32),
        "four": np.float32(4),
        "to_image3": np.array([-1, 1, 1]),
        "to_calls": np.array([-1, CALLS, 2]),
    }
    outputs = [spec("canvas", GREY), spec("next.canvas", GREY), spec("write_box", (4,)), spec("age", (1,))]
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
        "step": graph(step, [T_INPUT, z, state], outputs, constants),
        "encode": graph(encode, [spec("image", GREY), spec("eps", (6,))], [spec("z", (CALLS, 2))], constants),
    }
    manifest = Manifest(
        name="toy-looks",
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
            outputs=(
                FrameOutput(name="write_box", meaning="box", points=2, summary="where it writes"),
                FrameOutput(name="age", meaning="plain"),
            ),
        ),
    )
    write_bundle(folder / "toy-looks", manifest, {name: data for name, (data, _, _) in graphs.items()})
