"""What the parts of an evaluation are measured with, each made when a part first asks for it."""

__all__ = ["EvaluationPlan", "Examiner", "make_examiner"]

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pentimento.bundle.store import Bundle
from pentimento.training.data.datasets import Dataset, DatasetError, cache_folder
from pentimento.training.judging.classifier import Classifier, ReportingClassifier, load_classifier
from pentimento.training.judging.features import Described, describe, hash_of_features
from pentimento.training.reports.cache import FigureCache, Figures, what_decides
from pentimento.training.reports.drawings import Drawings


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationPlan:
    """What is measured, and of how much.

    Attributes:
        rows: Drawings, or test images.
        seed: Of the drawings, of the choice of test images, and of intervals.
        steps: Of each drawing; None: the bundle's default.
        importance_samples: Latents for each test image, to tighten a bound; 0: not asked.
        without: Names of what is left out, see `reports.evaluation.PARTS`.
    """

    rows: int
    seed: int
    steps: int | None = None
    importance_samples: int = 0
    without: frozenset[str] = frozenset()


class Examiner:
    """A bundle, the data that it is compared with, and what looks at both."""

    def __init__(
        self,
        bundle: Bundle,
        dataset: Dataset,
        plan: EvaluationPlan,
        cache: FigureCache,
        progress: Callable[[str], None],
    ) -> None:
        """Loads nothing yet.

        Args:
            bundle: What is evaluated.
            dataset: What it is compared with, of its shape.
            plan: What is asked for.
            cache: Where parts are kept.
            progress: Called with a sentence at each part of the work.
        """
        self.bundle, self.dataset, self.plan = bundle, dataset, plan
        self._cache, self.progress = cache, progress

    def part(self, name: str, words: str, measure: Callable[[], Figures], **settings: object) -> Figures:
        """A part of the evaluation, measured now if it is not kept.

        Args:
            name: Under which it is kept.
            words: What is said while it is measured.
            measure: Gives it.
            settings: What it depends on, beside rows, seed and steps.
        """

        def told() -> Figures:
            self.progress(words)
            return measure()

        plan = {"rows": self.plan.rows, "seed": self.plan.seed, "steps": self.plan.steps}
        return self._cache.get(name, {**plan, **settings}, told)

    @cached_property
    def drawings(self) -> Drawings:
        """Of the bundle, which draws."""
        plan = self.plan
        return Drawings(
            self.bundle, rows=plan.rows, seed=plan.seed, step_count=plan.steps, progress=self.progress
        )

    @cached_property
    def classifier(self) -> Classifier:
        """The one that also chooses epochs."""
        self.progress("Loading the classifier, or training it")
        return load_classifier(self.dataset, torch.device("cpu"))

    @cached_property
    def reporter(self) -> Classifier:
        """The one that chooses nothing."""
        self.progress("Loading the second classifier, or training it")
        return load_classifier(self.dataset, torch.device("cpu"), kind=ReportingClassifier)

    @cached_property
    def space(self) -> str:
        """Hash of the reporter's features and the data."""
        return hash_of_features(self.reporter, self.dataset)

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """Of test images, shuffled: those of a data set may be sorted."""
        return np.random.default_rng(self.plan.seed).permutation(len(self.dataset.test.images))

    @property
    def half(self) -> int:
        """Images of each kind in comparisons: all drawings, or as many as half of the test images."""
        return min(self.plan.rows, len(self.dataset.test.images) // 2)

    def test_images(self, start: int, stop: int) -> Tensor:
        """Some of the shuffled test images, in [0, 1], shape (N, C, H, W)."""
        return torch.from_numpy(self.dataset.test.images[self.order[start:stop]]).float() / 255

    @cached_property
    def data(self) -> Described:
        """One half of the test images, which others are compared with."""
        return describe(self.test_images(0, self.half), self.reporter, self.space)

    @cached_property
    def others(self) -> Described:
        """The other half, in the place of drawings."""
        return describe(self.test_images(self.half, 2 * self.half), self.reporter, self.space)

    @cached_property
    def drawn(self) -> Described:
        """As many drawings."""
        return describe(self.drawings.finished[: self.half], self.reporter, self.space)


def make_examiner(
    bundle: Bundle, dataset: Dataset, plan: EvaluationPlan, *, fresh: bool, progress: Callable[[str], None]
) -> Examiner:
    """An examiner that keeps parts in the package's cache; in none for a user without a home.

    Args:
        bundle: As for `Examiner`, like the others.
        dataset: Likewise.
        plan: Likewise.
        fresh: Whether to measure again what is kept.
        progress: Likewise.
    """
    try:
        folder = cache_folder() / "evaluations"
    except DatasetError:
        folder = None
    return Examiner(
        bundle, dataset, plan, FigureCache(folder, what_decides(bundle, dataset), fresh=fresh), progress
    )
