"""`pentimento export` makes a bundle of a training; `pentimento evaluate` measures a bundle."""

__all__ = ["evaluate", "export"]

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pentimento.training.commands.options import DataFolder, Device, Rows


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a training, such as runs/gran3-mnist.")],
    name: Annotated[str | None, typer.Option(help="Name of the bundle; by default the recipe's.")] = None,
    zoo: Annotated[Path, typer.Option(help="Folder that the bundle's folder goes into.")] = Path("zoo"),
    latest: Annotated[
        bool, typer.Option("--latest", help="Take the latest checkpoint instead of the best one.")
    ] = False,
    version: Annotated[str, typer.Option(help="Version of the bundle.")] = "1.0.0",
    strip: Annotated[
        Path | None, typer.Option(help="Also write a film strip, drawn by the bundle, as this PNG.")
    ] = None,
    rows: Rows = 10_000,
    data: DataFolder = None,
    device: Device = None,
) -> None:
    """Turn a training into a bundle that can be served.

    Freezes the normalisation, exports the ONNX graphs, measures that they
    draw what torch draws and that no row depends on its batch mates (if
    not, nothing is written), and judges drawings, or the likelihood of
    test images.
    """
    from pentimento.training.commands.show import draw_strip, show_figures
    from pentimento.training.data.datasets import load_dataset
    from pentimento.training.families.table import export_result, load_result
    from pentimento.training.loop.checkpoints import BEST, LATEST
    from pentimento.training.loop.device import choose_device

    console = Console()
    where = choose_device(device)
    with console.status("Freezing the statistics"):
        trained = load_result(run / (LATEST if latest else BEST), where)
    channels, image_size, _ = trained.config.image_shape
    dataset = load_dataset(trained.config.dataset, channels=channels, image_size=image_size, folder=data)
    folder = zoo / (name or trained.config.recipe)
    with console.status("Judging, exporting, measuring the parity"):
        manifest = export_result(
            trained, folder, dataset=dataset, device=where, rows=rows, bundle_version=version
        )
    parity, provenance = manifest.parity, manifest.provenance
    assert parity is not None and provenance is not None
    console.print(f"{folder}: epoch {provenance.epochs:g} of {provenance.recipe}")
    show_figures(provenance.evaluation, console)
    console.print(
        f"torch and ONNX Runtime differ by {parity.torch_vs_onnxruntime:.2g} at most, "
        f"a batch and its rows drawn alone by {parity.batched_vs_single:.2g}"
    )
    if strip is not None:
        draw_strip(folder, strip)
        console.print(f"film strip: {strip}")


def evaluate(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle, such as zoo/gran3-mnist.")],
    rows: Rows = 10_000,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of each drawing.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the drawings.")] = 1,
    dataset: Annotated[
        str | None, typer.Option(help="Data set to compare with; by default the one it was trained on.")
    ] = None,
    data: DataFolder = None,
) -> None:
    """Judge a bundle: the likelihood of test images, and its drawings.

    A bundle with a likelihood gets its mean over the data set's test
    images (with --dataset, of images it was not trained on). Drawings are
    judged by class shares, confidence and novelty, with a classifier of
    the data set that this package trains itself and keeps in its cache.
    A bundle with labels is asked for all classes in turn, and judged by
    how often the classifier sees the class that was asked for, too.
    With the default seed and number of rows, the figures are those in the
    bundle's manifest; a bound varies a little with its random latents.
    """
    from dataclasses import asdict

    import torch

    from pentimento.bundle.store import read_bundle
    from pentimento.training.commands.show import show_figures
    from pentimento.training.data.datasets import load_dataset
    from pentimento.training.export.draw import draw_bundle
    from pentimento.training.export.likelihood import bundle_likelihood
    from pentimento.training.judging.classifier import load_classifier
    from pentimento.training.judging.evaluation import figures

    console = Console()
    loaded = read_bundle(bundle)
    manifest = loaded.manifest
    trained_on = manifest.provenance.dataset if manifest.provenance else None
    if dataset is None and trained_on is None:
        raise ValueError(f"bundle {manifest.name!r} does not say what it was trained on; name a --dataset")
    compared = load_dataset(
        dataset or str(trained_on),
        channels=manifest.image.channels,
        image_size=manifest.image.height,
        folder=data,
    )
    judged: dict[str, object] = {}
    if manifest.likelihood is not None:
        with console.status("Asking for the likelihood of test images"):
            judged["likelihood"] = asdict(bundle_likelihood(loaded, compared, rows=rows, seed=seed))
    if manifest.drawing is None:
        show_figures(judged, console)
        return
    with console.status("Judging drawings"):
        classifier = load_classifier(compared, torch.device("cpu"))
        drawings = draw_bundle(loaded, rows=rows, seed=seed, step_count=steps)
        labels = manifest.labels.names if manifest.labels else ()
        # Another data set's classes are not those that were asked for.
        asked = len(labels) if labels == compared.class_names else 0
        judged |= figures(drawings, classifier, compared, seed, asked)
    show_figures(judged, console)
