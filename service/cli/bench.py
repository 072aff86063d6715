"""`pentimento bench`: measures what a graph call costs by its rows, and shows the limits that follow."""

__all__ = ["bench"]

from pathlib import Path
from typing import Annotated

import typer

from pentimento.service.cli.run import Bundles, one_sentence


def bench(
    bundles: Bundles = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", help="Only this one; may be repeated.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Measure anew, not what is kept from before.")
    ] = False,
) -> None:
    """Show what graph calls cost on this machine.

    A table with microseconds a row, by the rows of a call; under `from`, the
    rows from which on a call is efficient, and under `to`, the most that one
    takes: what the server works with unless --max-batch-rows says otherwise.
    Measurements are short, and kept; sizes that would have taken long are
    left out.
    """
    with one_sentence():
        _show(bundles, model, again)


def _show(bundles: Path | None, wanted: list[str] | None, again: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from pentimento.bundle.store import BundleError, read_bundle
    from pentimento.service.engine.calibration import Calibrator
    from pentimento.service.engine.runtime import Runtime
    from pentimento.service.settings import Settings, available_cpus

    settings = Settings()
    folder = bundles or settings.bundles
    if not folder.is_dir():
        raise BundleError(f"there is no bundle folder {str(folder)!r}; name one with --bundles")
    names = wanted or sorted(entry.name for entry in folder.iterdir() if (entry / "manifest.json").is_file())
    runtime = Runtime(
        provider=settings.provider,
        max_batch_rows=settings.max_batch_rows,
        calibrator=Calibrator(None if again else settings.cache),
    )
    console, table = Console(), Table(title="microseconds a row, by the rows of a call", box=None)
    sizes = (1, 2, 4, 8, 16, 32, 64)
    for heading in ("graph", *map(str, sizes), "from", "to", "lanes"):
        table.add_column(heading, justify="left" if heading == "graph" else "right", no_wrap=True)
    for name in names:
        bundle = read_bundle(folder / name)
        for graph in runtime.load(bundle).values():
            curve = dict(graph.curve.points if graph.curve else ())
            cells = [f"{curve[rows] / rows * 1e6:.3g}" if rows in curve else "" for rows in sizes]
            shows = bundle.manifest.drawing is not None and any(
                phase.shows and graph.label.endswith(f"/{phase.graph}")
                for phase in bundle.manifest.drawing.phases
            )
            lanes = str(runtime.choose_lanes(graph, available_cpus())) if shows else ""
            limits = graph.limits
            table.add_row(graph.label, *cells, str(limits.efficient), str(limits.most), lanes)
    console.print(table)
    console.print(f"{runtime.device}, {available_cpus()} CPUs")
