"""Building blocks of the toy bundles: ONNX nodes, constants by name, and nodes that are slow or fail."""

__all__ = [
    "COLOR",
    "EXTRAS",
    "GREY",
    "LABEL_INPUT",
    "LOGIT_GAIN",
    "T_INPUT",
    "Toy",
    "graph",
    "node",
    "show",
    "spec",
]

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pentimento.bundle.manifest import TensorSpec

GREY = (1, 6, 8)
COLOR = (3, 4, 5)
LOGIT_GAIN = 8.0  # logit = gain * (mean of the image - 1/2)

Nodes = list[onnx.NodeProto]
Toy = tuple[bytes, list[TensorSpec], list[TensorSpec]]
"""A graph: its file, its inputs and its outputs."""


def spec(name: str, shape: tuple[int, ...], dtype: str = "float32") -> TensorSpec:
    return TensorSpec(name=name, shape=shape, dtype=dtype)


T_INPUT = spec("t", (), "int64")
LABEL_INPUT = spec("label", (), "int64")

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


def node(op: str, inputs: str, output: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), [output], **attributes)


def show(state: str) -> Nodes:
    return [
        node("Mul", f"{state} quarter", "scaled"),
        node("Add", "scaled half", "shifted"),
        node("Clip", "shifted zero one", "canvas"),
    ]


# Both put a `trouble` in the place of `state.canvas`, of the same value.
EXTRAS: Mapping[str, Nodes] = {
    "": [],
    # Products of 512 x 512 matrices of zeros; they depend on t, so that ONNX Runtime cannot fold them away.
    "slow": [
        node("ReduceMax", "t", "t_max", keepdims=0),
        node("Cast", "t_max", "t_max_float", to=TensorProto.FLOAT),
        node("Mul", "t_max_float zero", "nothing"),
        node("Expand", "nothing side", "matrix_0"),
        *(node("MatMul", f"matrix_{i} matrix_{i}", f"matrix_{i + 1}") for i in range(4)),
        node("ReduceMax", "matrix_4", "still_nothing", keepdims=0),
        node("Add", "state.canvas still_nothing", "trouble"),
    ],
    # An index of 2 into a vector of one element, from t = 2 on where the state exceeds 10: ONNX Runtime
    # refuses to gather it.
    "fragile": [
        node("Greater", "t once", "late"),
        node("ReduceMax", "state.canvas", "brightest", axes=[1, 2, 3], keepdims=0),
        node("Greater", "brightest ten", "bright"),
        node("And", "late bright", "fails"),
        node("Cast", "fails", "fails_int", to=TensorProto.INT64),
        node("Mul", "fails_int two", "index"),
        node("Gather", "nought index", "checked"),
        node("Cast", "checked", "checked_float", to=TensorProto.FLOAT),
        node("Reshape", "checked_float to_image", "checked_image"),
        node("Add", "state.canvas checked_image", "trouble"),
    ],
}


def graph(
    nodes: Nodes,
    inputs: list[TensorSpec],
    outputs: list[TensorSpec],
    constants: Mapping[str, np.ndarray] = {},
) -> Toy:
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
