"""`pentimento compare` measures drawings of several bundles against test images, side by side."""

__all__ = ["compare"]

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pentimento.program.console import make_console
from pentimento.program.tables import AsJson, print_json
from pentimento.training.commands.options import DataFolder, FitOfData, Without

if TYPE_CHECKING:
    from torch import Tensor

    from pentimento.bundle.store import Bundle


def compare(
    bundles: Annotated[
        list[Path], typer.Argument(help="Folders of bundles that draw; each is compared with the first.")
    ],
    rows: Annotated[int, typer.Option("--rows", min=4, help="Drawings, and test images, of a part.")] = 2000,
    parts: Annotated[
        int, typer.Option("--parts", min=2, max=100, help="Parts, which intervals are made of.")
    ] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the drawings.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Also write comparison.md and comparison.png into this folder.", show_default=False
        ),
    ] = None,
    without: Without = None,
    dataset: Annotated[
        str | None, typer.Option(help="Data set to compare with; by default the first bundle's.")
    ] = None,
    fit: FitOfData = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Compare drawings of bundles with test images by several measures.

    In the features of a classifier that chose no epoch of any training:
    MMD, Frechet distance, classifier score, precision, recall, density and
    coverage, and whether a nearest neighbour or naive Bayes can tell
    drawings from data, with both of their errors; over pixels, how many
    pictures there are by the birthday test. Every figure is a mean over
    parts that share no image, with its interval of 95 %. Training images
    are compared in the same way: nothing can do better.
    """
    import torch

    from pentimento.bundle.store import read_bundle
    from pentimento.training.commands.data_of import data_of
    from pentimento.training.experiments.comparison import (
        compare_drawings,
        comparison_table,
        save_comparison_picture,
    )
    from pentimento.training.judging.classifier import ReportingClassifier, load_classifier
    from pentimento.training.judging.measuring import without as all_without

    names = all_without(without or [])
    console = make_console(stderr=as_json)
    if out is not None and (out / "comparison.md").exists():
        raise ValueError(f"--out {str(out)!r} holds a comparison already; name another folder")
    loaded: dict[str, Bundle] = {}
    for path in bundles:
        bundle = read_bundle(path)
        if bundle.manifest.name in loaded:
            raise ValueError(f"two bundles are called {bundle.manifest.name!r}; give each another name")
        if bundle.manifest.drawing is None:
            raise ValueError(f"bundle {bundle.manifest.name!r} does not draw")
        loaded[bundle.manifest.name] = bundle
    shapes = {bundle.manifest.image.shape: name for name, bundle in loaded.items()}
    if len(shapes) > 1:
        said = ", ".join(f"{name} {'x'.join(map(str, shape))}" for shape, name in shapes.items())
        raise ValueError(f"the bundles must draw images of one shape, got {said}")
    manifest = next(iter(loaded.values())).manifest
    compared = data_of(manifest, dataset, fit, data, console)
    with console.status("Training or loading the classifier") as status:
        classifier = load_classifier(compared, torch.device("cpu"), kind=ReportingClassifier)
        found = compare_drawings(
            {name: _drawer(bundle, rows * parts, seed) for name, bundle in loaded.items()},
            compared,
            classifier,
            rows=rows,
            parts=parts,
            names=names,
            progress=lambda name: status.update(f"Drawing with {name}"),
        )
    table = comparison_table(found)
    if as_json:
        print_json(
            {
                "rows": rows,
                "parts": parts,
                "seed": seed,
                "dataset": compared.name,
                "figures": {
                    name: {key: figure._asdict() for key, figure in figures.items()}
                    for name, figures in found.figures.items()
                },
            }
        )
    else:
        print(table, end="")  # not by rich, which would wrap it
    if out is not None:
        save_comparison_picture(out / "comparison.png", found)
        (out / "comparison.md").write_text(table)
        console.print(f"{out / 'comparison.md'}, {out / 'comparison.png'}")


def _drawer(bundle: "Bundle", rows: int, seed: int) -> "Callable[[], Iterator[Tensor]]":
    from pentimento.training.export.draw import draw_bundle

    def chunks() -> "Iterator[Tensor]":
        return (canvases[:, -1] for canvases in draw_bundle(bundle, rows=rows, seed=seed))

    return chunks
