"""Out-of-distribution detection as a table, ours beside what was published, and as one picture."""

__all__ = ["ood_data", "ood_table", "save_ood_picture"]

from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

from pentimento.training.experiments.ood_figures import PUBLISHED
from pentimento.training.experiments.records import markdown_table

_FEWEST = 3  # classes that an order is told of


def ood_data(dataset: str, found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What was found, and for each system how its order of classes agrees with the published one.

    Args:
        dataset: Name of the data set.
        found: What `run_ood` yields.

    Returns:
        `models` as they are, and `order`: Spearman's correlation by system, where three classes or more are
        there and a figure was published.
    """
    from scipy.stats import spearmanr

    order = {}
    for system in _systems(found):
        ours = _of(found, system)
        theirs = PUBLISHED.get(dataset, {}).get(system)
        if theirs is not None and len(ours) >= _FEWEST:
            pairs = [(each["aupr"], theirs[each["held_out"]]) for each in ours]
            order[system] = round(float(spearmanr(*zip(*pairs, strict=True)).statistic), 3)
    return {"dataset": dataset, "models": list(found), "order": order}


def ood_table(dataset: str, names: Sequence[str], found: Sequence[dict[str, Any]]) -> str:
    """Markdown: a row a held-out class, AUPR in percent with intervals, published figures beside ours."""
    systems = _systems(found)
    published = PUBLISHED.get(dataset, {})
    head = ["held out", "prevalence"]
    for system in systems:
        head += [system] + ([f"{system}, published"] if system in published else [])
    rows = []
    for label in sorted({each["held_out"] for each in found}):
        here = {each["system"]: each for each in found if each["held_out"] == label}
        row = [names[label], f"{100 * next(iter(here.values()))['prevalence']:.2f}"]
        for system in systems:
            row.append(_words(here[system]) if system in here else "")
            row += [f"{published[system][label]:.2f}"] if system in published else []
        rows.append(row)
    for said, middle in (("mean", mean), ("median", median)):
        row = [said, f"{100 * middle([each['prevalence'] for each in _of(found, systems[0])]):.2f}"]
        for system in systems:
            row.append(f"{100 * middle([each['aupr'] for each in _of(found, system)]):.2f}")
            row += [f"{middle(published[system]):.2f}"] if system in published else []
        rows.append(row)
    return markdown_table(head, rows)


def _words(found: dict[str, Any]) -> str:
    return f"{100 * found['aupr']:.2f} ({100 * found['low']:.2f} to {100 * found['high']:.2f})"


def _systems(found: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(each["system"] for each in found))


def _of(found: Sequence[dict[str, Any]], system: str) -> list[dict[str, Any]]:
    return [each for each in found if each["system"] == system]


def save_ood_picture(path: Path, dataset: str, names: Sequence[str], found: Sequence[dict[str, Any]]) -> None:
    """Writes a PNG: a plot a system, AUPR of each held-out class with its interval, chance, and published."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    systems = _systems(found)
    figure = Figure(figsize=(9, 2.3 * len(systems) + 0.5), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(systems), 1, sharex=True, squeeze=False)[:, 0]
    for axes, system in zip(grid, systems, strict=True):
        ours = sorted(_of(found, system), key=lambda each: each["held_out"])
        places = [each["held_out"] for each in ours]
        values = [100 * each["aupr"] for each in ours]
        ends = [[100 * (e["aupr"] - e["low"]) for e in ours], [100 * (e["high"] - e["aupr"]) for e in ours]]
        axes.errorbar(places, values, ends, fmt="o", markersize=4, capsize=3, label="here")
        axes.plot(places, [100 * each["prevalence"] for each in ours], "k_", markersize=14, label="chance")
        theirs = PUBLISHED.get(dataset, {}).get(system)
        if theirs is not None:
            axes.plot(places, [theirs[place] for place in places], "x", color="C1", label="published")
        axes.set_ylabel(f"{system}\nAUPR, %")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    grid[0].legend(fontsize=8)
    grid[-1].set_xticks(range(len(names)), names)
    grid[-1].set_xlabel("held out")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
