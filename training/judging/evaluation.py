"""Figures of drawings by a classifier of the data: class shares, divergence, confidence, change per step.

Drawings come from the same seeded noise that the server uses, so the figures of a bundle can be had again.
"""

__all__ = [
    "Evaluation",
    "class_divergence",
    "figures",
    "report",
    "summarise",
]

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pentimento.training.data.datasets import Dataset
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.novelty import measure_novelty


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """Figures of a set of drawings. Shares, probabilities and brightness lie in 0..1."""

    rows: int
    step_count: int
    class_shares: list[float]  # share of drawings in each class, by the classifier's most likely one
    data_shares: list[float]  # share of training images in each class
    kl_to_data: float  # KL(class_shares || data_shares), nats
    confidence: float  # mean probability of the most likely class
    canvas_means: list[float]  # mean brightness after each step
    canvas_deviations: list[float]  # mean over pixels of the deviation across drawings, after each step
    step_changes: list[float]  # mean absolute change of a pixel at each step; the first from mid-grey
    label_accuracy: float | None = None  # share of drawings in which the classifier sees the class asked for

    @property
    def cost(self) -> float:
        """One figure for choosing between checkpoints, lower is better.

        It is `kl_to_data` + (1 - `confidence`), and for a conditional model + (1 - `label_accuracy`).
        """
        disobeyed = 0.0 if self.label_accuracy is None else 1 - self.label_accuracy
        return self.kl_to_data + (1 - self.confidence) + disobeyed


@torch.no_grad()
def summarise(
    drawings: Iterator[Tensor], classifier: Classifier, dataset: Dataset, class_count: int = 0
) -> Evaluation:
    """Measures drawings: class shares and confidence of the last canvas, brightness and change of each.

    Args:
        drawings: Chunks of canvases in [0, 1], each of shape (B, T, C, H, W).
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
        kl_to_data=round(class_divergence(shares, dataset.class_shares), 5),
        confidence=round(float(judged.max(1).values.mean()), 5),
        canvas_means=_rounded(mean.mean(dim=(1, 2, 3)).numpy()),
        canvas_deviations=_rounded(variance.sqrt().mean(dim=(1, 2, 3)).numpy()),
        step_changes=_rounded((torch.stack(changes).sum(0) / rows).numpy()),
        label_accuracy=_label_accuracy(seen, class_count),
    )


def figures(
    drawings: Iterator[Tensor], classifier: Classifier, dataset: Dataset, seed: int, class_count: int = 0
) -> dict[str, Any]:
    """All figures of drawings as a manifest holds them: `summarise`, novelty, and the classifier's own.

    Args:
        drawings: As for `summarise`.
        classifier: As for `summarise`.
        dataset: As for `summarise`; drawings are also compared with its training images.
        seed: That the drawings were made with; it is only noted.
        class_count: As for `summarise`.
    """
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


def report(
    finished: Iterator[Tensor], reporter: Classifier, dataset: Dataset, class_count: int = 0
) -> dict[str, Any]:
    """What a classifier that chose nothing says of finished drawings, for a manifest.

    Args:
        finished: Chunks of last canvases, each of shape (B, C, H, W).
        reporter: A `ReportingClassifier` of the same data set.
        dataset: As for `summarise`.
        class_count: As for `summarise`.

    Returns:
        Number of drawings, class shares by name, divergence from the data's, confidence, obedience if classes
        were asked for, and the classifier's own accuracy and confidence on test images.
    """
    judged = summarise((images[:, None] for images in finished), reporter, dataset, class_count)
    said = {
        "rows": judged.rows,
        "class_shares": dict(zip(dataset.class_names, judged.class_shares, strict=True)),
        "kl_to_data": judged.kl_to_data,
        "confidence": judged.confidence,
        "test_accuracy": round(reporter.test_accuracy, 5),
        "test_confidence": round(reporter.test_confidence, 5),
    }
    return said | ({"label_accuracy": judged.label_accuracy} if class_count else {})


def _label_accuracy(seen: NDArray[np.int64], class_count: int) -> float | None:
    if not class_count:
        return None
    return round(float((seen == np.arange(len(seen)) % class_count).mean()), 5)


def class_divergence(shares: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """KL(shares || reference) of two distributions over classes, each of shape (K,), in nats.

    A class that the reference lacks counts as one in a million.
    """
    present = shares > 0  # 0 log 0 = 0
    reference = np.maximum(reference, 1e-6)
    return float(np.sum(shares[present] * np.log(shares[present] / reference[present])))


def _rounded(values: NDArray[np.floating]) -> list[float]:
    return [round(float(value), 5) for value in values]
