"""The table of measures of drawings against data; `measuring` asks them."""

__all__ = ["MEASURES", "Measure"]

from dataclasses import dataclass
from typing import Literal

from pentimento.training.judging.birthday import NEAR_SHARE
from pentimento.training.judging.classifier_score import SPLITS
from pentimento.training.judging.instruments import (
    Instrument,
    by_balls,
    by_bayes,
    by_classes,
    by_duplicates,
    by_kernel,
    by_moments,
    by_nearest,
)
from pentimento.training.judging.intervals import LEAST_ROWS
from pentimento.training.judging.manifolds import BALL_NEIGHBOURS, COUNT_NEIGHBOURS


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """A measure of drawings against data.

    Attributes:
        title: As it stands in tables.
        meaning: What it says, in a sentence.
        better: -1 where low is good, 1 where high is.
        needs: Least number of drawings, and of images of data: what its interval takes.
        paired: Whether all pairs of images are looked at, so that time and memory grow with their square.
        instrument: Measures it, perhaps with others: (data, drawings, replicates, seed) -> figures by name,
            without intervals at 0 replicates.
        settings: What else its figures depend on.
    """

    title: str
    meaning: str
    better: Literal[-1, 1]
    needs: int
    paired: bool
    instrument: Instrument
    settings: dict[str, float | str]


MEASURES: dict[str, Measure] = {
    "mmd": Measure(
        title="MMD",
        meaning="Root of the biased kernel discrepancy of the features: the papers' form, above 0 even for "
        "two halves of the data.",
        better=-1,
        needs=LEAST_ROWS,
        paired=True,
        instrument=by_kernel,
        settings={},
    ),
    "mmd_squared": Measure(
        title="MMD², unbiased",
        meaning="Kernel discrepancy of the features, as often below 0 as above where nothing differs.",
        better=-1,
        needs=LEAST_ROWS,
        paired=True,
        instrument=by_kernel,
        settings={},
    ),
    "frechet": Measure(
        title="Fréchet distance",
        meaning="Distance of the features' means and covariances, as if both were Gaussian; not Inception's, "
        "and the larger the fewer images.",
        better=-1,
        needs=LEAST_ROWS,
        paired=False,
        instrument=by_moments,
        settings={},
    ),
    "classifier_score": Measure(
        title="classifier score",
        meaning="The inception score's formula with a classifier of the data set: from 1 to the number of "
        "classes, blind to what drawings of a class have in common.",
        better=1,
        needs=2 * SPLITS,
        paired=False,
        instrument=by_classes,
        settings={"splits": SPLITS},
    ),
    "neighbour_real": Measure(
        title="nearest neighbour, error on data",
        meaning="Share of data that a nearest neighbour takes for drawn; a half where nothing differs.",
        better=1,
        needs=2 * LEAST_ROWS,
        paired=True,
        instrument=by_nearest,
        settings={"neighbours": 1},
    ),
    "neighbour_drawn": Measure(
        title="nearest neighbour, error on drawings",
        meaning="Share of drawings that a nearest neighbour takes for data; a half where nothing differs.",
        better=1,
        needs=2 * LEAST_ROWS,
        paired=True,
        instrument=by_nearest,
        settings={"neighbours": 1},
    ),
    "bayes_real": Measure(
        title="naive Bayes, error on data",
        meaning="Share of data that naive Bayes takes for drawn; high beside a low error on drawings says "
        "only that it guesses.",
        better=1,
        needs=2 * LEAST_ROWS,
        paired=False,
        instrument=by_bayes,
        settings={},
    ),
    "bayes_drawn": Measure(
        title="naive Bayes, error on drawings",
        meaning="Share of drawings that naive Bayes takes for data; high beside a low error on data says "
        "only that it guesses.",
        better=1,
        needs=2 * LEAST_ROWS,
        paired=False,
        instrument=by_bayes,
        settings={},
    ),
    "precision": Measure(
        title="precision",
        meaning="Share of drawings that lie among the data: how many look real.",
        better=1,
        needs=2 * (COUNT_NEIGHBOURS + 1),
        paired=True,
        instrument=by_balls,
        settings={"neighbours": BALL_NEIGHBOURS},
    ),
    "recall": Measure(
        title="recall",
        meaning="Share of the data that lie among the drawings: how much of it can be drawn.",
        better=1,
        needs=2 * (COUNT_NEIGHBOURS + 1),
        paired=True,
        instrument=by_balls,
        settings={"neighbours": BALL_NEIGHBOURS},
    ),
    "density": Measure(
        title="density",
        meaning="How many images of data a drawing lies near, about 1 where nothing differs, more for "
        "drawings of the most frequent kinds alone.",
        better=1,
        needs=2 * (COUNT_NEIGHBOURS + 1),
        paired=True,
        instrument=by_balls,
        settings={"neighbours": COUNT_NEIGHBOURS},
    ),
    "coverage": Measure(
        title="coverage",
        meaning="Share of the data that have a drawing nearby, about 0.97 where nothing differs.",
        better=1,
        needs=2 * (COUNT_NEIGHBOURS + 1),
        paired=True,
        instrument=by_balls,
        settings={"neighbours": COUNT_NEIGHBOURS},
    ),
    "birthday": Measure(
        title="birthday test, pictures",
        meaning="How many pictures can be drawn, by the near-duplicates over pixels among drawings; with "
        "none of them, no upper end.",
        better=1,
        needs=LEAST_ROWS,
        paired=True,
        instrument=by_duplicates,
        settings={"near_share": NEAR_SHARE},
    ),
}
