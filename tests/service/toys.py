"""Toy bundles: tiny ONNX graphs with simple deterministic mathematics, for the tests of the server.

A drawing of the elementwise toys can be worked out in numpy, see `steps_canvases`. Together they cover the
shapes of drawing that a manifest can describe:

    toy-steps     grey 6x8: init, then step x steps; noise for the drawing and for each call; a discriminator
    toy-once      grey 6x8: one-shot, a drawing of one step
    toy-labels    grey 6x8: init takes a label, class i starts at grey level i / 2
    toy-color     RGB 4x5: init, then step x steps; a critic
    toy-rows      grey 6x8: init, then step x 6, a call a row; `steps` reveals the picture in even parts
    toy-slow      grey 6x8: like toy-steps without a scorer, but a call takes some milliseconds
    toy-fragile   grey 6x8: like toy-steps without a scorer, but the third step fails for rows with a latent
                  over 100
"""

__all__ = ["LOGIT_GAIN", "TOYS", "spoil_hash", "steps_canvases", "write_steps", "write_toys"]

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from onnx import TensorProto

from pentimento.bundle.manifest import Drawing, ImageSpec, Labels, Manifest, NoiseSpec, Phase, Scorer, Steps
from pentimento.bundle.store import MANIFEST, graph_spec, write_bundle
from tests.service.toy_graphs import (
    COLOR,
    EXTRAS,
    GREY,
    LABEL_INPUT,
    LOGIT_GAIN,
    T_INPUT,
    Toy,
    graph,
    node,
    show,
    spec,
)


def write_toys(folder: Path, names: Iterable[str] | None = None) -> None:
    """Writes toy bundles, all of them or those named, as subfolders of `folder`."""
    for name in TOYS if names is None else names:
        TOYS[name](folder / name)


def spoil_hash(bundle: Path) -> None:
    """Changes the manifest's checksums, so that the files disagree with them as after a damaged download."""
    path = bundle / MANIFEST
    manifest = json.loads(path.read_text())
    for entry in manifest["graphs"].values():
        entry["sha256"] = "0" * 64
    path.write_text(json.dumps(manifest))


def steps_canvases(latent: np.ndarray, z: np.ndarray) -> np.ndarray:
    """What `toy-steps`, `toy-color`, `toy-slow` and `toy-fragile` draw, in numpy.

    Args:
        latent: Noise `latent`, (n, C, H, W).
        z: Noise `z`, (n, steps, C, H, W).

    Returns:
        Canvases in [0, 1], (n, steps, C, H, W).
    """
    state = latent.astype(np.float32)
    canvases = []
    for t in range(z.shape[1]):
        state = state * np.float32(0.5) + z[:, t] + np.float32(0.01) * np.float32(t)
        canvases.append(np.clip(state * np.float32(0.25) + np.float32(0.5), 0, 1))
    return np.stack(canvases, axis=1)


def write_steps(folder: Path, shape: tuple[int, int, int], *, scorer: str | None, extra: str = "") -> None:
    """init: state = latent. step: state = state / 2 + z + t / 100, canvas = clip(state / 4 + 1/2)."""
    image = spec("latent", shape), spec("z", shape)
    graphs = {
        "init": graph([node("Identity", "latent", "next.canvas")], [image[0]], [spec("next.canvas", shape)]),
        "step": graph(
            [
                *EXTRAS[extra],
                node("Cast", "t", "t_float", to=TensorProto.FLOAT),
                node("Reshape", "t_float to_image", "t_image"),
                node("Mul", "t_image hundredth", "drift"),
                node("Mul", "trouble half" if extra else "state.canvas half", "faded"),
                node("Add", "faded z", "moved"),
                node("Add", "moved drift", "next.canvas"),
                *show("next.canvas"),
            ],
            [T_INPUT, image[1], spec("state.canvas", shape)],
            [spec("canvas", shape), spec("next.canvas", shape)],
        ),
    }
    _write(
        folder,
        shape,
        graphs,
        phases=(Phase(graph="init"), Phase(graph="step", calls="steps", shows=True)),
        steps=Steps(default=5, min=1, max=1000 if extra == "slow" else 16, trained=5, best=7),
        noise=(NoiseSpec(name="latent", shape=shape), NoiseSpec(name="z", shape=shape, per="call")),
        scorer=scorer,
    )


def _once(folder: Path) -> None:
    """canvas = sigmoid(latent W): one product, as a one-shot generator's last layer."""
    latent = spec("latent", (4,))
    weight = np.linspace(-1, 1, 4 * 48, dtype=np.float32).reshape(4, 48)
    nodes = [
        node("MatMul", "latent weight", "flat"),
        node("Sigmoid", "flat", "grey"),
        node("Reshape", "grey grey_shape", "canvas"),
    ]
    _write(
        folder,
        GREY,
        {"step": graph(nodes, [latent], [spec("canvas", GREY)], {"weight": weight})},
        phases=(Phase(graph="step", shows=True),),
        steps=Steps(default=1, min=1, max=1, trained=1),
        noise=(NoiseSpec(name="latent", shape=(4,)),),
    )


def _labels(folder: Path) -> None:
    """init: state = label / 2. step: state = state + z / 4, canvas = clip(state)."""
    init = [
        node("Cast", "label", "label_float", to=TensorProto.FLOAT),
        node("Reshape", "label_float to_image", "level"),
        node("Mul", "level half", "start"),
        node("Expand", "start grey_one", "next.canvas"),
    ]
    step = [
        node("Mul", "z quarter", "stroke"),
        node("Add", "state.canvas stroke", "next.canvas"),
        node("Clip", "next.canvas zero one", "canvas"),
    ]
    graphs = {
        "init": graph(init, [LABEL_INPUT], [spec("next.canvas", GREY)]),
        "step": graph(
            step,
            [spec("z", GREY), spec("state.canvas", GREY)],
            [spec("canvas", GREY), spec("next.canvas", GREY)],
        ),
    }
    _write(
        folder,
        GREY,
        graphs,
        phases=(Phase(graph="init"), Phase(graph="step", calls="steps", shows=True)),
        steps=Steps(default=3, min=1, max=8, trained=3),
        noise=(NoiseSpec(name="z", shape=GREY, prior="uniform", per="call"),),
        labels=Labels(names=("black", "grey", "white")),
    )


def _rows(folder: Path) -> None:
    """Call t fills row t of the canvas with the uniform noise of that call."""
    row = (8,)
    step = [
        node("Reshape", "t t_shape", "t_row"),  # (B,) -> (B, 1, 1, 1)
        node("Equal", "row_index t_row", "here"),  # (1, 1, 6, 1) == (B, 1, 1, 1)
        node("Reshape", "u row_shape", "pixels"),  # (B, 8) -> (B, 1, 1, 8)
        node("Where", "here pixels state.canvas", "next.canvas"),
        node("Identity", "next.canvas", "canvas"),
    ]
    constants = {
        "row_index": np.arange(6).reshape(1, 1, 6, 1),
        "t_shape": np.array([-1, 1, 1, 1]),
        "row_shape": np.array([-1, 1, 1, 8]),
    }
    init = [node("Sub", "paper paper", "next.canvas")]
    graphs = {
        "init": graph(init, [spec("paper", GREY)], [spec("next.canvas", GREY)]),
        "step": graph(
            step,
            [T_INPUT, spec("u", row), spec("state.canvas", GREY)],
            [spec("canvas", GREY), spec("next.canvas", GREY)],
            constants,
        ),
    }
    _write(
        folder,
        GREY,
        graphs,
        phases=(Phase(graph="init"), Phase(graph="step", calls=6, shows=True)),
        steps=Steps(default=6, min=1, max=6, trained=6),
        noise=(
            NoiseSpec(name="paper", shape=GREY),
            NoiseSpec(name="u", shape=row, prior="uniform", per="call"),
        ),
    )


def _write(
    folder: Path,
    shape: tuple[int, int, int],
    graphs: dict[str, Toy],
    *,
    phases: tuple[Phase, ...],
    steps: Steps,
    noise: tuple[NoiseSpec, ...],
    scorer: str | None = None,
    labels: Labels | None = None,
) -> None:
    if scorer is not None:
        judge = [
            node("ReduceMean", "image", "mean", axes=[1, 2, 3], keepdims=0),
            node("Sub", "mean half", "centred"),
            node("Mul", "centred gain", "logit"),
        ]
        graphs["score"] = graph(judge, [spec("image", shape)], [spec("logit", ())])
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
        drawing=Drawing(phases=phases, steps=steps, noise=noise),
        scorer=Scorer(kind=scorer) if scorer else None,
        labels=labels,
    )
    write_bundle(folder, manifest, {name: data for name, (data, _, _) in graphs.items()})


TOYS: Mapping[str, Callable[[Path], None]] = {
    "toy-steps": lambda folder: write_steps(folder, GREY, scorer="discriminator"),
    "toy-once": _once,
    "toy-labels": _labels,
    "toy-color": lambda folder: write_steps(folder, COLOR, scorer="critic"),
    "toy-rows": _rows,
    "toy-slow": lambda folder: write_steps(folder, GREY, scorer=None, extra="slow"),
    "toy-fragile": lambda folder: write_steps(folder, GREY, scorer=None, extra="fragile"),
}
