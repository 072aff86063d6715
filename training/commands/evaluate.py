"""`pentimento evaluate` measures a bundle, and writes its report."""

__all__ = ["evaluate"]

from pathlib import Path
from typing import Annotated

import typer

from pentimento.program.console import make_console
from pentimento.program.endings import INTERRUPTED, fail
from pentimento.program.tables import AsJson
from pentimento.training.commands.options import ComparedWith, DataFolder, FitOfData, Rows, Without


def evaluate(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle, such as zoo/gran3-mnist.")],
    rows: Rows = 10_000,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of each drawing.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the drawings.")] = 1,
    importance_samples: Annotated[
        int,
        typer.Option(
            min=0,
            help="Latents for each of 500 random test images, to tighten a bound; manifests have 50.",
        ),
    ] = 0,
    without: Without = None,
    neighbours: Annotated[
        Path | None,
        typer.Option(help="Also write ten drawings beside their nearest training images, as this PNG."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Also write report.html and report.json into this folder.", show_default=False),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a report that is in the folder of --out.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Measure everything again, also what was kept from before.")
    ] = False,
    dataset: ComparedWith = None,
    fit: FitOfData = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Judge a bundle: the likelihood of test images, and its drawings.

    A bundle with a likelihood gets its mean over the data set's test
    images (with --dataset, of images it was not trained on). Drawings are
    judged by class shares, confidence and novelty, with a classifier of
    the data set that this package trains itself and keeps in its cache;
    and by a second one, which never chose an epoch of a training.
    A bundle with labels is asked for all classes in turn, and judged by
    how often the classifier sees the class that was asked for, too.
    The measures of `compare` follow, of the drawings and of test images
    in their place, each with its interval of 95 %.
    With the default seed and number of rows, the figures are those in the
    bundle's manifest; a bound varies a little with its random latents.

    --out writes a report: one page that needs nothing else, with sheets,
    film strips, the change of the measures step by step, and nearest
    training images, each beside what test images have; and all figures as
    JSON.
    What was measured is kept in the package's cache, by all that it
    depends on. --without leaves out a measure, or likelihood,
    latent_neighbours, steps or nearest_images.
    """
    from pentimento.bundle.store import read_bundle
    from pentimento.training.commands.data_of import data_of
    from pentimento.training.commands.measured import known_without, show_measured
    from pentimento.training.commands.show import show_figures
    from pentimento.training.judging.neighbours import save_neighbours
    from pentimento.training.reports.evaluation import evaluate_bundle
    from pentimento.training.reports.examiner import EvaluationPlan, make_examiner
    from pentimento.training.reports.files import refuse_to_replace_report, write_report

    plan = EvaluationPlan(
        rows=rows,
        seed=seed,
        steps=steps,
        importance_samples=importance_samples,
        without=known_without(without or []),
    )
    if out is not None:
        refuse_to_replace_report(out, overwrite=overwrite)
    console, notes = make_console(stderr=as_json), make_console(stderr=True)
    loaded = read_bundle(bundle)
    compared = data_of(loaded.manifest, dataset, fit, data, console)
    try:
        with notes.status("Looking for what is known") as status:
            examiner = make_examiner(loaded, compared, plan, fresh=fresh, progress=status.update)
            found = evaluate_bundle(examiner, whole=out is not None)
    except KeyboardInterrupt:
        fail("interrupted; the same command goes on where it was", INTERRUPTED)
    measured = found.measures
    judged = dict(found.judged) | ({"measures": measured} if as_json and measured is not None else {})
    show_figures(judged, console, as_json=as_json)
    if measured is not None and not as_json:
        show_measured(measured, console)
    if neighbours is not None and measured is not None:
        save_neighbours(neighbours, examiner.drawings.first(10)[:, -1], compared.train.images)
        console.print(f"drawings beside their nearest training images: {neighbours}")
    if out is not None:
        for file in write_report(out, examiner, found):
            notes.print(str(file))
