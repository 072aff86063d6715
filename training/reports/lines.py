"""The figures of a report as lines of its tables: each with its n, and what test images have in its place."""

__all__ = ["Line", "figure_lines", "likelihood_lines", "measure_lines"]

from collections.abc import Mapping
from typing import Any, NamedTuple

from pentimento.training.judging.measures import MEASURES

_NOVELTY_ROWS = 1000  # see `judging.novelty`
_Z = 1.96  # half an interval of 95 %, in standard errors


class Line(NamedTuple):
    """A figure of drawings, and of test images in their place."""

    name: str  # as in the JSON
    title: str
    meaning: str
    good: str  # `low`, `high`, or nothing where it is to be as that of test images
    value: float
    rows: int
    test: float | None  # of test images; None where nothing stands beside
    test_rows: int
    low: float | None = None  # ends of the interval of 95 %; None: none, or nothing bounds it
    high: float | None = None
    test_low: float | None = None
    test_high: float | None = None


_SECOND = "reporting_classifier"
_WORDS: dict[str, tuple[str, str, str]] = {
    f"{_SECOND}.label_accuracy": (
        "as asked",
        "Share in which the classifier sees the class asked for; of test images, the one that they have.",
        "high",
    ),
    f"{_SECOND}.confidence": (
        "confidence",
        "Mean probability of the most likely class, by a classifier that chose nothing in the training.",
        "high",
    ),
    f"{_SECOND}.kl_to_data": (
        "KL of classes",
        "How far the shares of the classes are from those of the training images, in nats.",
        "low",
    ),
    "confidence": (
        "confidence, choosing classifier",
        "The same by the classifier that also chose the epoch: what is chosen by a figure looks better in it "
        "than it is.",
        "high",
    ),
    "kl_to_data": (
        "KL of classes, choosing classifier",
        "Likewise, by the classifier that also chose the epoch.",
        "low",
    ),
    "novelty.drawn_median": (
        "distance to training images",
        "Median distance to the nearest training image, over pixels: far below that of test images, drawings "
        "are copies.",
        "",
    ),
    "novelty.copied_share": (
        "nearer than test images",
        "Share that is nearer to a training image than 99 % of the test images are.",
        "low",
    ),
    "canvas_means": ("brightness", "Mean over all pixels of the finished drawings.", ""),
    "canvas_deviations": (
        "variety of a pixel",
        "Standard deviation of a pixel across drawings, mean over pixels: near 0, all are alike.",
        "",
    ),
}
"""Title, meaning, and what is good, by name."""


def figure_lines(document: Mapping[str, Any]) -> list[Line]:
    """What both classifiers and the pixels say of the drawings."""
    beside = _beside(document)
    return [
        Line(name, title, meaning, good, *beside[name])
        for name, (title, meaning, good) in _WORDS.items()
        if name in beside
    ]


def _beside(document: Mapping[str, Any]) -> dict[str, tuple[float, int, float, int]]:
    """A figure with its n, and that of test images with theirs, by name."""
    rows, test, size = document["rows"], document["test_images"], document["dataset"]["test_images"]
    said, test_said, novelty = document[_SECOND], test[_SECOND], document["novelty"]
    found = {}
    if "label_accuracy" in said:
        found[f"{_SECOND}.label_accuracy"] = said["label_accuracy"], rows, said["test_accuracy"], size
    for name in ("confidence", "kl_to_data"):
        found[f"{_SECOND}.{name}"] = said[name], rows, test_said[name], test_said["rows"]
        found[name] = document[name], rows, test[name], test["rows"]
    near, test_near = min(rows, _NOVELTY_ROWS), min(size, _NOVELTY_ROWS)
    found["novelty.drawn_median"] = novelty["drawn_median"], near, novelty["test_median"], test_near
    found["novelty.copied_share"] = novelty["copied_share"], near, 0.01, test_near  # by its definition
    for name in ("canvas_means", "canvas_deviations"):
        found[name] = document[name][-1], rows, test[name][-1], test["rows"]
    return found


def measure_lines(document: Mapping[str, Any]) -> list[Line]:
    """The measures of the table."""
    lines = []
    for name, drawn in document["measures"]["drawings"].items():
        measure, test = MEASURES[name], document["measures"]["test_images"][name]
        figures = drawn["value"], drawn["rows"], test["value"], test["rows"]
        intervals = drawn["low"], drawn["high"], test["low"], test["high"]
        good = "low" if measure.better < 0 else "high"
        lines.append(Line(name, measure.title, measure.meaning, good, *figures, *intervals))
    return lines


def likelihood_lines(document: Mapping[str, Any]) -> list[Line]:
    """What a bundle says of test images themselves, so nothing stands beside."""
    lines = []
    for name in ("likelihood", "likelihood_estimate"):
        if name in document:
            found = document[name]
            kind = ", estimated" if name != "likelihood" else "" if found["exact"] else ", a bound"
            half = _Z * found["standard_error"]
            interval = found["nats"], found["nats"] - half, found["nats"] + half
            meaning = "Minus its logarithm, mean of test images, in nats an image."
            lines.append(_alone(name, f"likelihood{kind}", meaning, found["rows"], interval))
    meaning = "Of random test images; it falls towards the likelihood as latents are added."
    for name in (name for name in document if name.startswith("importance_")):
        samples = document[name]["settings"]["importance_samples"]
        title = f"bound with {samples} latents" if samples > 1 else "bound with 1 latent"
        lines.append(_measured(name, title, meaning, document))
    name = "latent_neighbours"
    if name in document:
        meaning = "Share of test images whose class is not that of most of their neighbours' encodings."
        lines.append(_measured(name, "wrong class by neighbours in the latent", meaning, document))
    return lines


def _measured(name: str, title: str, meaning: str, document: Mapping[str, Any]) -> Line:
    found = document[name]
    return _alone(name, title, meaning, found["rows"], (found["value"], found["low"], found["high"]))


def _alone(name: str, title: str, meaning: str, rows: int, interval: tuple[float, float, float]) -> Line:
    value, low, high = interval
    return Line(name, title, meaning, "low", value, rows, None, 0, low, high)
