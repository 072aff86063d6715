"""Asks the measures of the table of drawings and data.

What real images score under a measure is found by giving some of them for drawings: a figure can be read only
beside that, as none is at its ideal for a finite number of images.
"""

__all__ = ["PAIRED_ROWS", "REPLICATES", "left_out", "measure_drawings", "without"]

from collections.abc import Collection, Iterable

from pentimento.training.judging.features import Described
from pentimento.training.judging.instruments import Instrument
from pentimento.training.judging.intervals import Interval
from pentimento.training.judging.measurement import Measurement
from pentimento.training.judging.measures import MEASURES

REPLICATES = 100
PAIRED_ROWS = 2_000  # three tables of all distances, 100 MB, and half a minute of halves of them


def measure_drawings(
    real: Described,
    drawn: Described,
    names: Collection[str] | None = None,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
    paired_rows: int = PAIRED_ROWS,
) -> dict[str, Measurement]:
    """Measures drawings.

    Args:
        real: Images of data that the classifier was not trained on.
        drawn: Drawings, seen by the same classifier.
        names: Of measures; by default all.
        replicates: For intervals: of the order of 100; 0 leaves intervals away.
        seed: Of the replicates.
        paired_rows: Measures that look at pairs take the first so many images of each kind.

    Returns:
        A figure for each name, in the table's order; it says of how many images it is.

    Raises:
        ValueError: A name is unknown, there are fewer images than a measure needs, or the two were not seen
            by the same classifier.
    """
    wanted = set(MEASURES if names is None else names)
    _refuse_unknown(wanted)
    if real.space != drawn.space:
        raise ValueError(
            "drawings and data must be seen in the same features (hash of classifier and data), "
            f"got {drawn.space} and {real.space}"
        )
    for name in MEASURES:
        if name in wanted and (reason := left_out(name, len(real), len(drawn), paired_rows)):
            raise ValueError(reason)
    found: dict[str, Measurement] = {}
    asked: dict[Instrument, dict[str, Interval]] = {}
    for name, measure in MEASURES.items():
        if name not in wanted:
            continue
        most = slice(paired_rows if measure.paired else None)
        some_real, some_drawn = real[most], drawn[most]
        if measure.instrument not in asked:
            asked[measure.instrument] = measure.instrument(some_real, some_drawn, replicates, seed)
        value, low, high = asked[measure.instrument][name]
        found[name] = Measurement(
            measure=name,
            value=value,
            low=low,
            high=high,
            rows=len(some_drawn),
            data_rows=len(some_real),
            space=drawn.space,
            settings=measure.settings,
        )
    return found


def left_out(name: str, real: int, drawn: int, paired_rows: int = PAIRED_ROWS) -> str | None:
    """Why a measure cannot be asked of so many images, in a sentence; None if it can."""
    measure = MEASURES[name]
    for kind, count in (("images of data", real), ("drawings", drawn)):
        count = min(count, paired_rows) if measure.paired else count
        if count < measure.needs:
            return f"{name} needs at least {measure.needs} {kind}, got {count}"
    return None


def without(names: Iterable[str]) -> list[str]:
    """The measures that are not among `names`.

    Raises:
        ValueError: A name is unknown.
    """
    unwanted = set(names)
    _refuse_unknown(unwanted)
    return [name for name in MEASURES if name not in unwanted]


def _refuse_unknown(names: Iterable[str]) -> None:
    """Raises ValueError with a sentence for a name that is no measure's."""
    for name in sorted(names):
        if name not in MEASURES:
            raise ValueError(f"measure must be one of {', '.join(MEASURES)}, got {name!r}")
