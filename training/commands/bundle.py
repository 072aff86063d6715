"""`pentimento export` makes a bundle of a training."""

__all__ = ["bundle_name", "export"]

import re
from pathlib import Path
from typing import Annotated

import typer

from pentimento.program.console import make_console
from pentimento.program.tables import AsJson, print_json
from pentimento.training.commands.options import DataFolder, Device, Rows


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
