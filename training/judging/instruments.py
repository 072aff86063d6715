"""How the measures of the table are asked: figures by name, of drawings against data in the same features.

Without replicates a figure has no interval; what an interval is of stands in `intervals`.
"""

__all__ = [
    "Instrument",
    "by_balls",
    "by_bayes",
    "by_classes",
    "by_duplicates",
    "by_kernel",
    "by_moments",
    "by_nearest",
]

from collections.abc import Callable

import numpy as np

from pentimento.training.judging.birthday import birthday_support, near_distance
from pentimento.training.judging.classifier_score import classifier_scores
from pentimento.training.judging.features import Described
from pentimento.training.judging.frechet import frechet_distance, frechet_error
from pentimento.training.judging.intervals import Interval, normal_interval, share_interval, student_interval
from pentimento.training.judging.manifolds import manifold, manifold_errors
from pentimento.training.judging.mmd import kernel_mmd, mmd_errors
from pentimento.training.judging.two_sample import (
    TwoSampleTest,
    naive_bayes_errors,
    neighbour_errors,
    spread_of_errors,
)

Instrument = Callable[[Described, Described, int, int], dict[str, Interval]]
"""(data, drawings, replicates, seed) -> figures by the measures' names."""


def by_moments(real: Described, drawn: Described, replicates: int, seed: int) -> dict[str, Interval]:
    """Fréchet distance."""
    value = frechet_distance(real.features, drawn.features)
    if not replicates:
        return {"frechet": Interval(value)}
    error = frechet_error(real.features, drawn.features, replicates=replicates, seed=seed)
    return {"frechet": normal_interval(value, error, 0.0)}


def by_kernel(real: Described, drawn: Described, replicates: int, seed: int) -> dict[str, Interval]:
    """Both forms of the kernel discrepancy."""
    squared, biased = kernel_mmd(real.features, drawn.features)
    if not replicates:
        return {"mmd": Interval(biased), "mmd_squared": Interval(squared)}
    errors = mmd_errors(real.features, drawn.features, replicates=replicates, seed=seed)
    return {
        "mmd": normal_interval(biased, errors.biased, 0.0),
        "mmd_squared": normal_interval(squared, errors.squared),
    }


def by_classes(_: Described, drawn: Described, replicates: int, seed: int) -> dict[str, Interval]:
    """Classifier score: the mean of its parts."""
    scores = classifier_scores(drawn.probabilities)
    return {"classifier_score": student_interval(scores) if replicates else Interval(float(np.mean(scores)))}


def _by_two_samples(prefix: str, test: TwoSampleTest) -> Instrument:
    def instrument(real: Described, drawn: Described, replicates: int, seed: int) -> dict[str, Interval]:
        names = f"{prefix}_real", f"{prefix}_drawn"
        found = test(real.features, drawn.features)
        if not replicates:
            return {name: Interval(value) for name, value in zip(names, found, strict=True)}
        errors = spread_of_errors(test, real.features, drawn.features, replicates=replicates, seed=seed)
        asked = len(real) // 2, len(drawn) // 2
        return {
            name: share_interval(value, error, rows)
            for name, value, error, rows in zip(names, found, errors, asked, strict=True)
        }

    return instrument


def by_balls(real: Described, drawn: Described, replicates: int, seed: int) -> dict[str, Interval]:
    """Precision, recall, density and coverage."""
    found = manifold(real.features, drawn.features)
    if not replicates:
        return {name: Interval(value) for name, value in found._asdict().items()}
    errors = manifold_errors(real.features, drawn.features, replicates=replicates, seed=seed)
    return {
        "precision": share_interval(found.precision, errors.precision, len(drawn)),
        "recall": share_interval(found.recall, errors.recall, len(real)),
        "density": normal_interval(found.density, errors.density, 0.0),
        "coverage": share_interval(found.coverage, errors.coverage, len(real)),
    }


def by_duplicates(real: Described, drawn: Described, replicates: int, seed: int) -> dict[str, Interval]:
    """Number of pictures, by near-duplicates over pixels."""
    found = birthday_support(drawn.pixels, near_distance(real.pixels))
    if not replicates:
        return {"birthday": Interval(found.support)}
    return {"birthday": Interval(found.support, found.low, found.high)}


by_nearest = _by_two_samples("neighbour", neighbour_errors)
by_bayes = _by_two_samples("bayes", naive_bayes_errors)
