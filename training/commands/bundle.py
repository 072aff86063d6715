"""`pentimento export` makes a bundle of a training; `pentimento evaluate` measures a bundle."""

__all__ = ["evaluate", "export"]

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from pentimento.program.console import make_console
from pentimento.program.tables import AsJson, print_json
from pentimento.training.commands.options import DataFolder, Device, FitOfData, Rows, Without


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a training, such as runs/gran3-mnist.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the bundle; by default that of the training's folder.")
    ] = None,
    zoo: Annotated[Path, typer.Option(help="Folder that the bundle's folder goes into.")] = Path("zoo"),
    latest: Annotated[
        bool, typer.Option("--latest", help="Take the latest checkpoint instead of the best one.")
    ] = False,
    version: Annotated[
        str | None,
        typer.Option(
            help="Version of the bundle; by default 1.0.0, or what follows if another content is replaced.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a bundle, and a strip, that is there.")
    ] = False,
    strip: Annotated[
        Path | None, typer.Option(help="Also write a film strip, drawn by the bundle, as this PNG.")
    ] = None,
    rows: Rows = 10_000,
    dataset: Annotated[
        str | None,
        typer.Option(help="Where the training's data set lies now, if no longer where it was."),
    ] = None,
    data: DataFolder = None,
    device: Device = None,
    as_json: AsJson = False,
) -> None:
    """Turn a training into a bundle that can be served.

    Freezes the normalisation, exports the ONNX graphs, measures that they
    draw what torch draws and that no row depends on its batch mates (if
    not, nothing is written), and judges drawings, or the likelihood of
    test images.

    A bundle that is there is replaced with --overwrite only. Another
    content gets a higher version: the same version and seed always mean
    the same picture.
    """
    from pentimento.bundle.manifest import VERSION
    from pentimento.bundle.store import refuse_to_replace
    from pentimento.training.commands.show import draw_strip, show_figures
    from pentimento.training.data.datasets import NAMES, load_dataset
    from pentimento.training.families.table import export_result, load_result
    from pentimento.training.loop.checkpoints import BEST, LATEST
    from pentimento.training.loop.device import choose_device

    console = make_console(stderr=as_json)
    if version is not None and not re.fullmatch(VERSION, version):
        raise ValueError(f"--version must be three numbers such as 1.2.0, got {version!r}")
    folder = zoo / bundle_name(name, run)
    refuse_to_replace(folder, overwrite=overwrite)
    if strip is not None and strip.exists() and not overwrite:
        raise ValueError(f"{strip} is there already: add --overwrite, or name another --strip")
    where = choose_device(device)
    with console.status("Freezing the statistics"):
        trained = load_result(run / (LATEST if latest else BEST), where)
    channels, image_size, _ = trained.config.image_shape
    usual = trained.config.dataset
    if dataset is None and usual not in NAMES and not Path(usual).expanduser().exists():
        raise ValueError(f"the training's data, {usual}, are not there any more: name them with --dataset")
    loaded = load_dataset(
        dataset or usual,
        channels=channels,
        image_size=image_size,
        fit=trained.config.fit,
        folder=data,
    )
    with console.status("Judging, exporting, measuring the parity"):
        manifest = export_result(
            trained,
            folder,
            dataset=loaded,
            device=where,
            rows=rows,
            bundle_version=version,
            overwrite=overwrite,
        )
    parity, provenance = manifest.parity, manifest.provenance
    assert parity is not None and provenance is not None
    console.print(f"{folder} {manifest.version}: epoch {provenance.epochs:g} of {provenance.recipe}")
    show_figures(provenance.evaluation, console)
    console.print(
        f"torch and ONNX Runtime differ by {parity.torch_vs_onnxruntime:.2g} at most, "
        f"a batch and its rows drawn alone by {parity.batched_vs_single:.2g}"
    )
    if as_json:
        print_json({"folder": str(folder), "version": manifest.version, **provenance.evaluation})
    if strip is not None:
        draw_strip(folder, strip)
        console.print(f"film strip: {strip}")


def bundle_name(name: str | None, run: Path) -> str:
    """The bundle's name: what was asked for, or that of the training's folder.

    Raises:
        ValueError: It cannot be a bundle's name.
    """
    from pentimento.bundle.manifest import BUNDLE_NAME

    chosen = run.resolve().name if name is None else name
    if not re.fullmatch(BUNDLE_NAME, chosen):
        of = "the training's folder, " if name is None else "--name, "
        raise ValueError(
            f"{of}{chosen!r}, cannot be a bundle's name: up to 64 of a to z, 0 to 9, dot, underscore and "
            "hyphen, a letter or digit first; choose one with --name"
        )
    return chosen


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
    dataset: Annotated[
        str | None, typer.Option(help="Data set to compare with; by default the one it was trained on.")
    ] = None,
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
    """
    from dataclasses import asdict

    import torch

    from pentimento.bundle.store import read_bundle
    from pentimento.training.commands.data_of import data_of
    from pentimento.training.commands.measured import (
        known_without,
        measure_beside_images,
        measure_encodings,
        measure_importance,
        show_measured,
    )
    from pentimento.training.commands.show import show_figures
    from pentimento.training.export.draw import draw_bundle
    from pentimento.training.export.likelihood import (
        ESTIMATED_ROWS,
        bundle_estimate,
        bundle_likelihood,
    )
    from pentimento.training.judging.classifier import ReportingClassifier, load_classifier
    from pentimento.training.judging.evaluation import figures, report
    from pentimento.training.judging.neighbours import save_neighbours

    left_away = known_without(without or [])
    console = make_console(stderr=as_json)
    loaded = read_bundle(bundle)
    manifest = loaded.manifest
    compared = data_of(manifest, dataset, fit, data, console)
    judged: dict[str, object] = {}
    if manifest.likelihood is not None and manifest.likelihood.kind == "estimate":
        with console.status("Estimating the likelihood of test images"):
            judged["likelihood_estimate"] = bundle_estimate(
                loaded, compared, rows=min(rows, ESTIMATED_ROWS), seed=seed
            )
    elif manifest.likelihood is not None:
        with console.status("Asking for the likelihood of test images"):
            judged["likelihood"] = asdict(bundle_likelihood(loaded, compared, rows=rows, seed=seed))
            if importance_samples:
                judged |= measure_importance(
                    loaded, compared, rows=min(rows, 500), samples=importance_samples, seed=seed
                )
    with console.status("Encoding images"):
        judged |= measure_encodings(loaded, compared, left_away, seed)
    if manifest.drawing is None:
        show_figures(judged, console, as_json=as_json)
        return
    with console.status("Judging drawings"):
        classifier = load_classifier(compared, torch.device("cpu"))
        finished: list[torch.Tensor] = []

        def drawings() -> Iterator[torch.Tensor]:
            for canvases in draw_bundle(loaded, rows=rows, seed=seed, step_count=steps):
                finished.append(canvases[:, -1])
                yield canvases

        labels = manifest.labels.names if manifest.labels else ()
        # Another data set's classes are not those that were asked for.
        asked = len(labels) if labels == compared.class_names else 0
        judged |= figures(drawings(), classifier, compared, seed, asked)
        reporter = load_classifier(compared, torch.device("cpu"), kind=ReportingClassifier)
        judged["reporting_classifier"] = report(iter(finished), reporter, compared, asked)
        measured = measure_beside_images(torch.cat(finished), compared, reporter, left_away, seed)
    if as_json:
        judged["measures"] = measured
    show_figures(judged, console, as_json=as_json)
    if not as_json:
        show_measured(measured, console)
    if neighbours is not None:
        save_neighbours(neighbours, torch.cat(finished)[:10], compared.train.images)
        console.print(f"drawings beside their nearest training images: {neighbours}")
