"""The results of a tournament as tables, as data, and as one picture."""

__all__ = [
    "battle_data",
    "interval_words",
    "save_tournament_picture",
    "tournament_data",
    "tournament_table",
    "winner_of",
]

import math
from pathlib import Path
from typing import Any

import numpy as np

from pentimento.training.experiments.readings import TEST, TRAINING
from pentimento.training.experiments.tournament import Tournament
from pentimento.training.judging.battle import Battle, Errors, Interval
from pentimento.training.judging.standings import Standing


def winner_of(battle: Battle, first: str, second: str) -> str | None:
    """The winner's name; None where there is none."""
    return {"first": first, "second": second}.get(battle.outcome)


def battle_data(battle: Battle, first: str, second: str) -> dict[str, object]:
    """A battle for JSON."""
    return {
        "first": first,
        "second": second,
        "outcome": battle.outcome,
        "winner": winner_of(battle, first, second),
        "test_ratio": battle.test_ratio._asdict(),
        "sample_ratio": battle.sample_ratio._asdict(),
        "accuracy_ratio": battle.accuracy_ratio,
        "errors_on_test_images": [_error_data(errors) for errors in battle.test_errors],
        "errors_on_drawings_of_the_other": [_error_data(errors) for errors in battle.rival_errors],
    }


def _error_data(errors: Errors) -> dict[str, float]:
    return {"wrong": errors.wrong, "total": errors.total, "rate": errors.rate}


def tournament_data(tournament: Tournament) -> dict[str, object]:
    """A tournament for JSON; each battle once."""
    return {
        "standings": [
            {"name": name, **tournament.standings[name]._asdict(), "judges": name in tournament.judges}
            for name in (*tournament.names, TEST, TRAINING)
        ],
        "taken_for_data": [
            {"judge": judge, "pictures": pictures, "share": share}
            for (judge, pictures), share in tournament.passed.items()
        ],
        "battles": [
            battle_data(battle, first, second)
            for (first, second), battle in tournament.battles.items()
            if tournament.judges.index(first) < tournament.judges.index(second)
        ],
        "reasons": list(tournament.reasons),
    }


def tournament_table(tournament: Tournament) -> str:
    """Markdown: the standings with what each judge took for data, then each battle."""
    judges = tournament.judges
    lines = [
        "| rank | drawings of | duels won | " + " | ".join(f"by {judge}" for judge in judges) + " |",
        "|---:|---|---:" + "|---:" * len(judges) + "|",
    ]
    for rank, name in enumerate((*tournament.names, TEST, TRAINING), 1):
        standing = tournament.standings[name]
        ranked = name in tournament.names and not math.isnan(standing.share)
        cells = [_share_words(tournament, judge, name) for judge in judges]
        first = str(rank) if ranked else ""
        lines.append(f"| {first} | {name} | {_standing_words(standing)} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "| first | second | test ratio | sample ratio | ratio of accuracies | winner |",
        "|---|---|---:|---:|---:|---|",
    ]
    for (first, second), battle in tournament.battles.items():
        if judges.index(first) < judges.index(second):
            winner = winner_of(battle, first, second) or battle.outcome
            lines.append(
                f"| {first} | {second} | {interval_words(battle.test_ratio)} | "
                f"{interval_words(battle.sample_ratio)} | {battle.accuracy_ratio:.2f} | {winner} |"
            )
    return "\n".join(lines) + "\n"


def interval_words(interval: Interval) -> str:
    """A ratio with its interval, such as `0.29 (0.25 to 0.34)`."""
    return f"{interval.ratio:.3g} ({interval.low:.3g} to {interval.high:.3g})"


def _standing_words(standing: Standing) -> str:
    if math.isnan(standing.share):
        return ""
    return f"{standing.share:.2f} ({standing.low:.2f} to {standing.high:.2f})"


def _share_words(tournament: Tournament, judge: str, name: str) -> str:
    share = tournament.passed.get((judge, name))
    if share is None:
        return ""
    return f"({share:.3f})" if judge == name else f"{share:.3f}"


def save_tournament_picture(path: Path, tournament: Tournament) -> None:
    """Writes a PNG: on the left what each judge took for data, on the right the battles of those who judge.

    On the left a row is a set of pictures, the best first, and a judge's own drawings are in brackets. On the
    right a cell is the battle of its row, as the first, against its column: a blue one is won by the row, an
    orange one by the column, and a grey one says nothing.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows, judges = (TEST, *tournament.names, TRAINING), tournament.judges
    size = (4.5 + 1.9 * len(judges), 2 + 0.36 * max(len(rows), 1.6 * len(judges)))
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _draw_shares(left, tournament, rows)
    _draw_battles(right, tournament)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)


def _draw_shares(axes: Any, tournament: Tournament, rows: tuple[str, ...]) -> None:  # noqa: ANN401
    judges = tournament.judges
    shares = np.array([[tournament.passed.get((j, name), np.nan) for j in judges] for name in rows])
    axes.imshow(np.ma.masked_invalid(shares), cmap="viridis", vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        if not np.isnan(share):
            words = f"({share:.2f})" if rows[row] == judges[column] else f"{share:.2f}"
            axes.text(
                column, row, words, ha="center", va="center", fontsize=8, color="w" if share < 0.6 else "k"
            )
    labels = []
    for name in rows:
        share = tournament.standings[name].share
        labels.append(name if math.isnan(share) else f"{name}   {share:.2f}")
    axes.set_yticks(range(len(rows)), labels, fontsize=8)
    axes.set_xticks(range(len(judges)), judges, rotation=40, ha="right", fontsize=8)
    axes.set_title("taken for data, by each judge;\nbeside the names, duels won", fontsize=9)


def _draw_battles(axes: Any, tournament: Tournament) -> None:  # noqa: ANN401
    from matplotlib.patches import Rectangle

    judges = tournament.judges
    axes.set_xlim(-0.5, len(judges) - 0.5)
    axes.set_ylim(len(judges) - 0.5, -0.5)
    for row, first in enumerate(judges):
        for column, second in enumerate(judges):
            battle = tournament.battles.get((first, second))
            if battle is None:
                continue
            color = {"first": "#9ecae1", "second": "#fdbe85"}.get(battle.outcome, "#e6e6e6")
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=color, edgecolor="w"))
            words = f"{battle.sample_ratio.ratio:.3g}\n[{battle.test_ratio.ratio:.2g}]"
            axes.text(column, row, words, ha="center", va="center", fontsize=8)
    axes.set_xticks(range(len(judges)), judges, rotation=40, ha="right", fontsize=8)
    axes.set_yticks(range(len(judges)), judges, fontsize=8)
    axes.set_title(
        "sample ratio [test ratio]: blue, the row wins;\norange, the column; grey, nobody", fontsize=9
    )
