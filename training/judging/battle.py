"""The generative adversarial metric: two GANs meet, and each discriminator judges the other's drawings.

Im et al. (2016, arXiv:1602.05110), section 4. With e(.) the error rate of a discriminator, the share of data
taken for drawn or of drawings taken for data:

    r_test   = e(D1(x_test)) / e(D2(x_test))
    r_sample = e(D1(G2(z))) / e(D2(G1(z)))

The first generator wins if r_sample < 1, the second if r_sample > 1, and either only if r_test is about 1:
a discriminator that calls everything drawn is fooled by nobody, and proves nothing. "About 1" is a tolerance
here: 1 / (1 + tolerance) <= r_test <= 1 + tolerance, the same from both sides. The paper names none; its
Table 2 has winners at ratios from 0.79 to 1.29.

The authors' program differs from their paper: it divides accuracies, decides at a probability of 1/2 whatever
the labels were, and never looks at r_test. Its figure stands beside ours as `accuracy_ratio`.

A count of zero has no ratio, so every error rate has half an error more, as in Jeffreys' interval of a share.
Intervals of 95 % are of the Bayesian bootstrap (Rubin, 1981, Annals of Statistics 9:130-134) with that half
as its prior: both discriminators saw the same test images, which are drawn anew in pairs, and drawings of two
generators, which are not. They say how far chance among pictures goes, not how another training would end.
"""

__all__ = [
    "TOLERANCE",
    "Battle",
    "Corner",
    "Errors",
    "Interval",
    "Outcome",
    "decision_logit",
    "drawing_errors",
    "image_errors",
    "meet",
]

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 0.3
RESAMPLES = 4000
_SEED = 1  # of the resampling alone: the same counts have the same interval
_PRIOR = 0.5  # errors, and right answers, that each rate begins with

Logits = NDArray[np.floating]
Outcome = Literal["first", "second", "undecided", "not applicable"]


class Errors(NamedTuple):
    """How often a discriminator was wrong."""

    wrong: int
    total: int

    @property
    def rate(self) -> float:
        """Share of wrong answers, 0..1."""
        return self.wrong / self.total


class Interval(NamedTuple):
    """A ratio and its interval of 95 %."""

    ratio: float
    low: float
    high: float

    @property
    def inverse(self) -> "Interval":
        """The same with the two sides exchanged."""
        return Interval(1 / self.ratio, 1 / self.high, 1 / self.low)


@dataclass(frozen=True, kw_only=True, slots=True)
class Corner:
    """What the discriminator of one side said, logits of any real number; more is more real.

    Attributes:
        real_label: Its target for data in training, in (0, 1].
        test: Of the test images, (N,); the same images in both corners.
        rival: Of the other side's drawings, (M,).
    """

    real_label: float
    test: Logits
    rival: Logits


@dataclass(frozen=True, kw_only=True, slots=True)
class Battle:
    """How two GANs met.

    Attributes:
        outcome: Who drew better, `undecided` where the interval of the sample ratio holds 1, or
            `not applicable` where the test ratio is too far from 1.
        test_ratio: r_test.
        sample_ratio: r_sample.
        test_errors: Of the first and the second discriminator, of test images.
        rival_errors: Of the first and the second discriminator, of the other's drawings.
        accuracy_ratio: Accuracy of the first on the second's drawings over that of the second on the
            first's, as the authors' program has it: above 1 it names the first. NaN where the second was
            never right.
    """

    outcome: Outcome
    test_ratio: Interval
    sample_ratio: Interval
    test_errors: tuple[Errors, Errors]
    rival_errors: tuple[Errors, Errors]
    accuracy_ratio: float

    @property
    def decided(self) -> bool:
        """Whether there is a winner."""
        return self.outcome in ("first", "second")


def decision_logit(real_label: float) -> float:
    """The logit from which on a discriminator takes a picture for data: logit(a / 2), labels smoothed to a.

    The best one says a p / (p + q), for densities p of data and q of drawings, which is a / 2 where a
    picture is as likely the one as the other.

    Raises:
        ValueError: The label is not in (0, 1].
    """
    if not 0 < real_label <= 1:
        raise ValueError(f"a label of data must be in (0, 1], got {real_label}")
    return math.log(real_label / (2 - real_label))


def image_errors(logits: Logits, real_label: float) -> Errors:
    """Data that a discriminator takes for drawn, of logits (N,)."""
    return Errors(int((logits < decision_logit(real_label)).sum()), len(logits))


def drawing_errors(logits: Logits, real_label: float) -> Errors:
    """Drawings that a discriminator takes for data, of logits (N,)."""
    return Errors(int((logits >= decision_logit(real_label)).sum()), len(logits))


def meet(first: Corner, second: Corner, *, tolerance: float = TOLERANCE) -> Battle:
    """Counts a battle. Exchanged corners give the inverse ratios, and the other winner.

    Args:
        first: What the discriminator D1 said.
        second: What D2 said.
        tolerance: How far r_test may be from 1, above 0.

    Raises:
        ValueError: The tolerance is not above 0, or there are no logits, or of other numbers of test images.
    """
    if not 0 < tolerance < math.inf:
        raise ValueError(f"tolerance must be above 0 and finite, got {tolerance}")
    if len(first.test) != len(second.test):
        raise ValueError(
            f"both discriminators must see the same test images, got {len(first.test)} and {len(second.test)}"
        )
    if not min(len(first.test), len(first.rival), len(second.rival)):
        raise ValueError("a battle needs at least one test image and one drawing of each")
    tests = image_errors(first.test, first.real_label), image_errors(second.test, second.real_label)
    rivals = drawing_errors(first.rival, first.real_label), drawing_errors(second.rival, second.real_label)
    test_ratio, sample_ratio = _paired_ratio(first, second), _ratio(*rivals)
    accuracies = [1 - drawing_errors(side.rival, 1.0).rate for side in (first, second)]
    return Battle(
        outcome=_outcome(test_ratio, sample_ratio, tolerance),
        test_ratio=test_ratio,
        sample_ratio=sample_ratio,
        test_errors=tests,
        rival_errors=rivals,
        accuracy_ratio=accuracies[0] / accuracies[1] if accuracies[1] else math.nan,
    )


def _outcome(test: Interval, sample: Interval, tolerance: float) -> Outcome:
    if abs(math.log(test.ratio)) > math.log1p(tolerance):
        return "not applicable"
    if sample.low <= 1 <= sample.high:
        return "undecided"
    return "first" if sample.ratio < 1 else "second"


def _ratio(first: Errors, second: Errors) -> Interval:
    """The ratio of two error rates of different pictures."""
    if first.rate > second.rate:  # so that exchanged sides are the exact inverse, whatever is drawn below
        return _ratio(second, first).inverse
    random = np.random.default_rng(_SEED)
    logs = [
        np.log(random.beta(each.wrong + _PRIOR, each.total - each.wrong + _PRIOR, RESAMPLES))
        for each in (first, second)
    ]
    return _interval(_smoothed(first) / _smoothed(second), logs[0] - logs[1])


def _paired_ratio(first: Corner, second: Corner) -> Interval:
    """The ratio of two error rates of the same test images.

    An image is one of four: both were wrong, one of them, or none. Drawing images anew is drawing the shares
    of these four, whose prior makes half an error of each discriminator.
    """
    one, two = (side.test < decision_logit(side.real_label) for side in (first, second))
    if one.sum() > two.sum():
        return _paired_ratio(second, first).inverse
    four = np.array([(one & two).sum(), (one & ~two).sum(), (~one & two).sum(), (~one & ~two).sum()])
    shares = np.random.default_rng(_SEED).dirichlet(four + _PRIOR / 2, RESAMPLES)  # (R, 4)
    both, only_one, only_two, _ = np.maximum(shares, np.finfo(np.float64).tiny).T
    ratio = _smoothed(Errors(int(one.sum()), len(one))) / _smoothed(Errors(int(two.sum()), len(two)))
    return _interval(ratio, np.log(both + only_one) - np.log(both + only_two))


def _smoothed(errors: Errors) -> float:
    return (errors.wrong + _PRIOR) / (errors.total + 2 * _PRIOR)


def _interval(ratio: float, logs: NDArray[np.float64]) -> Interval:
    """The ratio with the interval of its drawn logarithms, (R,)."""
    if ratio == 1:  # the two sides are alike: so is the interval, from both of them
        half = float(np.quantile(np.abs(logs), 0.95))
        return Interval(1.0, math.exp(-half), math.exp(half))
    low, high = np.exp(np.quantile(logs, (0.025, 0.975)))
    return Interval(ratio, float(low), float(high))
