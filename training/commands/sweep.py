"""`pentimento sweep` measures a bundle's drawings against the number of steps and against a control."""

__all__ = ["sweep"]

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from pentimento.program.console import make_console
from pentimento.program.tables import AsJson, print_json
from pentimento.training.commands.options import ComparedWith, DataFolder, FitOfData

_N = TypeVar("_N", int, float)
_STEPS = "1,2,5,10,20,50"


def sweep(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle that draws.")],
    steps: Annotated[str, typer.Option(help="Numbers of steps, with commas.")] = _STEPS,
    control: Annotated[
        str | None,
        typer.Option("--set", help="A control and its values, such as guidance=0,1,2,4.", show_default=False),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=10, help="Drawings of each setting.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the drawings.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(help="Also write sweep.md and sweep.png into this folder.", show_default=False),
    ] = None,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Write the best number of steps into the bundle's manifest."),
    ] = False,
    dataset: ComparedWith = None,
    fit: FitOfData = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Judge a bundle's drawings by the number of steps, and by a control.

    First every number of steps with default controls, then every value of
    the control with the default steps; the noise is always the same.
    Judged by a classifier that chose no epoch of any training: how often
    the class asked for is drawn, class shares, confidence, and the Frechet
    distance to as many test images. With --keep the number of steps with
    the least distance is written into the manifest as the best; the
    default, the graphs and the version stay.
    """
    import torch

    from pentimento.bundle.store import read_bundle
    from pentimento.training.commands.data_of import data_of
    from pentimento.training.experiments.sweep import (
        keep_best,
        measure_setting,
        save_sweep_picture,
        sweep_settings,
        sweep_table,
    )
    from pentimento.training.judging.classifier import ReportingClassifier, load_classifier

    console = make_console(stderr=as_json)
    if out is not None and (out / "sweep.md").exists():
        raise ValueError(f"--out {str(out)!r} holds a sweep already; name another folder")
    name, values = _control(control)
    if keep and len(set(_numbers("--steps", steps, int))) < 2:
        raise ValueError(f"--keep needs two numbers of --steps or more, got {steps!r}")
    loaded = read_bundle(bundle)
    settings = sweep_settings(loaded, _numbers("--steps", steps, int), name, values)
    compared = data_of(loaded.manifest, dataset, fit, data, console)
    with console.status("Training or loading the classifier") as status:
        classifier = load_classifier(compared, torch.device("cpu"), kind=ReportingClassifier)
        results = []
        for setting in settings:
            chosen = "" if setting.control is None else f", {setting.control} {setting.value:g}"
            status.update(f"Drawing in {setting.steps} steps{chosen}")
            results.append(measure_setting(loaded, setting, compared, classifier, rows=rows, seed=seed))
    if keep:
        best = keep_best(bundle, loaded, results)
        console.print(f"Nearest to the data in {best} steps: written into {bundle / 'manifest.json'}.")
    if as_json:
        found = [{**result._asdict(), "setting": result.setting._asdict()} for result in results]
        print_json({"bundle": loaded.manifest.name, "seed": seed, "results": found})
    else:
        print(sweep_table(results), end="")  # not by rich, which would wrap it
    if out is not None:
        save_sweep_picture(out / "sweep.png", results)
        (out / "sweep.md").write_text(sweep_table(results))
        console.print(f"{out / 'sweep.md'}, {out / 'sweep.png'}")


def _control(asked: str | None) -> tuple[str | None, list[float]]:
    if asked is None:
        return None, []
    name, equals, values = asked.partition("=")
    if not equals or not name:
        raise ValueError(f"--set must be a control and its values, such as guidance=0,1,2, got {asked!r}")
    return name, _numbers("--set", values, float)


def _numbers(option: str, text: str, kind: Callable[[str], _N]) -> list[_N]:
    try:
        return [kind(each) for each in text.split(",")]
    except ValueError:
        raise ValueError(f"{option} must be numbers with commas, got {text!r}") from None
