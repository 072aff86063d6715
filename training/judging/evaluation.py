"""How good drawings are, by a classifier of the data: class shares, divergence, confidence, change per step.

Drawings come from the same seeded noise that the server uses, so the figures of a bundle can be had again.
"""

__all__ = [
    "Evaluation",
    "draw_chunks",
    "evaluate",
    "figures",
    "freeze_statistics",
    "prior_latents",
    "summarise",
]

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pentimento.bundle.noise import draw
from pentimento.models.recurrent.base import SequentialGenerator
from pentimento.models.shared.blocks import collect_statistics
from pentimento.training.data.datasets import Dataset
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.novelty import measure_novelty

_CHUNK_ROWS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """Figures of a set of drawings."""

    rows: int
    step_count: int
    class_shares: list[float]  # by the classifier's most likely class
    data_shares: list[float]
    kl_to_data: float  # KL(class_shares || data_shares), nats
    confidence: float  # mean probability of the most likely class
    canvas_means: list[float]  # mean brightness after each step
    canvas_deviations: list[float]  # mean over pixels of the deviation across drawings, after each step
    step_changes: list[float]  # mean absolute change of a pixel at each step; the first from mid-grey
    label_accuracy: float | None = None  # drawings in which the classifier sees the class they were asked for

    @property
    def cost(self) -> float:
        """One figure for choosing between checkpoints: the lower the better."""
        disobeyed = 0.0 if self.label_accuracy is None else 1 - self.label_accuracy
        return self.kl_to_data + (1 - self.confidence) + disobeyed


def prior_latents(
    generator: SequentialGenerator, rows: range, seed: int, step_count: int | None = None
) -> Tensor:
    """Latents as the server would draw them for these rows of a request with this seed.

    Returns:
        Standard normal, shape (B, Z), or (B, T, Z) if the model takes fresh noise at each step.
    """
    shape = generator.latent_shape(1, step_count)[1:]
    name = "latent" if generator.noise_mode == "same" else "noise"
    return torch.from_numpy(draw(seed, name, shape, rows=rows))


def freeze_statistics(generator: SequentialGenerator, rows: int, seed: int) -> None:
    """Collects the per-step statistics over `rows` latents and leaves the generator in inference mode."""
    device = next(generator.parameters()).device
    chunks = [
        prior_latents(generator, range(start, min(start + _CHUNK_ROWS, rows)), seed).to(device)
        for start in range(0, rows, _CHUNK_ROWS)
    ]
    collect_statistics(generator, [lambda latent=latent: generator.draw_last(latent) for latent in chunks])


def evaluate(
    generator: SequentialGenerator,
    classifier: Classifier,
    dataset: Dataset,
    *,
    rows: int,
    seed: int,
    step_count: int | None = None,
) -> Evaluation:
    """Draws `rows` images with frozen statistics and judges them.

    Args:
        generator: In inference mode.
        classifier: Classifier of the same data set.
        dataset: Its class shares are what the drawings' are compared with.
        rows: Number of drawings.
        seed: Seed of the noise.
        step_count: Steps to draw, by default as trained.
    """
    return summarise(draw_chunks(generator, rows, seed, step_count), classifier, dataset)


@torch.no_grad()
def draw_chunks(
    generator: SequentialGenerator, rows: int, seed: int, step_count: int | None = None
) -> Iterator[Tensor]:
    """Draws `rows` images; yields chunks of canvases on the CPU, each of shape (B, T, C, H, W)."""
    device = next(generator.parameters()).device
    for start in range(0, rows, _CHUNK_ROWS):
        chunk = range(start, min(start + _CHUNK_ROWS, rows))
        latent = prior_latents(generator, chunk, seed, step_count).to(device)
        yield generator.draw(latent, step_count).cpu()


@torch.no_grad()
def summarise(
    drawings: Iterator[Tensor], classifier: Classifier, dataset: Dataset, class_count: int = 0
) -> Evaluation:
    """Figures of drawings.

    Args:
        drawings: Chunks of canvases, each of shape (B, T, C, H, W).
        classifier: Classifier of the same data set.
        dataset: Its class shares are what the drawings' are compared with.
        class_count: K, if drawing i was asked for class i mod K; else 0.
    """
    probabilities, canvas_sums, square_sums, changes = [], [], [], []
    rows = 0
    for canvases in drawings:
        rows += len(canvases)
        probabilities.append(classifier.probabilities(canvases[:, -1]))
        before = torch.cat([torch.full_like(canvases[:, :1], 0.5), canvases[:, :-1]], dim=1)
        changes.append((canvases - before).abs().mean(dim=(2, 3, 4)).sum(0))
        canvas_sums.append(canvases.double().sum(0))  # (T, C, H, W)
        square_sums.append(canvases.double().square().sum(0))
    mean = torch.stack(canvas_sums).sum(0) / rows
    variance = (torch.stack(square_sums).sum(0) / rows - mean.square()).clamp(min=0)
    judged = torch.cat(probabilities)
    classes = len(dataset.class_names)
    seen = judged.argmax(1).numpy()
    shares = np.bincount(seen, minlength=classes) / rows
    return Evaluation(
        rows=rows,
        step_count=mean.shape[0],
        class_shares=_rounded(shares),
        data_shares=_rounded(dataset.class_shares),
        kl_to_data=round(_kl(shares, dataset.class_shares), 5),
        confidence=round(float(judged.max(1).values.mean()), 5),
        canvas_means=_rounded(mean.mean(dim=(1, 2, 3)).numpy()),
        canvas_deviations=_rounded(variance.sqrt().mean(dim=(1, 2, 3)).numpy()),
        step_changes=_rounded((torch.stack(changes).sum(0) / rows).numpy()),
        label_accuracy=_label_accuracy(seen, class_count),
    )


def figures(
    drawings: Iterator[Tensor], classifier: Classifier, dataset: Dataset, seed: int, class_count: int = 0
) -> dict[str, Any]:
    """Everything that a manifest says about drawings from `seed`; other arguments as for `summarise`."""
    finished: list[Tensor] = []

    def kept() -> Iterator[Tensor]:
        for canvases in drawings:
            finished.append(canvases[:, -1])
            yield canvases

    judged = asdict(summarise(kept(), classifier, dataset, class_count))
    if not class_count:
        del judged["label_accuracy"]
    for name in ("class_shares", "data_shares"):
        judged[name] = dict(zip(dataset.class_names, judged[name], strict=True))
    return judged | {
        "seed": seed,
        "novelty": asdict(measure_novelty(torch.cat(finished), dataset)),
        "classifier": {
            "test_accuracy": round(classifier.test_accuracy, 5),
            "test_confidence": round(classifier.test_confidence, 5),
        },
    }


def _label_accuracy(seen: NDArray[np.int64], class_count: int) -> float | None:
    if not class_count:
        return None
    return round(float((seen == np.arange(len(seen)) % class_count).mean()), 5)


def _kl(shares: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    present = shares > 0  # 0 log 0 = 0; a class that the data lacks but drawings show counts as one in 1e6
    reference = np.maximum(reference, 1e-6)
    return float(np.sum(shares[present] * np.log(shares[present] / reference[present])))


def _rounded(values: NDArray[np.floating]) -> list[float]:
    return [round(float(value), 5) for value in values]
