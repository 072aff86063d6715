"""Seconds per training epoch of the gated layers as built here, and as written straightforwardly.

    python -m benchmarks.training_epoch pixelvae-mnist

Straightforward is: every convolution has a whole k x k (or 1 x k) kernel, multiplied by a mask, in float32.
Here kernels have only the rows and columns that a mask would leave, and products are in bfloat16 where the
hardware computes in it. Both have the same outputs for the same weights (checked). Each is timed in both
precisions, on one core, by whole training iterations. Medians over interleaved rounds.
"""

import argparse
import copy
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

from pentimento.models.pixels.gated_stack import GatedLayer
from pentimento.training.families.likelihood.iteration import fit
from pentimento.training.families.likelihood.players import LikelihoodPlayers
from pentimento.training.families.likelihood.recipes import LIKELIHOOD_RECIPES
from pentimento.training.loop.device import choose_precision

ROUNDS = 7
ITERATIONS = 3
IMAGES = 60_000


class MaskedLayer(nn.Module):
    """A gated layer with the same weights in whole kernels, of which a mask leaves what may be seen."""

    def __init__(self, layer: GatedLayer) -> None:
        super().__init__()
        self.first, self.side = layer.first, layer.side
        self.rows, self.taps = layer.rows, layer.taps
        outputs, inputs, rows, kernel = layer.vertical.weight.shape
        self.vertical = nn.Conv2d(inputs, outputs, kernel, padding=layer.side)
        self.horizontal = nn.Conv2d(inputs, outputs, (1, kernel), padding=(0, layer.side), bias=False)
        self.link, self.output = copy.deepcopy(layer.link), copy.deepcopy(layer.output)
        for conv in (self.vertical, self.horizontal):
            nn.init.zeros_(conv.weight)
        with torch.no_grad():
            self.vertical.weight[:, :, :rows] = layer.vertical.weight
            self.vertical.bias.copy_(layer.vertical.bias)
            self.horizontal.weight[..., : layer.taps] = layer.horizontal.weight
        self.register_buffer("rows_mask", (torch.arange(kernel) < rows).float()[:, None])
        self.register_buffer("taps_mask", (torch.arange(kernel) < layer.taps).float())

    def above(self, v):
        """The vertical convolution, which sees the rows above."""
        weight = self.vertical.weight * self.rows_mask
        # One row down: above the image is the convolution of zeros.
        return F.conv2d(F.pad(v, (0, 0, 1, 0)), weight, self.vertical.bias, padding=self.side)

    def left(self, h):
        """The horizontal convolution, which sees the columns to the left."""
        return F.conv2d(h, self.horizontal.weight * self.taps_mask, padding=(0, self.side))


def straightforward(players):
    """A copy of model and optimiser whose gated layers have whole, masked kernels."""
    other = copy.deepcopy(players)
    for model in (other.model, other.average):
        pixels = model.pixels if hasattr(model, "pixels") else model
        pixels.stack.layers = nn.ModuleList(MaskedLayer(layer) for layer in pixels.stack.layers)
    other.average.requires_grad_(False)
    other.optimizer = torch.optim.Adam(other.model.parameters(), 1e-3)
    return other


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("recipe", nargs="?", default="pixelvae-mnist", choices=sorted(LIKELIHOOD_RECIPES))
    config = LIKELIHOOD_RECIPES[parser.parse_args().recipe]()
    torch.set_num_threads(1)
    device = torch.device("cpu")
    here = LikelihoodPlayers(config, device)
    plain = straightforward(here)
    image = (torch.rand(config.batch_rows, *config.image_shape) < 0.2).float()
    label = torch.zeros(len(image), dtype=torch.int64)
    eps = torch.zeros(len(image), getattr(here.model, "latent_dim", 0))
    with torch.no_grad():
        maps = [
            model.log_likelihood_map(image, *([eps] if eps.shape[1] else []))
            for model in (here.model, plain.model)
        ]
    print(f"{config.recipe}: outputs differ by {(maps[0] - maps[1]).abs().max():.1e} at most")
    ways = {
        (name, precision): players
        for name, players in (("masked", plain), ("here", here))
        for precision in ("float32", "bfloat16")
    }
    times = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for (name, precision), players in ways.items():
            started = time.perf_counter()
            for _ in range(ITERATIONS):
                fit(players, config, image, label, "dynamic", precision, 0.5)
            times[name, precision].append((time.perf_counter() - started) / ITERATIONS)
    epoch = IMAGES / config.batch_rows
    print(f"this machine's precision: {choose_precision(device)}")
    print("| kernels | precision | seconds an epoch | faster than masked float32 |\n|---|---|---|---|")
    for (name, precision), values in times.items():
        ratios = [a / b for a, b in zip(times["masked", "float32"], values, strict=True)]
        print(
            f"| {name} | {precision} | {statistics.median(values) * epoch:.0f} | "
            f"{statistics.median(ratios):.2f}x [{min(ratios):.2f}..{max(ratios):.2f}] |"
        )


if __name__ == "__main__":
    main()
