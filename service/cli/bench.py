"""`pentimento bench`: measures what a graph call costs by its rows, and shows the limits that follow."""

__all__ = ["bench"]

from pathlib import Path
from typing import Annotated, Any

import typer

from pentimento.program.console import make_console
from pentimento.program.tables import AsJson, Column, print_json, print_table
from pentimento.service.cli.options import Bundles
from pentimento.service.cli.run import one_sentence


def bench(
    bundles: Bundles = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", help="Only this one; may be repeated.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Measure anew, not what is kept from before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what graph calls cost on this machine.

    A table with microseconds a row, by the rows of a call; under `from`, the
    rows from which on a call is efficient, and under `to`, the most that one
    takes: what the server works with unless --max-batch-rows says otherwise.
    Measurements are short, and kept; sizes that would have taken long are
    left out.
    """
    with one_sentence():
        _show(bundles, model, again, as_json)


def _show(bundles: Path | None, wanted: list[str] | None, again: bool, as_json: bool) -> None:
    from pentimento.bundle.store import BundleError, read_bundle
    from pentimento.service.cli.serve_options import settings_from
    from pentimento.service.engine.calibration import Calibrator
    from pentimento.service.engine.runtime import Runtime
    from pentimento.service.settings import available_cpus

    settings = settings_from({})
    folder = bundles or settings.bundles
    if not folder.is_dir():
        raise BundleError(f"there is no bundle folder {str(folder)!r}; name one with --bundles")
    names = wanted or sorted(entry.name for entry in folder.iterdir() if (entry / "manifest.json").is_file())
    runtime = Runtime(
        provider=settings.provider,
        max_batch_rows=settings.max_batch_rows,
        calibrator=Calibrator(None if again else settings.cache),
    )
    graphs: list[dict[str, Any]] = []
    for name in names:
        bundle = read_bundle(folder / name)
        for graph in runtime.load(bundle).values():
            shows = bundle.manifest.drawing is not None and any(
                phase.shows and graph.label.endswith(f"/{phase.graph}")
                for phase in bundle.manifest.drawing.phases
            )
            points = graph.curve.points if graph.curve else ()
            graphs.append(
                {
                    "graph": graph.label,
                    "us_a_row": {str(rows): seconds / rows * 1e6 for rows, seconds in points},
                    "efficient_rows": graph.limits.efficient,
                    "most_rows": graph.limits.most,
                    "workers": runtime.choose_lanes(graph, available_cpus()) if shows else None,
                }
            )
    if as_json:
        print_json({"device": runtime.device, "cpus": available_cpus(), "graphs": graphs})
        return
    console, sizes = make_console(), [str(rows) for rows in (1, 2, 4, 8, 16, 32, 64)]
    columns = [Column("graph"), *(Column(name, right=True) for name in (*sizes, "from", "to", "workers"))]
    console.print("microseconds a row, by the rows of a call")
    print_table(
        console,
        columns,
        [
            [
                each["graph"],
                *(f"{each['us_a_row'][rows]:.3g}" if rows in each["us_a_row"] else "" for rows in sizes),
                str(each["efficient_rows"]),
                str(each["most_rows"]),
                "" if each["workers"] is None else str(each["workers"]),
            ]
            for each in graphs
        ],
    )
    console.print(f"{runtime.device}, {available_cpus()} CPUs")
