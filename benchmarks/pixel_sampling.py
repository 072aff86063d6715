"""How much faster a row-by-row bundle draws than a sampler that makes one full pass for each pixel.

    python -m benchmarks.pixel_sampling zoo/pixelvae-mnist

One thread, same weights, same noise, and the pixels are checked to be the same. The naive sampler makes one
full pass over the image for each pixel; it is timed with the pass in torch, as training scripts sample, and
with the pass in ONNX Runtime, alone and with 32 images at once. A naive drawing takes seconds, so each round
times a few of its 784 passes, and three drawings row by row. Jacobi iteration redraws all pixels at once
until none changes, also with full passes. Medians over interleaved rounds; in brackets the smallest and the
largest of the rounds' ratios.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.bundled_model import FullPass, full_pass, load_model
from pentimento.bundle.noise import draw_noise
from pentimento.bundle.store import read_bundle
from pentimento.training.export.draw import draw_bundle
from pentimento.training.export.parity import Session

ROUNDS = 7
PASSES = {1: 14, 32: 2}  # timed in a round, by batch
DRAWINGS = 3  # timed in a round
BATCHES = (1, 32)


def probabilities(run_pass, image, latent):
    """The probability of 1 for every pixel, in one full pass, shape (B, 1, H, W)."""
    logits = run_pass({"image": image} | latent)["logits"]
    return 1 / (1 + np.exp(-logits))


def naive_drawing(run_pass, noise, latent):
    """Draws pixel by pixel, with a full pass for each: noise (B, H, W) to a picture (B, 1, H, W)."""
    image = np.zeros((len(noise), 1, *noise.shape[1:]), np.float32)
    for i, j in np.ndindex(noise.shape[1:]):
        image[:, 0, i, j] = noise[:, i, j] < probabilities(run_pass, image, latent)[:, 0, i, j]
    return image


def jacobi_drawing(run_pass, noise, latent):
    """Redraws all pixels at once until none changes; returns the picture, the passes made, the seconds."""
    started = time.perf_counter()
    image = np.zeros((len(noise), 1, *noise.shape[1:]), np.float32)
    for passes in range(1, noise[0].size + 2):
        drawn = (noise[:, None] < probabilities(run_pass, image, latent)).astype(np.float32)
        if np.array_equal(drawn, image):
            return image, passes, time.perf_counter() - started
        image = drawn
    raise RuntimeError("redrawing did not settle")


def row_drawing(sessions, manifest, noise):
    """Draws row by row with the bundle's graphs; returns the seconds until each row is there.

    The noise is drawn before the clock starts.
    """
    rows = len(noise["noise"])
    shape = (rows, *manifest.image.shape)
    state = {"known": np.zeros(shape, np.float32), "known_mask": np.zeros(shape, np.float32)}
    started = time.perf_counter()
    outputs = sessions["init"].run({"t": np.zeros(rows, np.int64), **noise})
    times = []
    for t in range(noise["noise"].shape[1]):
        state |= {"state." + k[5:]: v for k, v in outputs.items() if k.startswith("next.")}
        outputs = sessions["step"].run({"t": np.full(rows, t), "noise": noise["noise"][:, t], **state})
        times.append(time.perf_counter() - started)
    return times


def median_seconds(function, *arguments, calls):
    """Median seconds of some calls of a function."""
    times = []
    for _ in range(calls):
        started = time.perf_counter()
        function(*arguments)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def ratio(dividends, divisors):
    """Median and range of the rounds' ratios, as text."""
    ratios = [a / b for a, b in zip(dividends, divisors, strict=True)]
    return f"{statistics.median(ratios):.0f}x [{min(ratios):.0f}..{max(ratios):.0f}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bundle", type=Path, nargs="?", default=Path("zoo/pixelvae-mnist"))
    bundle = read_bundle(parser.parse_args().bundle)
    manifest = bundle.manifest
    torch.set_num_threads(1)
    network = FullPass(load_model(bundle))
    run_pass = full_pass(network).run
    sessions = {name: Session(data, bundle.weights) for name, data in bundle.graphs.items()}
    steps = manifest.drawing.steps.max
    noise = {
        rows: draw_noise(manifest.drawing, manifest.graphs, seed=1, rows=range(rows), steps=steps)
        for rows in BATCHES
    }
    pixels = noise[1]["noise"][0].size
    latent = {rows: {k: v for k, v in drawn.items() if k == "latent"} for rows, drawn in noise.items()}

    (drawn,) = draw_bundle(bundle, rows=32, seed=1, step_count=steps)
    final = drawn[:, -1].numpy()
    naive = naive_drawing(run_pass, noise[1]["noise"], latent[1])
    jacobi, passes, _ = jacobi_drawing(run_pass, noise[32]["noise"], latent[32])
    print(f"{manifest.name}: {(naive != final[:1]).sum()} of {pixels} pixels differ from the naive sampler's")
    print(f"and {(jacobi != final).sum()} of {final.size} from Jacobi iteration's, after {passes} passes")

    times = {(kind, rows): [] for kind in ("torch", "onnx", "rows") for rows in BATCHES}
    jacobi_times, first_rows = [], []
    with torch.inference_mode():
        for _ in range(ROUNDS):
            for rows in BATCHES:
                image = np.zeros((rows, *manifest.image.shape), np.float32)
                tensors = [torch.from_numpy(value) for value in (image, *latent[rows].values())]
                calls = PASSES[rows]
                seconds = median_seconds(network, *tensors, calls=calls)
                times["torch", rows].append(seconds * pixels / rows)
                seconds = median_seconds(run_pass, {"image": image} | latent[rows], calls=calls)
                times["onnx", rows].append(seconds * pixels / rows)
                drawings = [row_drawing(sessions, manifest, noise[rows]) for _ in range(DRAWINGS)]
                times["rows", rows].append(statistics.median(done[-1] for done in drawings) / rows)
                if rows == 1:
                    first_rows.append(statistics.median(done[3] / done[-1] for done in drawings))
            jacobi_times.append(jacobi_drawing(run_pass, noise[1]["noise"], latent[1])[2])
    median = {key: statistics.median(values) for key, values in times.items()}
    print("\n| sampler | batch | ms an image | row by row at batch 1 is faster | at batch 32 |")
    print("|---|---|---|---|---|")
    for kind, name in (("torch", "naive, torch"), ("onnx", "naive, ONNX Runtime")):
        for rows in BATCHES:
            cells = [ratio(times[kind, rows], times["rows", other]) for other in BATCHES]
            print(f"| {name} | {rows} | {1000 * median[kind, rows]:,.0f} | {cells[0]} | {cells[1]} |")
    cells = [ratio(jacobi_times, times["rows", other]) for other in BATCHES]
    jacobi_ms = 1000 * statistics.median(jacobi_times)
    print(f"| Jacobi, ONNX Runtime | 1 | {jacobi_ms:,.0f} | {cells[0]} | {cells[1]} |")
    for rows in BATCHES:
        print(f"| row by row | {rows} | {1000 * median['rows', rows]:.2f} | | |")
    print(f"\nthe first four rows are there after {statistics.median(first_rows):.0%} of a drawing")


if __name__ == "__main__":
    main()
