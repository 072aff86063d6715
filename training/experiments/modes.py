"""How many modes a generator covers whose discriminator sees groups of k samples (BiGRAN paper, section 3).

A plain GAN of dense layers on MNIST drops digits; with recurrent discrimination its discriminator sees that
samples of a group are alike. The paper reports that the number of modes after a fixed training is about k.

Networks are the authors': generator 100 -> 256 -> 256 -> pixels with tanh, tanh and a sigmoid, and a target
of 0.9 for data. Their discriminator has four updates for each of the generator's, and this one has one, which
takes about half of the time; the two were not compared by the measure below. Their discriminator's LSTM
of 256 runs both ways over the pixels of the samples; this one runs forwards over features of two dense
layers, see `models/adversarial/recurrent_discrimination.py`.

A drawing counts for the class of the training image that is nearest to it, pixel by pixel. Generators as
small as these draw specks around their digits, which no classifier has learned to look past: the one that
reports on bundles takes nearly all of them for eights. A batch has as many images for every k, so that
larger groups are fewer.
"""

__all__ = ["GROUP_SIZES", "ModesPlan", "ModesResult", "run_modes", "save_modes_picture", "save_modes_table"]

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pentimento.models.adversarial.recurrent_discrimination import RecurrentDiscrimination
from pentimento.training.data.datasets import Dataset
from pentimento.training.families.non_saturating import generator_loss, scorer_loss
from pentimento.training.judging.plots import new_figure, save_figure, save_sheet

GROUP_SIZES = (1, 2, 4, 8)
LATENTS, HIDDEN, RECURRENT, SCORER_UPDATES, REAL_LABEL = 100, 256, 128, 1, 0.9
COVERED_SHARE = 0.01  # of the drawings that a class must have to count as covered
_DRAWN_ROWS = 2000
_CHUNK_ROWS = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class ModesPlan:
    """Settings of one training."""

    group_size: int  # k
    iterations: int  # updates of the generator
    seed: int
    batch_rows: int = 64  # images in a batch, whatever k
    rate: float = 2e-4  # Adam with beta1 0.5, both players

    def __post_init__(self) -> None:
        """Raises ValueError unless batches are whole groups."""
        if self.group_size < 1 or self.batch_rows % self.group_size:
            raise ValueError(
                f"batch_rows must be a multiple of the group of {self.group_size}, got {self.batch_rows}"
            )


class ModesResult(NamedTuple):
    """What the drawings of one training are nearest to."""

    group_size: int
    seed: int
    iterations: int
    covered: int  # classes with at least a hundredth of the drawings
    effective: float  # exp of the entropy of the class shares, in nats: as many classes, were they equal
    distance: float  # mean distance to the nearest training image, L2 over pixels


def run_modes(
    plan: ModesPlan,
    dataset: Dataset,
    sheet: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> ModesResult:
    """Trains a generator against a discriminator of groups, and counts the classes that it draws.

    Args:
        plan: Settings.
        dataset: Images of one channel.
        sheet: A PNG of a hundred drawings.
        progress: Called with the number of each iteration.
    """
    images = torch.from_numpy(dataset.train.images).flatten(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        generator, scorer = _generator(images.shape[1]), _Scorer(images.shape[1])
        optimizers = [
            torch.optim.Adam(part.parameters(), plan.rate, (0.5, 0.999)) for part in (generator, scorer)
        ]
        for iteration in range(plan.iterations):
            for _ in range(SCORER_UPDATES):
                real = images[torch.randint(len(images), (plan.batch_rows,))].float() / 255
                with torch.no_grad():
                    drawn = generator(torch.randn(plan.batch_rows, LATENTS))
                loss = scorer_loss(scorer(real, plan.group_size), scorer(drawn, plan.group_size), REAL_LABEL)
                _update(optimizers[1], loss)
            scorer.requires_grad_(False)
            drawn = generator(torch.randn(plan.batch_rows, LATENTS))
            _update(optimizers[0], generator_loss(scorer(drawn, plan.group_size)))
            scorer.requires_grad_(True)
            progress(iteration + 1)
        with torch.no_grad():
            drawn = generator(torch.randn(_DRAWN_ROWS, LATENTS))
    drawn = drawn.unflatten(1, dataset.train.images.shape[1:])
    if sheet is not None:
        save_sheet(sheet, drawn[:100].numpy())
    distances, nearest = _nearest(drawn.flatten(1), images)
    shares = np.bincount(dataset.train.labels[nearest], minlength=len(dataset.class_names)) / len(nearest)
    entropy = -sum(share * math.log(share) for share in shares if share)
    return ModesResult(
        group_size=plan.group_size,
        seed=plan.seed,
        iterations=plan.iterations,
        covered=int((shares >= COVERED_SHARE).sum()),
        effective=round(math.exp(entropy), 3),
        distance=round(float(distances.mean()), 3),
    )


def _nearest(drawn: Tensor, images: Tensor) -> tuple[Tensor, NDArray[np.intp]]:
    """The distance of each drawing, (B, P), to the nearest image, (N, P) in 0..255, and which it is, (B,)."""
    best = torch.full((len(drawn),), math.inf)
    which = torch.zeros(len(drawn), dtype=torch.int64)
    for start in range(0, len(images), _CHUNK_ROWS):
        chunk = images[start : start + _CHUNK_ROWS].float() / 255
        found, index = torch.cdist(drawn, chunk).min(1)
        nearer = found < best
        best, which = torch.where(nearer, found, best), torch.where(nearer, index + start, which)
    return best, which.numpy()


def _generator(pixels: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(LATENTS, HIDDEN),
        nn.Tanh(),
        nn.Linear(HIDDEN, HIDDEN),
        nn.Tanh(),
        nn.Linear(HIDDEN, pixels),
        nn.Sigmoid(),
    )


class _Scorer(nn.Module):
    """Features of each image, then recurrent discrimination over each group."""

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Linear(pixels, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, HIDDEN), nn.Tanh()
        )
        self.head = RecurrentDiscrimination(HIDDEN, RECURRENT)

    def forward(self, pixels: Tensor, group_size: int) -> Tensor:
        """(B, P) -> logits of all prefixes of all groups, (B / k, k)."""
        logits: Tensor = self.head(self.features(pixels).unflatten(0, (-1, group_size)))
        return logits


def _update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _interval(values: list[float]) -> str:
    """Mean and extremes."""
    return f"{sum(values) / len(values):.2f} ({min(values):.4g} to {max(values):.4g})"


def save_modes_table(path: Path, results: list[ModesResult]) -> None:
    """Writes a Markdown table: a row a group size, means over the seeds with the extremes."""
    lines = [
        "| k | trainings | classes covered | effective classes | distance to the nearest digit |",
        "|---:|---:|---:|---:|---:|",
    ]
    for size in sorted({result.group_size for result in results}):
        found = [result for result in results if result.group_size == size]
        columns = (
            [float(r.covered) for r in found],
            [r.effective for r in found],
            [r.distance for r in found],
        )
        cells = " | ".join(_interval(values) for values in columns)
        lines.append(f"| {size} | {len(found)} | {cells} |")
    path.write_text("\n".join(lines) + "\n")


def save_modes_picture(path: Path, results: list[ModesResult]) -> None:
    """Plots both counts of every training over the size of the group, and their means, as a PNG."""
    figure, axes = new_figure(2)
    sizes = sorted({result.group_size for result in results})
    for plot, name in zip(axes, ("covered", "effective"), strict=True):
        plot.plot(
            [r.group_size for r in results], [getattr(r, name) for r in results], "o", label="a training"
        )
        means = [
            float(np.mean([getattr(r, name) for r in results if r.group_size == size])) for size in sizes
        ]
        plot.plot(sizes, means, "-", label="mean")
        plot.set_ylim(0, 10.5)
    titled = ((axes[0], "classes covered"), (axes[1], "effective classes"))
    save_figure(figure, titled, path, along="samples that the discriminator sees together")
