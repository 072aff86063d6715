"""Toy GANs for battles: they draw plain grey squares, and their scorers look at the mean of a picture.

A drawing is `bias + spread * latent`, cut to 0..1, in every pixel, and a twentieth more for each number of
its class where the toy has classes. A score is `gain * (mean - threshold)`, so what is taken for data is all
that is brighter than that.
"""

__all__ = ["CLASSES", "write_toy"]

from pathlib import Path

import numpy as np
from onnx import TensorProto

from pentimento.bundle.manifest import (
    Drawing,
    ImageSpec,
    Labels,
    Manifest,
    NoiseSpec,
    Phase,
    Provenance,
    Scorer,
    Steps,
)
from pentimento.bundle.store import Bundle, graph_spec, read_bundle, write_bundle
from tests.service.toy_graphs import LABEL_INPUT, T_INPUT, graph, node, spec

CLASSES = tuple("0123456789")
_LABEL = node("Cast", "label", "label_float", to=TensorProto.FLOAT)


def write_toy(
    folder: Path,
    *,
    bias: float = 0.5,
    spread: float = 0.1,
    threshold: float = 0.5,
    gain: float = 20.0,
    kind: str | None = "discriminator",
    real_label: float = 1.0,
    takes: tuple[str, ...] = (),
    labels: tuple[str, ...] = (),
    size: int = 8,
    draws: bool = True,
    dataset: str | None = None,
    binarisation: str | None = None,
    overwrite: bool = False,
) -> Bundle:
    """Writes a toy and reads it again.

    Args:
        folder: Its name is the bundle's.
        bias: Mean of its drawings.
        spread: Their standard deviation.
        threshold: Mean of a picture at which its scorer says 0.
        gain: Of its scorer; 0 / 0 for NaN.
        kind: Of its scorer; None for none.
        real_label: The target of data in its training.
        takes: What the scorer takes beside a picture: `label`, `latent` or `t`.
        labels: Its classes.
        size: Side of its pictures.
        draws: Whether it draws.
        dataset: What it says that it learned from.
        binarisation: How its pictures became black and white.
        overwrite: Whether it may replace another.
    """
    shape = (1, size, size)
    constants = {
        "spread": np.float32(spread),
        "bias": np.float32(bias),
        "threshold": np.float32(threshold),
        "slope": np.float32(gain),
        "twentieth": np.float32(0.05),
        "one_picture": np.array([1, *shape]),
    }
    graphs = {}
    if draws:
        step = [
            node("Mul", "latent spread", "moved"),
            node("Add", "moved bias", "plain"),
            node("Reshape", "plain to_image", "level"),
        ]
        if labels:
            step += [
                _LABEL,
                node("Mul", "label_float twentieth", "shade"),
                node("Reshape", "shade to_image", "more"),
                node("Add", "level more", "bright"),
            ]
        step += [
            node("Clip", f"{'bright' if labels else 'level'} zero one", "cut"),
            node("Expand", "cut one_picture", "canvas"),
        ]
        inputs = [spec("latent", (1,)), *([LABEL_INPUT] if labels else [])]
        graphs["step"] = graph(step, inputs, [spec("canvas", shape)], constants)
    if kind is not None:
        graphs["score"] = _scorer(takes, shape, constants)
    source = {"recipe": "toy", "dataset": dataset, "config": {"fit": "exact"}}
    manifest = Manifest(
        name=folder.name,
        version="1.0.0",
        family="toy",
        image=ImageSpec(
            channels=1,
            height=size,
            width=size,
            levels=2 if binarisation else None,
            binarisation=binarisation,
        ),
        graphs={
            name: graph_spec(f"{name}.onnx", data, inputs=inputs, outputs=outputs)
            for name, (data, inputs, outputs) in graphs.items()
        },
        drawing=Drawing(
            phases=(Phase(graph="step", shows=True),),
            steps=Steps(default=1, min=1, max=1, trained=1),
            noise=(NoiseSpec(name="latent", shape=(1,)),),
        )
        if draws
        else None,
        scorer=Scorer(kind=kind, real_label=real_label) if kind else None,
        labels=Labels(names=labels) if labels else None,
        provenance=Provenance(**source) if dataset else None,
    )
    write_bundle(folder, manifest, {name: data for name, (data, _, _) in graphs.items()}, overwrite=overwrite)
    return read_bundle(folder)


def _scorer(takes, shape, constants):
    judge = [
        node("ReduceMean", "image", "mean", axes=[1, 2, 3], keepdims=0),
        node("Sub", "mean threshold", "above"),
        node("Mul", "above slope", "said"),
    ]
    inputs, last = [spec("image", shape)], "said"
    for name in takes:
        if name == "latent":
            inputs.append(spec("latent", (1,)))
            judge.append(node("ReduceSum", "latent", f"{name}_float", keepdims=0))
        else:
            inputs.append(LABEL_INPUT if name == "label" else T_INPUT)
            judge.append(node("Cast", name, f"{name}_float", to=TensorProto.FLOAT))
        judge.append(node("Add", f"{last} {name}_float", f"with_{name}"))
        last = f"with_{name}"
    judge.append(node("Identity", last, "logit"))
    return graph(judge, inputs, [spec("logit", ())], constants)
