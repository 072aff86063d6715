"""Compares drawings of several bundles with test images, measure by measure, each with an interval.

Test images and drawings are cut into parts that share no image. Each part gives one figure, and their mean
has an interval by Student's distribution. (A bootstrap would draw images twice, and the nearest neighbour of
an image that is there twice is itself.) As a measure of what is perfect, training images are compared with
the test images in the same way.

Features are those of the classifier that chose no epoch of any training.
"""

__all__ = [
    "Comparison",
    "Figure",
    "compare_drawings",
    "comparison_table",
    "save_comparison_picture",
]

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pentimento.training.data.datasets import Dataset
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.features import Described, describe, hash_of_features
from pentimento.training.judging.intervals import student_interval
from pentimento.training.judging.measures import MEASURES
from pentimento.training.judging.measuring import left_out, measure_drawings

REFERENCE = "training images"


class Figure(NamedTuple):
    """The mean over parts, and half the width of its interval of 95 %."""

    mean: float
    half: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """What was measured of each set of drawings.

    Attributes:
        rows: Drawings, and test images, of each part.
        parts: Number of parts.
        figures: Name of the drawings -> name of the measure -> figure.
        differences: The same for how far a set's figure lies above that of the first set, part by part.
    """

    rows: int
    parts: int
    figures: dict[str, dict[str, Figure]]
    differences: dict[str, dict[str, Figure]]

    def verdict(self, name: str, measure: str) -> str:
        """Whether a set is `better` or `worse` than the first, or whether that is `undecided`."""
        difference = self.differences[name][measure]
        if abs(difference.mean) <= difference.half:
            return "undecided"
        return "better" if (difference.mean > 0) == (MEASURES[measure].better > 0) else "worse"


def compare_drawings(
    drawings: Mapping[str, Callable[[], Iterator[Tensor]]],
    dataset: Dataset,
    classifier: Classifier,
    *,
    rows: int,
    parts: int,
    names: Sequence[str] = tuple(MEASURES),
    progress: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Measures sets of drawings against test images.

    Args:
        drawings: Of each set its finished drawings in chunks, in [0, 1], shape (B, C, H, W), at least
            `rows * parts` of them.
        dataset: Its test images are compared with; at least as many, and as many training images.
        classifier: Of the same data set; its features.
        rows: Of a part.
        parts: How many, at least 2.
        names: Of the measures; by default all.
        progress: Called with the name of each set before it is measured.

    Raises:
        ValueError: There are too few images for so many parts, or in a part for a measure.
    """
    wanted = rows * parts
    if parts < 2 or rows < 4:
        raise ValueError(f"need at least 2 parts of at least 4 images, got {parts} of {rows}")
    for kind, split in (("test", dataset.test), ("training", dataset.train)):
        if len(split.images) < wanted:
            raise ValueError(
                f"{parts} parts of {rows} need {wanted} {kind} images, {dataset.name} has {len(split.images)}"
            )
    for name in names:  # before anything is drawn
        if reason := left_out(name, rows, rows, paired_rows=rows):
            raise ValueError(reason)
    space = hash_of_features(classifier, dataset)
    test, train = (
        describe(torch.from_numpy(split.images[:wanted]).float() / 255, classifier, space)
        for split in (dataset.test, dataset.train)
    )
    seen = {}
    for name, chunks in drawings.items():
        progress(name)
        images = torch.cat(list(chunks()))[:wanted]
        if len(images) < wanted:
            raise ValueError(f"{parts} parts of {rows} need {wanted} drawings, {name} has {len(images)}")
        seen[name] = describe(images, classifier, space)
    seen[REFERENCE] = train
    measured = {name: _by_part(test, found, parts, names) for name, found in seen.items()}
    first = next(iter(measured.values()))
    return Comparison(
        rows=rows,
        parts=parts,
        figures={
            name: {key: _interval(values) for key, values in found.items()}
            for name, found in measured.items()
        },
        differences={
            name: {key: _interval(values - first[key]) for key, values in found.items()}
            for name, found in measured.items()
        },
    )


def _by_part(
    real: Described, drawn: Described, parts: int, names: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    rows = len(real) // parts
    each = [
        measure_drawings(real[part], drawn[part], names, replicates=0, paired_rows=rows)
        for part in (slice(start, start + rows) for start in range(0, len(real), rows))
    ]
    return {name: np.array([figures[name].value for figures in each]) for name in each[0]}


def _interval(values: NDArray[np.float64]) -> Figure:
    mean, _, high = student_interval(values)
    assert high is not None
    return Figure(mean, high - mean)


def comparison_table(comparison: Comparison) -> str:
    """A Markdown table: a row a measure, a column a set, and what each is against the first."""
    names = list(comparison.figures)
    lines = [
        "| measure | " + " | ".join(names) + " |",
        "|---|" + "---:|" * len(names),
    ]
    for key in comparison.figures[names[0]]:
        measure, cells = MEASURES[key], []
        for index, name in enumerate(names):
            figure = comparison.figures[name][key]
            said = f" {comparison.verdict(name, key)}" if 0 < index < len(names) - 1 else ""
            cells.append(f"{figure.mean:.4g} ± {figure.half:.2g}{said}")
        arrow = "lower is better" if measure.better < 0 else "higher is better"
        lines.append(f"| {measure.title} ({arrow}) | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def save_comparison_picture(path: Path, comparison: Comparison) -> None:
    """Plots every measure of every set with its interval as a PNG, a small plot a measure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Plot

    names = list(comparison.figures)
    shown = [key for key in comparison.figures[names[0]] if key != "mmd_squared"] or ["mmd_squared"]
    lines = -(-len(shown) // 3)
    figure = Plot(figsize=(10, lines * (1 + 0.25 * len(names))), layout="constrained")
    FigureCanvasAgg(figure)
    places_of_plots = figure.subplots(lines, 3, squeeze=False).flat
    for axes in places_of_plots:
        axes.set_visible(False)
    for axes, key in zip(figure.axes, shown, strict=False):
        axes.set_visible(True)
        found = [comparison.figures[name][key] for name in names]
        places = range(len(names))[::-1]
        axes.errorbar(
            [each.mean for each in found], places, xerr=[each.half for each in found], fmt="o", capsize=3
        )
        axes.set_yticks(list(places), names)
        axes.set_title(MEASURES[key].title, fontsize=9)
        axes.set_xlim(left=0)
        axes.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
