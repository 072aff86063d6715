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

__all__ = ["TOYS", "spoil_hash", "steps_canvases", "write_toys"]

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bundle.manifest import Drawing, ImageSpec, Labels, Manifest, NoiseSpec, Phase, Scorer, Steps, TensorSpec
from bundle.store import MANIFEST, graph_spec, write_bundle

GREY = (1, 6, 8)
COLOR = (3, 4, 5)
LOGIT_GAIN = 8.0  # logit = gain * (mean of the image - 1/2)

Nodes = list[onnx.NodeProto]


def write_toys(folder: Path, names: Iterable[str] | None = None) -> None:
    """Writes toy bundles, all of them or those named, as subfolders of `folder`."""
    for name in TOYS if names is None else names:
        TOYS[name](folder / name)


def spoil_hash(bundle: Path) -> None:
    """Makes the manifest's checksums disagree with the files, as a damaged download would."""
    path = bundle / MANIFEST
    manifest = json.loads(path.read_text())
    for graph in manifest["graphs"].values():
        graph["sha256"] = "0" * 64
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


def _steps(folder: Path, shape: tuple[int, int, int], *, scorer: str | None, extra: str = "") -> None:
    """init: state = latent. step: state = state / 2 + z + t / 100, canvas = clip(state / 4 + 1/2)."""
    image = _spec("latent", shape), _spec("z", shape)
    graphs = {
        "init": _graph(
            [_node("Identity", "latent", "next.canvas")], [image[0]], [_spec("next.canvas", shape)]
        ),
        "step": _graph(
            [
                *_EXTRAS[extra],
                _node("Cast", "t", "t_float", to=TensorProto.FLOAT),
                _node("Reshape", "t_float to_image", "t_image"),
                _node("Mul", "t_image hundredth", "drift"),
                _node("Mul", "trouble half" if extra else "state.canvas half", "faded"),
                _node("Add", "faded z", "moved"),
                _node("Add", "moved drift", "next.canvas"),
                *_show("next.canvas"),
            ],
            [_T, image[1], _spec("state.canvas", shape)],
            [_spec("canvas", shape), _spec("next.canvas", shape)],
        ),
    }
    _write(
        folder,
        shape,
        graphs,
        phases=(Phase(graph="init"), Phase(graph="step", calls="steps", shows=True)),
        steps=Steps(default=5, min=1, max=1000 if extra == "slow" else 16, trained=5),
        noise=(NoiseSpec(name="latent", shape=shape), NoiseSpec(name="z", shape=shape, per="call")),
        scorer=scorer,
    )


def _once(folder: Path) -> None:
    """canvas = sigmoid(latent W): one product, as a one-shot generator's last layer."""
    latent = _spec("latent", (4,))
    weight = np.linspace(-1, 1, 4 * 48, dtype=np.float32).reshape(4, 48)
    nodes = [
        _node("MatMul", "latent weight", "flat"),
        _node("Sigmoid", "flat", "grey"),
        _node("Reshape", "grey grey_shape", "canvas"),
    ]
    _write(
        folder,
        GREY,
        {"step": _graph(nodes, [latent], [_spec("canvas", GREY)], {"weight": weight})},
        phases=(Phase(graph="step", shows=True),),
        steps=Steps(default=1, min=1, max=1, trained=1),
        noise=(NoiseSpec(name="latent", shape=(4,)),),
    )


def _labels(folder: Path) -> None:
    """init: state = label / 2. step: state = state + z / 4, canvas = clip(state)."""
    init = [
        _node("Cast", "label", "label_float", to=TensorProto.FLOAT),
        _node("Reshape", "label_float to_image", "level"),
        _node("Mul", "level half", "start"),
        _node("Expand", "start grey_one", "next.canvas"),
    ]
    step = [
        _node("Mul", "z quarter", "stroke"),
        _node("Add", "state.canvas stroke", "next.canvas"),
        _node("Clip", "next.canvas zero one", "canvas"),
    ]
    graphs = {
        "init": _graph(init, [_LABEL], [_spec("next.canvas", GREY)]),
        "step": _graph(
            step,
            [_spec("z", GREY), _spec("state.canvas", GREY)],
            [_spec("canvas", GREY), _spec("next.canvas", GREY)],
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
        _node("Reshape", "t t_shape", "t_row"),  # (B,) -> (B, 1, 1, 1)
        _node("Equal", "row_index t_row", "here"),  # (1, 1, 6, 1) == (B, 1, 1, 1)
        _node("Reshape", "u row_shape", "pixels"),  # (B, 8) -> (B, 1, 1, 8)
        _node("Where", "here pixels state.canvas", "next.canvas"),
        _node("Identity", "next.canvas", "canvas"),
    ]
    constants = {
        "row_index": np.arange(6).reshape(1, 1, 6, 1),
        "t_shape": np.array([-1, 1, 1, 1]),
        "row_shape": np.array([-1, 1, 1, 8]),
    }
    init = [_node("Sub", "paper paper", "next.canvas")]
    graphs = {
        "init": _graph(init, [_spec("paper", GREY)], [_spec("next.canvas", GREY)]),
        "step": _graph(
            step,
            [_T, _spec("u", row), _spec("state.canvas", GREY)],
            [_spec("canvas", GREY), _spec("next.canvas", GREY)],
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
    graphs: dict[str, tuple[bytes, list[TensorSpec], list[TensorSpec]]],
    *,
    phases: tuple[Phase, ...],
    steps: Steps,
    noise: tuple[NoiseSpec, ...],
    scorer: str | None = None,
    labels: Labels | None = None,
) -> None:
    if scorer is not None:
        judge = [
            _node("ReduceMean", "image", "mean", axes=[1, 2, 3], keepdims=0),
            _node("Sub", "mean half", "centred"),
            _node("Mul", "centred gain", "logit"),
        ]
        graphs["score"] = _graph(judge, [_spec("image", shape)], [_spec("logit", ())])
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


def _spec(name: str, shape: tuple[int, ...], dtype: str = "float32") -> TensorSpec:
    return TensorSpec(name=name, shape=shape, dtype=dtype)


_T = _spec("t", (), "int64")
_LABEL = _spec("label", (), "int64")

_CONSTANTS: Mapping[str, np.ndarray] = {
    "zero": np.float32(0),
    "quarter": np.float32(0.25),
    "half": np.float32(0.5),
    "one": np.float32(1),
    "ten": np.float32(10),
    "hundredth": np.float32(0.01),
    "gain": np.float32(LOGIT_GAIN),
    "once": np.int64(1),
    "two": np.int64(2),
    "nought": np.array([0]),
    "to_image": np.array([-1, 1, 1, 1]),
    "grey_shape": np.array([-1, *GREY]),
    "grey_one": np.array([1, *GREY]),
    "side": np.array([512, 512]),
}


def _node(op: str, inputs: str, output: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), [output], **attributes)


def _show(state: str) -> Nodes:
    return [
        _node("Mul", f"{state} quarter", "scaled"),
        _node("Add", "scaled half", "shifted"),
        _node("Clip", "shifted zero one", "canvas"),
    ]


# Both put a `trouble` in the place of `state.canvas`, of the same value.
_EXTRAS: Mapping[str, Nodes] = {
    "": [],
    # Products of 512 x 512 matrices of zeros; they depend on t, so that ONNX Runtime cannot fold them away.
    "slow": [
        _node("ReduceMax", "t", "t_max", keepdims=0),
        _node("Cast", "t_max", "t_max_float", to=TensorProto.FLOAT),
        _node("Mul", "t_max_float zero", "nothing"),
        _node("Expand", "nothing side", "matrix_0"),
        *(_node("MatMul", f"matrix_{i} matrix_{i}", f"matrix_{i + 1}") for i in range(4)),
        _node("ReduceMax", "matrix_4", "still_nothing", keepdims=0),
        _node("Add", "state.canvas still_nothing", "trouble"),
    ],
    # An index of 2 into a vector of one element, from t = 2 on where the state exceeds 10: ONNX Runtime
    # refuses to gather it.
    "fragile": [
        _node("Greater", "t once", "late"),
        _node("ReduceMax", "state.canvas", "brightest", axes=[1, 2, 3], keepdims=0),
        _node("Greater", "brightest ten", "bright"),
        _node("And", "late bright", "fails"),
        _node("Cast", "fails", "fails_int", to=TensorProto.INT64),
        _node("Mul", "fails_int two", "index"),
        _node("Gather", "nought index", "checked"),
        _node("Cast", "checked", "checked_float", to=TensorProto.FLOAT),
        _node("Reshape", "checked_float to_image", "checked_image"),
        _node("Add", "state.canvas checked_image", "trouble"),
    ],
}


def _graph(
    nodes: Nodes,
    inputs: list[TensorSpec],
    outputs: list[TensorSpec],
    constants: Mapping[str, np.ndarray] = {},
) -> tuple[bytes, list[TensorSpec], list[TensorSpec]]:
    """Serialises a graph whose inputs and outputs have a dynamic batch axis in front."""
    types = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64}
    used = {name for node in nodes for name in node.input}
    values = {name: array for name, array in {**_CONSTANTS, **constants}.items() if name in used}
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info(s.name, types[s.dtype], ["batch", *s.shape]) for s in inputs],
        [helper.make_tensor_value_info(s.name, types[s.dtype], ["batch", *s.shape]) for s in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString(), inputs, outputs


TOYS: Mapping[str, Callable[[Path], None]] = {
    "toy-steps": lambda folder: _steps(folder, GREY, scorer="discriminator"),
    "toy-once": _once,
    "toy-labels": _labels,
    "toy-color": lambda folder: _steps(folder, COLOR, scorer="critic"),
    "toy-rows": _rows,
    "toy-slow": lambda folder: _steps(folder, GREY, scorer=None, extra="slow"),
    "toy-fragile": lambda folder: _steps(folder, GREY, scorer=None, extra="fragile"),
}
