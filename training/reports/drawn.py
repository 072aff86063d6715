"""Figures of drawings by both classifiers, and what test images have in their place."""

__all__ = ["CONFIDENCE_BINS", "drawing_figures", "test_image_figures"]

from dataclasses import asdict
from typing import Any

import numpy as np
from torch import Tensor

from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import figures, report, summarise
from pentimento.training.judging.features import hash_of_features
from pentimento.training.reports.examiner import Examiner

CONFIDENCE_BINS = 20


def drawing_figures(examiner: Examiner) -> dict[str, Any]:
    """A manifest's figures: by the classifier that chooses epochs, and by the one that does not."""
    labels = examiner.bundle.manifest.labels
    names = labels.names if labels else ()
    dataset = examiner.dataset
    # Another data set's classes are not those that were asked for.
    asked = len(names) if names == dataset.class_names else 0
    seed = examiner.plan.seed
    judged = examiner.part(
        "drawings",
        "Judging drawings",
        lambda: figures(examiner.drawings.chunks(), examiner.classifier, dataset, seed, asked),
        classifier=hash_of_features(examiner.classifier, dataset),
    )
    said = examiner.part(
        "report",
        "Judging drawings by the second classifier",
        lambda: report(iter([examiner.drawings.finished]), examiner.reporter, dataset, asked),
        classifier=examiner.space,
    )
    return judged | {"reporting_classifier": said}


def test_image_figures(examiner: Examiner) -> dict[str, Any]:
    """What test images, shuffled, as many as there are drawings or as there are, have in their place.

    Returns:
        By each classifier: rows, class shares by name, divergence from the training's and confidence;
        brightness and deviation; and `confidence_shares`, of drawings and of test images, in equal parts of
        the second classifier's confidence from 0 to 1.
    """
    return examiner.part(
        "test images",
        "Judging test images",
        lambda: _measure(examiner),
        classifiers=[hash_of_features(examiner.classifier, examiner.dataset), examiner.space],
    )


def _measure(examiner: Examiner) -> dict[str, Any]:
    dataset = examiner.dataset
    images = examiner.test_images(0, examiner.plan.rows)
    judged = asdict(summarise(iter([images[:, None]]), examiner.classifier, dataset))
    wanted = ("rows", "class_shares", "kl_to_data", "confidence", "canvas_means", "canvas_deviations")
    found = {name: judged[name] for name in wanted}
    found["class_shares"] = dict(zip(dataset.class_names, judged["class_shares"], strict=True))
    kinds = {"drawings": examiner.drawings.finished, "test_images": images}
    return found | {
        "reporting_classifier": report(iter([images]), examiner.reporter, dataset),
        "confidence_shares": {
            kind: _confidence_shares(each, examiner.reporter) for kind, each in kinds.items()
        },
    }


def _confidence_shares(images: Tensor, reporter: Classifier) -> list[float]:
    sure = reporter.probabilities(images).max(1).values.numpy()
    counts, _ = np.histogram(sure, bins=CONFIDENCE_BINS, range=(0, 1))
    return [round(float(count) / len(sure), 5) for count in counts]
