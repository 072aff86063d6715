"""Toy bundles about labels and scorers. Each is a one-shot generator of grey 6x8 pictures, see `one_shot`.

toy-critic    version 2.3.0; its critic says 1000 (mean of the image - 1/2)
toy-digits    draws 10 classes; its discriminator looks at the image alone
toy-aware     draws 10 classes; its discriminator takes the label: 8 (mean - 1/2) + label
toy-dizzy     its discriminator says 0 / 0 of every image
toy-group     its scorer judges groups of 4, so that it cannot be offered for single images
toy-moody     its scorer takes a mood, which nobody knows: likewise
"""

__all__ = ["CRITIC_GAIN", "DIGITS", "one_shot", "write_judging_toys"]

from pathlib import Path

import numpy as np
from onnx import TensorProto

from pentimento.bundle.manifest import Drawing, ImageSpec, Labels, Manifest, NoiseSpec, Phase, Scorer, Steps
from pentimento.bundle.store import graph_spec, write_bundle
from tests.service.toy_graphs import GREY, LABEL_INPUT, graph, node, spec

CRITIC_GAIN = 1000.0
DIGITS = tuple("zero one two three four five six seven eight nine".split())

_WEIGHT = np.linspace(-1, 1, 4 * 48, dtype=np.float32).reshape(4, 48)
_CONSTANTS = {
    "weight": _WEIGHT,
    "twentieth": np.float32(0.05),
    "thousand": np.float32(CRITIC_GAIN),
}
_MEAN = [
    node("ReduceMean", "image", "mean", axes=[1, 2, 3], keepdims=0),
    node("Sub", "mean half", "centred"),
]
_LABEL = node("Cast", "label", "label_float", to=TensorProto.FLOAT)


def one_shot(latent: np.ndarray, labels: np.ndarray | int = 0) -> np.ndarray:
    """What the toys of this file draw, in numpy: sigmoid(latent W) / 2 + label / 20.

    Args:
        latent: Noise `latent`, (n, 4).
        labels: One for all or for each, of the conditional ones.

    Returns:
        Canvases in [0, 1], (n, 1, 6, 8).
    """
    grey = 1 / (1 + np.exp(-latent.astype(np.float32) @ _WEIGHT)) / 2
    return (grey + np.reshape(labels, (-1, 1)) / 20).reshape(-1, *GREY).astype(np.float32)


def write_judging_toys(folder: Path) -> None:
    """Writes all of these bundles as subfolders."""
    image = spec("image", GREY)
    plain = [*_MEAN, node("Mul", "centred gain", "logit")]
    critic = [*_MEAN, node("Mul", "centred thousand", "logit")]
    aware = [*_MEAN, node("Mul", "centred gain", "bare"), _LABEL, node("Add", "bare label_float", "logit")]
    dizzy = [*_MEAN, node("Sub", "mean mean", "nothing"), node("Div", "nothing zero", "logit")]
    moody = [*_MEAN, node("ReduceSum", "mood", "sum", keepdims=0), node("Add", "mean sum", "logit")]
    _write(folder / "toy-critic", critic, [image], Scorer(kind="critic"), version="2.3.0")
    _write(folder / "toy-digits", plain, [image], Scorer(kind="discriminator"), labels=True)
    _write(folder / "toy-aware", aware, [image, LABEL_INPUT], Scorer(kind="discriminator"), labels=True)
    _write(folder / "toy-dizzy", dizzy, [image], Scorer(kind="discriminator"))
    _write(folder / "toy-group", plain, [image], Scorer(kind="discriminator", group_size=4))
    _write(folder / "toy-moody", moody, [image, spec("mood", (4,))], Scorer(kind="discriminator"))


def _write(folder, judge, judged, scorer, *, labels=False, version="1.0.0"):
    latent = spec("latent", (4,))
    step = [
        node("MatMul", "latent weight", "flat"),
        node("Sigmoid", "flat", "bright"),
        node("Mul", "bright half", "grey"),
        node("Reshape", "grey grey_shape", "picture" if labels else "canvas"),
    ]
    if labels:
        step += [
            _LABEL,
            node("Mul", "label_float twentieth", "shade"),
            node("Reshape", "shade to_image", "level"),
            node("Add", "picture level", "canvas"),
        ]
    graphs = {
        "step": graph(
            step, [latent, LABEL_INPUT] if labels else [latent], [spec("canvas", GREY)], _CONSTANTS
        ),
        "score": graph(judge, judged, [spec("logit", ())], _CONSTANTS),
    }
    manifest = Manifest(
        name=folder.name,
        version=version,
        family="toy",
        image=ImageSpec(channels=1, height=6, width=8),
        graphs={
            name: graph_spec(f"{name}.onnx", data, inputs=inputs, outputs=outputs)
            for name, (data, inputs, outputs) in graphs.items()
        },
        drawing=Drawing(
            phases=(Phase(graph="step", shows=True),),
            steps=Steps(default=1, min=1, max=1, trained=1),
            noise=(NoiseSpec(name="latent", shape=(4,)),),
        ),
        scorer=scorer,
        labels=Labels(names=DIGITS) if labels else None,
    )
    write_bundle(folder, manifest, {name: data for name, (data, _, _) in graphs.items()})
