"""Evaluates a bundle: the parts of its report one after the other, each kept as soon as it is measured."""

__all__ = ["PARTS", "BundleFigures", "evaluate_bundle"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pentimento.training.judging.measures import MEASURES
from pentimento.training.reports.drawn import drawing_figures, test_image_figures
from pentimento.training.reports.examiner import Examiner
from pentimento.training.reports.likelihoods import (
    LATENT_NEIGHBOURS,
    LIKELIHOOD,
    encoding_figures,
    likelihood_figures,
)
from pentimento.training.reports.measured import measures_beside_images
from pentimento.training.reports.pictures import NEAREST_IMAGES, report_pictures
from pentimento.training.reports.steps import STEPS, step_figures

PARTS = (*MEASURES, LIKELIHOOD, LATENT_NEIGHBOURS, STEPS, NEAREST_IMAGES)
"""What may be left out, by name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleFigures:
    """What was measured of a bundle, as JSON can hold it.

    Attributes:
        judged: Figures as a manifest has them, of whatever the bundle can do.
        measures: Of `drawings` and of `test_images` by name, and what was `left_out`; None without drawings.
        test_images: What test images have in the place of drawings; empty unless a report was asked for.
        steps: Figures step by step; empty also where there is one step.
        pictures: By name; empty likewise.
    """

    judged: Mapping[str, Any]
    measures: Mapping[str, Any] | None
    test_images: Mapping[str, Any]
    steps: Mapping[str, Any]
    pictures: Mapping[str, Any]


def evaluate_bundle(examiner: Examiner, *, whole: bool) -> BundleFigures:
    """Measures what the plan does not leave out.

    Args:
        examiner: Of the bundle.
        whole: Whether for a report: also test images, steps and pictures.
    """
    judged = likelihood_figures(examiner) | encoding_figures(examiner)
    if examiner.bundle.manifest.drawing is None:
        return BundleFigures(judged=judged, measures=None, test_images={}, steps={}, pictures={})
    judged |= drawing_figures(examiner)
    measures = measures_beside_images(examiner)
    return BundleFigures(
        judged=judged,
        measures=measures,
        test_images=test_image_figures(examiner) if whole else {},
        steps=step_figures(examiner) if whole else {},
        pictures=report_pictures(examiner) if whole else {},
    )
