"""The measures of the table as `pentimento evaluate` prints them: of drawings, and of test images."""

__all__ = ["known_without", "show_measured"]

from collections.abc import Collection, Mapping
from typing import Any

from rich.console import Console

from pentimento.program.tables import Column, print_table
from pentimento.training.judging.measures import MEASURES
from pentimento.training.reports.evaluation import PARTS


def known_without(names: Collection[str]) -> frozenset[str]:
    """Names that `--without` may have.

    Raises:
        ValueError: One is no measure's, and no other part's of an evaluation.
    """
    for name in names:
        if name not in PARTS:
            raise ValueError(f"--without must be one of {', '.join(PARTS)}, got {name!r}")
    return frozenset(names)


def show_measured(measured: Mapping[str, Any], console: Console) -> None:
    """Prints a table: a row a measure, with what it means; then what could not be measured, and why."""
    rows = []
    for name, figure in measured["drawings"].items():
        measure = MEASURES[name]
        better = "low" if measure.better < 0 else "high"
        other = measured["test_images"][name]
        rows.append([name, _said(figure), _said(other), better, f"{figure['rows']:,}", measure.meaning])
    columns = [
        Column("measure"),
        Column("drawings", right=True),
        Column("test images", right=True),
        Column("good"),
        Column("n", right=True),
        Column("meaning"),
    ]
    print_table(console, columns, rows)
    for reason in measured["left_out"].values():
        if reason != "--without":
            console.print(f"Left out: {reason}")


def _said(figure: Mapping[str, Any]) -> str:
    """A figure with its interval of 95 %, such as `0.95 (0.94 to 0.96)`."""
    ends = f"from {figure['low']:.4g}"
    if figure["high"] is not None:
        ends = f"{figure['low']:.4g} to {figure['high']:.4g}"
    return f"{figure['value']:.4g} ({ends})"
