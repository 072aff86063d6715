"""`pentimento battle` lets two GANs meet: each discriminator judges the other's drawings."""

__all__ = ["MeetingData", "MeetingRows", "Tolerance", "battle"]

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pentimento.program.console import make_console
from pentimento.program.tables import AsJson, Column, print_json, print_table
from pentimento.training.commands.options import DataFolder, FitOfData

if TYPE_CHECKING:
    from pentimento.bundle.manifest import Manifest
    from pentimento.training.experiments.readings import Readings
    from pentimento.training.judging.battle import Battle, Errors

MeetingRows = Annotated[
    int,
    typer.Option("--rows", min=10, max=100_000, help="Drawings of each, and test images, that are judged."),
]
Tolerance = Annotated[
    float,
    typer.Option(
        min=0.01,
        max=100,
        help="The test ratio may be from 1 / (1 + this) to 1 + this, or nobody wins.",
    ),
]
MeetingData = Annotated[
    str | None,
    typer.Option("--dataset", help="Data set of the test images; by default what the bundles learned from."),
]


def battle(
    first: Annotated[Path, typer.Argument(help="Folder of a bundle that draws and has a discriminator.")],
    second: Annotated[Path, typer.Argument(help="Folder of its rival.")],
    rows: MeetingRows = 2000,
    tolerance: Tolerance = 0.3,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the drawings.")] = 1,
    dataset: MeetingData = None,
    fit: FitOfData = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Let two GANs meet: each one's discriminator judges the other's drawings.

    The generative adversarial metric of the GRAN paper. The test ratio
    is the first discriminator's error on test images over the second's;
    the sample ratio, its error on the second's drawings over the
    second's on the first's. Below 1 the first generator wins and above
    1 the second, if the two are about equally good judges of data: else
    the metric is not applicable. It is undecided where the interval of
    95 % of the sample ratio holds 1.

    A discriminator that was trained with smoothed labels decides at half
    of its label. Beside it stands the ratio of accuracies that the
    authors' program has, above 1 for the first.

    Bundles are asked as they are, in ONNX Runtime. They must draw images
    of one shape; `pentimento tournament` also takes those without a
    discriminator.
    """
    from pentimento.bundle.store import read_bundle
    from pentimento.training.commands.data_of import data_of
    from pentimento.training.commands.entries import same_data
    from pentimento.training.experiments.readings import ReadingPlan, identity, read_pictures
    from pentimento.training.experiments.tournament import battle_of, refuse_battle, refuse_entries
    from pentimento.training.experiments.tournament_report import battle_data

    notes = make_console(stderr=True)
    bundles = [read_bundle(first), read_bundle(second)]
    one, two = (bundle.manifest for bundle in bundles)
    if identity(bundles[0]) == identity(bundles[1]) and one.name == two.name:
        bundles = bundles[:1]  # against itself: it shows the figures where there is no difference
    refuse_entries([bundle.manifest for bundle in bundles])
    refuse_battle(one, two)
    loaded = data_of(same_data([one, two], dataset), dataset, fit, data, notes)
    refuse_battle(one, two, loaded)
    with notes.status("Reading test images") as status:
        readings = read_pictures(bundles, loaded, ReadingPlan(rows=rows, seed=seed), progress=status.update)
    found = battle_of(one, two, readings, tolerance)
    if as_json:
        about = {"rows": rows, "seed": seed, "dataset": loaded.name, "tolerance": tolerance}
        print_json(about | battle_data(found, one.name, two.name))
        return
    _print(found, readings, tolerance, one, two)


def _print(
    found: "Battle", readings: "Readings", tolerance: float, first: "Manifest", second: "Manifest"
) -> None:
    from pentimento.training.experiments.readings import TRAINING
    from pentimento.training.experiments.tournament_report import interval_words
    from pentimento.training.judging.battle import decision_logit, drawing_errors, image_errors

    labels = [manifest.scorer.real_label if manifest.scorer else 1.0 for manifest in (first, second)]
    names = (first.name, second.name)
    said = readings.logits
    rows = [
        ["decides at a logit of", *(f"{decision_logit(label):.3f}" for label in labels)],
        ["errors on test images", *(_words(errors) for errors in found.test_errors)],
        [
            "errors on training images",
            *(_words(image_errors(said[n, TRAINING], a)) for n, a in zip(names, labels, strict=True)),
        ],
        ["errors on the other's drawings", *(_words(errors) for errors in found.rival_errors)],
        [
            "errors on its own drawings",
            *(_words(drawing_errors(said[n, n], a)) for n, a in zip(names, labels, strict=True)),
        ],
    ]
    console = make_console()
    print_table(console, [Column(""), *(Column(f"discriminator of {n}", right=True) for n in names)], rows)
    low, high = 1 / (1 + tolerance), 1 + tolerance
    console.print(f"test ratio {interval_words(found.test_ratio)}")
    console.print(f"sample ratio {interval_words(found.sample_ratio)}")
    console.print(f"ratio of accuracies, as in the authors' program: {found.accuracy_ratio:.3g}")
    match found.outcome:
        case "first" | "second":
            console.print(f"{names[found.outcome == 'second']} wins")
        case "undecided":
            console.print("undecided: the interval of the sample ratio holds 1")
        case "not applicable":
            console.print(
                f"not applicable: the test ratio, {found.test_ratio.ratio:.3g}, is not within {low:.3g} to "
                f"{high:.3g}, so the two discriminators are not equally good judges of data"
            )


def _words(errors: "Errors") -> str:
    return f"{errors.rate:.4f}"
