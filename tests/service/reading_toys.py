"""Toy bundles that read pictures: an encoder with a bound, and a black-and-white model that completes.

toy-code    grey 6x8: encode: latent = 4 (image - 1/2) + eps / 10; step shows clip(latent / 4 + 1/2), so a
            reconstruction is the image with a little noise. likelihood: sum of eps - mean of the image
toy-code-slow is toy-code with steps that take some milliseconds, up to 1000 of them
toy-costly  grey 28x28: likelihood: sum of 784 numbers of eps - mean of the image, and a map: little to
            compute, and 200 MB each of noise and maps for a thousand draws of 64 pictures
toy-black   black and white 6x8: call t draws row t, a pixel is 1 where u < 1/2, and keeps given pixels.
            likelihood, exact: minus the number of white pixels; each pixel's is minus its value
"""

__all__ = ["write_costly_toy", "write_reading_toys", "write_slow_toy"]

from pathlib import Path

import numpy as np

from pentimento.bundle.drawing import KNOWN, KNOWN_MASK
from pentimento.bundle.manifest import Drawing, ImageSpec, Likelihood, Manifest, NoiseSpec, Phase, Steps
from pentimento.bundle.store import graph_spec, write_bundle
from tests.service.toy_graphs import EXTRAS, GREY, T_INPUT, graph, node, show, spec


def write_reading_toys(folder: Path) -> None:
    """Writes `toy-code` and `toy-black` as subfolders."""
    _code(folder / "toy-code")
    _black(folder / "toy-black")


def write_slow_toy(folder: Path) -> None:
    """Writes `toy-code-slow` as a subfolder."""
    _code(folder / "toy-code-slow", slow=True)


def write_costly_toy(folder: Path) -> None:
    """Writes `toy-costly` as a subfolder."""
    shape = (1, 28, 28)
    likelihood = [
        node("Neg", "image", "pixel_log_likelihood"),
        node("ReduceSum", "eps axes", "total", keepdims=0),
        node("ReduceMean", "image", "grey", axes=[1, 2, 3], keepdims=0),
        node("Sub", "total grey", "log_likelihood"),
    ]
    outputs = [spec("log_likelihood", ()), spec("pixel_log_likelihood", shape)]
    inputs = [spec("image", shape), spec("eps", (784,))]
    graphs = {"likelihood": graph(likelihood, inputs, outputs, {"axes": np.array([1])})}
    _write(
        folder / "toy-costly",
        graphs,
        None,
        ImageSpec(channels=1, height=28, width=28),
        Likelihood(kind="bound"),
    )


def _code(folder, *, slow=False):
    encode = [
        node("Sub", "image half", "centred"),
        node("Mul", "centred four", "mean"),
        node("Mul", "eps tenth", "jitter"),
        node("Add", "mean jitter", "latent"),
    ]
    likelihood = [
        node("ReduceSum", "eps axes", "total", keepdims=0),
        node("ReduceMean", "image", "grey", axes=[1, 2, 3], keepdims=0),
        node("Sub", "total grey", "log_likelihood"),
    ]
    constants = {"four": np.float32(4), "tenth": np.float32(0.1), "axes": np.array([1])}
    image, eps = spec("image", GREY), spec("eps", GREY)
    graphs = {
        "init": graph(
            [node("Identity", "latent", "next.canvas")],
            [spec("latent", GREY)],
            [spec("next.canvas", GREY)],
        ),
        "step": graph(
            [*EXTRAS["slow"], *show("trouble")] if slow else show("state.canvas"),
            [T_INPUT, spec("state.canvas", GREY)] if slow else [spec("state.canvas", GREY)],
            [spec("canvas", GREY)],
        ),
        "encode": graph(encode, [image, eps], [spec("latent", GREY), spec("mean", GREY)], constants),
        "likelihood": graph(likelihood, [image, spec("eps", (2,))], [spec("log_likelihood", ())], constants),
    }
    drawing = Drawing(
        phases=(Phase(graph="init"), Phase(graph="step", calls="steps", shows=True)),
        steps=Steps(default=2, min=1, max=1000 if slow else 8, trained=2),
        noise=(NoiseSpec(name="latent", shape=GREY),),
    )
    _write(folder, graphs, drawing, ImageSpec(channels=1, height=6, width=8), Likelihood(kind="bound"))


def _black(folder):
    step = [
        node("Less", "u half", "white"),
        node("Cast", "white", "white_float", to=1),
        node("Reshape", "white_float row_shape", "row"),  # (B, 8) -> (B, 1, 1, 8)
        node("Greater", f"{KNOWN_MASK} half", "given"),
        node("Where", f"given {KNOWN} row", "candidate"),
        node("Reshape", "t t_shape", "t_row"),
        node("Equal", "row_index t_row", "here"),
        node("Where", "here candidate state.canvas", "next.canvas"),
        node("Identity", "next.canvas", "canvas"),
    ]
    constants = {
        "row_index": np.arange(6).reshape(1, 1, 6, 1),
        "t_shape": np.array([-1, 1, 1, 1]),
        "row_shape": np.array([-1, 1, 1, 8]),
        "axes": np.array([1, 2, 3]),
    }
    known, mask = spec(KNOWN, GREY), spec(KNOWN_MASK, (1, 6, 8))
    canvas = spec("state.canvas", GREY)
    likelihood = [
        node("Neg", "image", "pixel_log_likelihood"),
        node("ReduceSum", "pixel_log_likelihood axes", "log_likelihood", keepdims=0),
    ]
    graphs = {
        # before the first row the given pixels are there already
        "init": graph([node("Identity", KNOWN, "next.canvas")], [known], [spec("next.canvas", GREY)]),
        "step": graph(
            step,
            [T_INPUT, spec("u", (8,)), known, mask, canvas],
            [spec("canvas", GREY), spec("next.canvas", GREY)],
            constants,
        ),
        "likelihood": graph(
            likelihood,
            [spec("image", GREY)],
            [spec("log_likelihood", ()), spec("pixel_log_likelihood", GREY)],
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
