"""`pentimento tournament` lets all bundles of a folder meet; leaves tables, data and a picture."""

__all__ = ["tournament"]

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pentimento.program.console import make_console
from pentimento.program.endings import INTERRUPTED, fail
from pentimento.program.tables import AsJson, print_json
from pentimento.training.commands.battle import MeetingData, MeetingRows, Tolerance
from pentimento.training.commands.options import DataFolder, FitOfData

if TYPE_CHECKING:
    from pentimento.bundle.store import Bundle
    from pentimento.training.data.datasets import Dataset
    from pentimento.training.experiments.readings import ReadingPlan

RECORD, TABLE, PICTURE, READINGS = "tournament.json", "tournament.md", "tournament.png", "readings"


def tournament(
    bundles: Annotated[
        list[Path] | None,
        typer.Argument(help="Bundles, and folders of bundles.", show_default="zoo"),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the tables, the picture and all readings.")] = Path(
        "runs/tournament"
    ),
    rows: MeetingRows = 2000,
    tolerance: Tolerance = 0.3,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the drawings.")] = 1,
    dataset: MeetingData = None,
    fit: FitOfData = None,
    data: DataFolder = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace results of other bundles or settings in --out; readings that still count stay.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let all bundles meet: every discriminator judges everybody's drawings.

    Two that both have a discriminator meet in a battle, as with
    `pentimento battle`. Drawings of all, also of bundles without one,
    meet in duels before the discriminators of others: the share of duels
    won is the rank. A critic has no error rate, so it judges nobody, nor
    does a scorer that wants latents or steps; their drawings are judged
    like all others.

    Of a folder those enter that draw images of the shape, and learned
    from the data, that most of its bundles have; who is left out is said.

    Leaves tournament.md, tournament.json and tournament.png. What was read
    is kept, so the same call goes on after an interruption.
    """
    from pentimento.training.commands.data_of import data_of
    from pentimento.training.commands.entries import find_entries, same_data
    from pentimento.training.experiments.readings import ReadingPlan
    from pentimento.training.experiments.tournament import play_tournament, refuse_entries
    from pentimento.training.experiments.tournament_report import (
        save_tournament_picture,
        tournament_data,
        tournament_table,
    )

    notes = make_console(stderr=True)
    entries = find_entries(bundles or [Path("zoo")], dataset)
    for sentence in entries.left_out:
        notes.print(f"left out: {sentence}")
    manifests = [bundle.manifest for bundle in entries.bundles]
    if len(manifests) < 2:
        raise ValueError(f"a tournament needs at least 2 bundles, got {len(manifests)}")
    refuse_entries(manifests)
    loaded = data_of(same_data(manifests, dataset), dataset, fit, data, notes)
    plan = ReadingPlan(rows=rows, seed=seed)
    settings = _settings(entries.bundles, loaded, plan, tolerance)
    _refuse_to_replace(out, settings, overwrite=overwrite)
    try:
        with notes.status("Reading test images") as status:
            found = play_tournament(
                entries.bundles,
                loaded,
                plan,
                tolerance=tolerance,
                folder=out / READINGS,
                progress=status.update,
            )
    except KeyboardInterrupt:
        fail("interrupted; the same command goes on where it was", INTERRUPTED)
    for sentence in found.reasons:
        notes.print(sentence)
    table, results = tournament_table(found), {"settings": settings} | tournament_data(found)
    save_tournament_picture(out / PICTURE, found)
    (out / TABLE).write_text(table, encoding="utf-8")
    partial = out / f"{RECORD}.part"  # whole or not at all: the next call reads it
    partial.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    partial.replace(out / RECORD)
    if as_json:
        print_json(results)
    else:
        print(table, end="")  # not by rich, which would wrap it
    notes.print(f"{out / TABLE}, {out / RECORD}, {out / PICTURE}")


def _settings(
    bundles: "tuple[Bundle, ...]", dataset: "Dataset", plan: "ReadingPlan", tolerance: float
) -> dict[str, object]:
    from pentimento.training.experiments.readings import identity

    return {
        "rows": plan.rows,
        "seed": plan.seed,
        "tolerance": tolerance,
        "dataset": dataset.name,
        "dataset_sha256": dataset.sha256,
        "bundles": {bundle.manifest.name: identity(bundle) for bundle in bundles},
    }


def _refuse_to_replace(out: Path, settings: dict[str, object], *, overwrite: bool) -> None:
    """Raises a ValueError if a folder holds something else than this tournament, or what there is of it.

    Readings alone are what an interrupted call left: they are found by what they are of, so they suit any.
    """
    if not out.exists():
        return
    known = {RECORD, TABLE, PICTURE, READINGS, f"{RECORD}.part"}
    strange = sorted(each.name for each in out.iterdir() if each.name not in known)
    if strange:
        raise ValueError(f"--out {str(out)!r} holds {strange[0]!r}, which is of no tournament; name another")
    if not (out / RECORD).exists() or overwrite:
        return
    try:
        there = json.loads((out / RECORD).read_text(encoding="utf-8"))["settings"]
    except (ValueError, KeyError, TypeError):
        there = {}
    differ = [name for name, value in settings.items() if there.get(name) != value]
    if differ:
        raise ValueError(
            f"--out {str(out)!r} holds a tournament with other {' and other '.join(differ)}; name another "
            f"folder, or add --overwrite"
        )
