"""Toy bundles that read pictures: an encoder with a bound, and a black-and-white model that completes.

toy-code    grey 6x8: encode: latent = 4 (image - 1/2) + eps / 10; step shows clip(latent / 4 + 1/2), so a
            reconstruction is the image with a little noise. likelihood: sum of eps - mean of the image
toy-black   black and white 6x8: call t draws row t, a pixel is 1 where u < 1/2, and keeps given pixels.
            likelihood, exact: minus the number of white pixels; each pixel's is minus its value
"""

__all__ = ["write_reading_toys"]

from pathlib import Path

import numpy as np

from bundle.drawing import KNOWN, KNOWN_MASK
from bundle.manifest import Drawing, ImageSpec, Likelihood, Manifest, NoiseSpec, Phase, Steps
from bundle.store import graph_spec, write_bundle
from tests.service.toys import _T, GREY, _graph, _node, _show, _spec


def write_reading_toys(folder: Path) -> None:
    """Writes both as subfolders."""
    _code(folder / "toy-code")
    _black(folder / "toy-black")


def _code(folder):
    encode = [
        _node("Sub", "image half", "centred"),
        _node("Mul", "centred four", "mean"),
        _node("Mul", "eps tenth", "jitter"),
        _node("Add", "mean jitter", "latent"),
    ]
    likelihood = [
        _node("ReduceSum", "eps axes", "total", keepdims=0),
        _node("ReduceMean", "image", "grey", axes=[1, 2, 3], keepdims=0),
        _node("Sub", "total grey", "log_likelihood"),
    ]
    constants = {"four": np.float32(4), "tenth": np.float32(0.1), "axes": np.array([1])}
    image, eps = _spec("image", GREY), _spec("eps", GREY)
    graphs = {
        "init": _graph(
            [_node("Identity", "latent", "next.canvas")],
            [_spec("latent", GREY)],
            [_spec("next.canvas", GREY)],
        ),
        "step": _graph(_show("state.canvas"), [_spec("state.canvas", GREY)], [_spec("canvas", GREY)]),
        "encode": _graph(encode, [image, eps], [_spec("latent", GREY), _spec("mean", GREY)], constants),
        "likelihood": _graph(
            likelihood, [image, _spec("eps", (2,))], [_spec("log_likelihood", ())], constants
        ),
    }
    drawing = Drawing(
        phases=(Phase(graph="init"), Phase(graph="step", calls="steps", shows=True)),
        steps=Steps(default=2, min=1, max=8, trained=2),
        noise=(NoiseSpec(name="latent", shape=GREY),),
    )
    _write(folder, graphs, drawing, ImageSpec(channels=1, height=6, width=8), Likelihood(kind="bound"))


def _black(folder):
    step = [
        _node("Less", "u half", "white"),
        _node("Cast", "white", "white_float", to=1),
        _node("Reshape", "white_float row_shape", "row"),  # (B, 8) -> (B, 1, 1, 8)
        _node("Greater", f"{KNOWN_MASK} half", "given"),
        _node("Where", f"given {KNOWN} row", "candidate"),
        _node("Reshape", "t t_shape", "t_row"),
        _node("Equal", "row_index t_row", "here"),
        _node("Where", "here candidate state.canvas", "next.canvas"),
        _node("Identity", "next.canvas", "canvas"),
    ]
    constants = {
        "row_index": np.arange(6).reshape(1, 1, 6, 1),
        "t_shape": np.array([-1, 1, 1, 1]),
        "row_shape": np.array([-1, 1, 1, 8]),
        "axes": np.array([1, 2, 3]),
    }
    known, mask = _spec(KNOWN, GREY), _spec(KNOWN_MASK, (1, 6, 8))
    canvas = _spec("state.canvas", GREY)
    likelihood = [
        _node("Neg", "image", "pixel_log_likelihood"),
        _node("ReduceSum", "pixel_log_likelihood axes", "log_likelihood", keepdims=0),
    ]
    graphs = {
        # before the first row the given pixels are there already
        "init": _graph([_node("Identity", KNOWN, "next.canvas")], [known], [_spec("next.canvas", GREY)]),
        "step": _graph(
            step,
            [_T, _spec("u", (8,)), known, mask, canvas],
            [_spec("canvas", GREY), _spec("next.canvas", GREY)],
            constants,
        ),
        "likelihood": _graph(
            likelihood,
            [_spec("image", GREY)],
            [_spec("log_likelihood", ()), _spec("pixel_log_likelihood", GREY)],
            constants,
        ),
    }
    drawing = Drawing(
        phases=(Phase(graph="init"), Phase(graph="step", calls=6, shows=True)),
        steps=Steps(default=3, min=1, max=6, trained=6),
        noise=(NoiseSpec(name="u", shape=(8,), prior="uniform", per="call"),),
        completion="raster",
    )
    image = ImageSpec(channels=1, height=6, width=8, levels=2, binarisation="sample")
    _write(folder, graphs, drawing, image, Likelihood(kind="exact"))


def _write(folder, graphs, drawing, image, likelihood):
    manifest = Manifest(
        name=folder.name,
        version="1.0.0",
        family="toy",
        image=image,
        graphs={
            name: graph_spec(f"{name}.onnx", data, inputs=inputs, outputs=outputs)
            for name, (data, inputs, outputs) in graphs.items()
        },
        drawing=drawing,
        likelihood=likelihood,
    )
    write_bundle(folder, manifest, {name: data for name, (data, _, _) in graphs.items()})
