"""Options that several commands have.

Imports nothing that is slow to load: a `--help` goes through here too.
"""

__all__ = [
    "STDOUT",
    "Boxes",
    "Bundles",
    "FileFormat",
    "FileKind",
    "Fit",
    "FitOption",
    "Label",
    "Latents",
    "Model",
    "Output",
    "Overwrite",
    "Picture",
    "Pictures",
    "Scale",
    "Score",
    "ScoreBy",
    "Seed",
    "Set",
    "Steps",
    "controls_of",
]

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Fit(StrEnum):
    """What to do with a picture of another size or colour mode."""

    EXACT = "exact"
    RESIZE = "resize"


class FileKind(StrEnum):
    """What a drawing can be written as."""

    PNG = "png"
    GIF = "gif"
    APNG = "apng"
    NPY = "npy"


Bundles = Annotated[
    Path | None,
    typer.Option(
        envvar="PENTIMENTO_BUNDLES", help="Folder of bundles, for work in this process. [default: zoo]"
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", help="A model, as `pentimento models` lists it; by default the default one."
    ),
]
Picture = Annotated[Path, typer.Argument(help="A PNG or JPEG file.", exists=True, dir_okay=False)]
Pictures = Annotated[list[Path], typer.Argument(help="PNG or JPEG files.", exists=True, dir_okay=False)]
Label = Annotated[
    str | None,
    typer.Option(help="Class of the picture, for models with labels: its name, or its number from 0."),
]
Latents = Annotated[
    Path | None,
    typer.Option(
        "--latents",
        help="Noise of each image by name: a .npz file, such as `pentimento encode -o` writes.",
        exists=True,
        dir_okay=False,
    ),
]
Steps = Annotated[int | None, typer.Option(help="Canvases to show; by default the model's number.")]
Seed = Annotated[int | None, typer.Option(help="The same seed draws the same; by default a new one.")]
Score = Annotated[bool, typer.Option("--score", help="Let the model's scorer judge every canvas.")]
ScoreBy = Annotated[
    str | None,
    typer.Option(metavar="MODEL", help="Let the scorer of another model judge every canvas instead."),
]
Boxes = Annotated[
    bool,
    typer.Option("--boxes", help="Outline where each step looked and wrote, for models with attention."),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=NUMBER",
        help="A control of the model, as `pentimento models --json` lists them.",
    ),
]
FitOption = Annotated[
    Fit,
    typer.Option("--fit", help="Refuse a picture of another size or colour mode, or resize and convert it."),
]
STDOUT = Path("-")
"""What stands for stdout where a file to write is asked for."""


def _file(text: str) -> Path:
    """A file to write: paths drop the dot of `./-`, which is a file that is called so."""
    path = Path(text)
    return path.absolute() if path == STDOUT and text != str(STDOUT) else path


Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        parser=_file,
        metavar="PATH",
        help="File to write: .png (film strip), .gif, .apng, or .npy (float32); - writes it to stdout.",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file, if it is there.")]
FileFormat = Annotated[
    FileKind | None,
    typer.Option("--format", help="What to write where the name of the file does not say; - is else png."),
]
Scale = Annotated[
    int | None,
    typer.Option(min=1, max=64, help="Pixels of the file for a pixel drawn; by default a visible size."),
]


def controls_of(given: list[str] | None) -> dict[str, float]:
    """Values of controls by name, from NAME=NUMBER.

    Raises:
        PentimentoError: INVALID_ARGUMENT: one is written otherwise, or given twice.
    """
    from pentimento.service.errors import invalid

    values: dict[str, float] = {}
    for each in given or []:
        name, _, number = each.partition("=")
        try:
            value = float(number)
        except ValueError:
            raise invalid("--set", f"must be NAME=NUMBER, such as guidance=2, got {each!r}") from None
        if name in values:
            raise invalid("--set", f"gives {name} twice: {values[name]:g} and {value:g}")
        values[name] = value
    return values
