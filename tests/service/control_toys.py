"""A toy bundle with a control, whose graph is told how many canvases are asked for.

toy-guided  grey 6x8, 1 to 12 steps: state = state + (tilt + mean of latent) / steps, canvas =
            clip(state / 4 + 1/2), given pixels kept; encode: latent = mean of the image;
            likelihood: an estimate, mean of the image + mean of eps
"""

__all__ = ["guided", "write_control_toy"]

from pathlib import Path

import numpy as np
from onnx import TensorProto

from pentimento.bundle.manifest import (
    Control,
    Drawing,
    ImageSpec,
    Likelihood,
    Manifest,
    NoiseSpec,
    Phase,
    Steps,
)
from pentimento.bundle.store import graph_spec, write_bundle
from tests.service.toy_graphs import GREY, T_INPUT, graph, node, spec

TILT = Control(name="tilt", min=-2, max=2, default=0.5, summary="More of it draws brighter.")


def guided(latent: np.ndarray, tilt: float, steps: int) -> np.ndarray:
    """The level of every canvas, (n, steps): each is of one grey."""
    change = (tilt + latent.mean(1)) / steps
    return np.clip(change[:, None] * np.arange(1, steps + 1) / 4 + 0.5, 0, 1)


def write_control_toy(folder: Path) -> None:
    """Writes `toy-guided` as a subfolder."""
    latent, tilt, state = spec("latent", (4,)), spec("tilt", ()), spec("state.canvas", GREY)
    steps = spec("steps", (), "int64")
    known, mask = spec("known", GREY), spec("known_mask", GREY)
    graphs = {
        "init": graph(
            [
                node("Cast", "t", "t_float", to=TensorProto.FLOAT),
                node("Mul", "t_float zero", "nothing"),
                node("Reshape", "nothing to_image", "nothing_image"),
                node("Expand", "nothing_image grey_one", "next.canvas"),
            ],
            [T_INPUT],
            [spec("next.canvas", GREY)],
        ),
        "step": graph(
            [
                node("ReduceMean", "latent", "level", axes=[1], keepdims=0),
                node("Add", "tilt level", "whole"),
                node("Div", "steps steps", "ones"),  # an error where it is 0, so also in a trial
                node("Mul", "steps ones", "steps_whole"),
                node("Cast", "steps_whole", "steps_float", to=TensorProto.FLOAT),
                node("Div", "whole steps_float", "part"),
                node("Reshape", "part to_image", "part_image"),
                node("Add", "state.canvas part_image", "next.canvas"),
                node("Mul", "next.canvas quarter", "scaled"),
                node("Add", "scaled half", "shifted"),
                node("Clip", "shifted zero one", "drawn"),
                node("Mul", "known known_mask", "kept"),
                node("Sub", "one known_mask", "free"),
                node("Mul", "drawn free", "rest"),
                node("Add", "kept rest", "canvas"),
            ],
            [latent, tilt, steps, state, known, mask],
            [spec("canvas", GREY), spec("next.canvas", GREY)],
        ),
        "encode": graph(
            [
                node("ReduceMean", "image", "mean", axes=[1, 2, 3], keepdims=0),
                node("Reshape", "mean to_rows", "column"),
                node("Expand", "column four_wide", "latent"),
            ],
            [spec("image", GREY)],
            [spec("latent", (4,))],
            {"to_rows": np.array([-1, 1]), "four_wide": np.array([1, 4])},
        ),
        "likelihood": graph(
            [
                node("ReduceMean", "image", "level", axes=[1, 2, 3], keepdims=0),
                node("ReduceMean", "eps", "luck", axes=[1], keepdims=0),
                node("Add", "level luck", "log_likelihood"),
            ],
            [spec("image", GREY), spec("eps", (4,))],
            [spec("log_likelihood", ())],
        ),
    }
    manifest = Manifest(
        name="toy-guided",
        version="1.0.0",
        family="toy",
        image=ImageSpec(channels=1, height=6, width=8),
        graphs={
            name: graph_spec(f"{name}.onnx", data, inputs=inputs, outputs=outputs)
            for name, (data, inputs, outputs) in graphs.items()
        },
        drawing=Drawing(
            phases=(Phase(graph="init"), Phase(graph="step", calls="steps", shows=True)),
            steps=Steps(default=4, min=1, max=12, trained=4),
            noise=(NoiseSpec(name="latent", shape=(4,)),),
            completion="everywhere",
            controls=(TILT,),
        ),
        likelihood=Likelihood(kind="estimate"),
    )
    write_bundle(folder / "toy-guided", manifest, {name: data for name, (data, _, _) in graphs.items()})
