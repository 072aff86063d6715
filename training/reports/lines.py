"""The figures of a report as lines of its tables: each with its n, and what test images have in its place."""

__all__ = ["Line", "figure_lines", "likelihood_lines", "measure_lines"]

from collections.abc import Mapping
from typing import Any, NamedTuple

from pentimento.training.judging.measures import MEASURES


class Line(NamedTuple):
    """A figure of drawings, and of test images in their place."""

    name: str  # as in the JSON
    title: str
    meaning: str
    value: float
    rows: int
    test: float | None  # of test images; None where there can be none
    test_rows: int
    good: str = ""  # `low`, `high`, or nothing where it is to be as that of test images
    low: float | None = None  # ends of the interval of 95 %; None: none, or nothing bounds it
    high: float | None = None
    test_low: float | None = None
    test_high: float | None = None


def figure_lines(document: Mapping[str, Any]) -> list[Line]:
    """What both classifiers and the pixels say of the drawings."""
    rows, test = document["rows"], document["test_images"]
    test_rows, size = test["rows"], document["dataset"]["test_images"]
    said, test_said = document["reporting_classifier"], test["reporting_classifier"]
    novelty = document["novelty"]
    of_novelty = min(rows, 1000), min(size, 1000)
    lines = [
        Line(
            "reporting_classifier.confidence",
            "confidence",
            "Mean probability of the most likely class, by a classifier that chose nothing in the training.",
            said["confidence"],
            rows,
            test_said["confidence"],
            test_rows,
            "high",
        ),
        Line(
            "reporting_classifier.kl_to_data",
            "KL of classes",
            "How far the shares of the classes are from those of the training images, in nats.",
            said["kl_to_data"],
            rows,
            test_said["kl_to_data"],
            test_rows,
            "low",
        ),
        Line(
            "confidence",
            "confidence, choosing classifier",
            "The same by the classifier that also chose the epoch: what is chosen by a figure looks better "
            "in it than it is.",
            document["confidence"],
            rows,
            test["confidence"],
            test_rows,
            "high",
        ),
        Line(
            "kl_to_data",
            "KL of classes, choosing classifier",
            "Likewise, by the classifier that also chose the epoch.",
            document["kl_to_data"],
            rows,
            test["kl_to_data"],
            test_rows,
            "low",
        ),
        Line(
            "novelty.drawn_median",
            "distance to training images",
            "Median distance to the nearest training image, over pixels: far below that of test images, "
            "drawings are copies.",
            novelty["drawn_median"],
            of_novelty[0],
            novelty["test_median"],
            of_novelty[1],
        ),
        Line(
            "novelty.copied_share",
            "nearer than test images",
            "Share that is nearer to a training image than 99 % of the test images are.",
            novelty["copied_share"],
            of_novelty[0],
            0.01,
            of_novelty[1],
            "low",
        ),
        Line(
            "canvas_means",
            "brightness",
            "Mean over all pixels of the finished drawings.",
            document["canvas_means"][-1],
            rows,
            test["canvas_means"][-1],
            test_rows,
        ),
        Line(
            "canvas_deviations",
            "variety of a pixel",
            "Standard deviation of a pixel across drawings, mean over pixels: near 0, all are alike.",
            document["canvas_deviations"][-1],
            rows,
            test["canvas_deviations"][-1],
            test_rows,
        ),
    ]
    if "label_accuracy" in said:
        lines.insert(
            0,
            Line(
                "reporting_classifier.label_accuracy",
                "as asked",
                "Share in which the classifier sees the class that was asked for; of test images, the class "
                "that they have.",
                said["label_accuracy"],
                rows,
                said["test_accuracy"],
                size,
                "high",
            ),
        )
    return lines


def measure_lines(document: Mapping[str, Any]) -> list[Line]:
    """The measures of the table."""
    lines = []
    for name, drawn in document["measures"]["drawings"].items():
        measure, test = MEASURES[name], document["measures"]["test_images"][name]
        lines.append(
            Line(
                name,
                measure.title,
                measure.meaning,
                drawn["value"],
                drawn["rows"],
                test["value"],
                test["rows"],
                "low" if measure.better < 0 else "high",
                drawn["low"],
                drawn["high"],
                test["low"],
                test["high"],
            )
        )
    return lines


def likelihood_lines(document: Mapping[str, Any]) -> list[Line]:
    """What a bundle says of test images themselves, so nothing stands beside."""
    lines = []
    for name, title in (("likelihood", "likelihood"), ("likelihood_estimate", "likelihood, estimated")):
        found = document.get(name)
        if found is not None:
            said = "" if found.get("exact", True) else ", at most: a bound"
            half = 1.96 * found["standard_error"]
            lines.append(
                Line(
                    name,
                    f"{title}{said}",
                    "Minus its logarithm, mean of test images, in nats an image.",
                    found["nats"],
                    found["rows"],
                    None,
                    0,
                    "low",
                    found["nats"] - half,
                    found["nats"] + half,
                )
            )
    for name, found in document.items():
        if name.startswith("importance_"):
            samples = found["settings"]["importance_samples"]
            lines.append(
                Line(
                    name,
                    f"bound with {samples} latents" if samples > 1 else "bound with 1 latent",
                    "Of random test images; it falls towards the likelihood as latents are added.",
                    found["value"],
                    found["rows"],
                    None,
                    0,
                    "low",
                    found["low"],
                    found["high"],
                )
            )
    found = document.get("latent_neighbours")
    if found is not None:
        lines.append(
            Line(
                "latent_neighbours",
                "wrong class by neighbours in the latent",
                "Share of test images whose class is not that of most of their neighbours' encodings.",
                found["value"],
                found["rows"],
                None,
                0,
                "low",
                found["low"],
                found["high"],
            )
        )
    return lines
