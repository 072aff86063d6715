"""How much faster a row-by-row bundle draws than a sampler that makes one full pass for each pixel.

python -m benchmarks.pixel_sampling [zoo/pixelcnn-mnist]

One thread, same weights, same noise, and the pixels are checked to be the same. The naive sampler is timed
twice: with the bundle's own `likelihood` graph, which is one full pass over the image, in ONNX Runtime; and
with the full pass of the torch model, which is what a sampler in a training script does (its weights are
random here: time does not depend on them). A naive drawing takes seconds, so each round times 28 of its 784
passes. Medians over interleaved rounds.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch

from bundle.noise import draw_noise
from bundle.store import read_bundle
from training.bundle_drawing import draw_bundle
from training.likelihood_config import LikelihoodConfig, build_model
from training.parity import Session

ROUNDS = 7
PASSES = 28
BATCHES = (1, 32)


def naive_drawing(session, noise):
    """The picture, pixel by pixel: an undrawn pixel is 0, so its log-likelihood is log(1 - p)."""
    image = np.zeros((1, 1, *noise.shape), np.float32)
    for i, j in np.ndindex(noise.shape):
        value = session.run({"image": image})["pixel_log_likelihood"][0, 0, i, j]
        image[0, 0, i, j] = noise[i, j] < 1 - np.exp(value)
    return image


def seconds(function, *arguments):
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started


def row_drawing(sessions, manifest, rows):
    """All rows of a batch; the noise is drawn before the clock starts, as the server does."""
    graphs, drawing = manifest.graphs, manifest.drawing
    noise = draw_noise(drawing, graphs, seed=1, rows=range(rows), steps=drawing.steps.max)["noise"]
    shape = (rows, *manifest.image.shape)
    state = {"known": np.zeros(shape, np.float32), "known_mask": np.zeros(shape, np.float32)}
    started = time.perf_counter()
    outputs = sessions["init"].run({"t": np.zeros(rows, np.int64)})
    times = []
    for t in range(noise.shape[1]):
        state |= {"state." + k[5:]: v for k, v in outputs.items() if k.startswith("next.")}
        outputs = sessions["step"].run({"t": np.full(rows, t), "noise": noise[:, t], **state})
        times.append(time.perf_counter() - started)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bundle", type=Path, nargs="?", default=Path("zoo/pixelcnn-mnist"))
    bundle = read_bundle(parser.parse_args().bundle)
    manifest = bundle.manifest
    torch.set_num_threads(1)
    config = LikelihoodConfig.from_json(manifest.provenance.config)
    model = build_model(config.model).eval()
    sessions = {name: Session(data) for name, data in bundle.graphs.items()}
    steps = manifest.drawing.steps.max
    noise = draw_noise(manifest.drawing, manifest.graphs, seed=1, rows=range(1), steps=steps)["noise"][0]
    (drawn,) = draw_bundle(bundle, rows=1, seed=1, step_count=steps)
    same = np.array_equal(naive_drawing(sessions["likelihood"], noise), drawn[:, -1].numpy())
    print(f"{manifest.name}: the naive sampler draws the same pixels: {same}")

    image = np.zeros((1, *manifest.image.shape), np.float32)
    rounds = {"onnx": [], "torch": [], **{rows: [] for rows in BATCHES}}
    first_rows = []
    with torch.inference_mode():
        for _ in range(ROUNDS):
            for key, function, argument in (
                ("onnx", sessions["likelihood"].run, {"image": image}),
                ("torch", model, torch.from_numpy(image)),
            ):
                each = statistics.median(seconds(function, argument) for _ in range(PASSES))
                rounds[key].append(each * noise.size)
            for rows in BATCHES:
                times = row_drawing(sessions, manifest, rows)
                rounds[rows].append(times[-1] / rows)
                if rows == 1:
                    first_rows.append(times[3] / times[-1])
    median = {key: statistics.median(values) for key, values in rounds.items()}
    print(f"naive, an image: {median['onnx']:.3f} s in ONNX Runtime, {median['torch']:.3f} s in torch")
    for rows in BATCHES:
        ratios = [
            statistics.median(a / b for a, b in zip(rounds[key], rounds[rows], strict=True))
            for key in ("onnx", "torch")
        ]
        print(
            f"row by row, batch {rows}: {1000 * median[rows]:.2f} ms an image, "
            f"{ratios[0]:.0f} times faster than naive ONNX Runtime, {ratios[1]:.0f} times than naive torch"
        )
    print(f"the first four rows are there after {statistics.median(first_rows):.0%} of a drawing")


if __name__ == "__main__":
    main()
