"""`pentimento encode` makes of pictures the noise that draws them again, and writes it to a file."""

__all__ = ["encode"]

import os
from io import BytesIO
from pathlib import Path
from typing import Annotated

import typer

from pentimento.program.console import make_console
from pentimento.program.tables import AsJson, print_json
from pentimento.service.cli.options import Bundles, Fit, FitOption, Label, Model, Overwrite, Pictures, Seed
from pentimento.service.cli.reading import read_picture
from pentimento.service.cli.run import Server, asks_server, open_easel, run
from pentimento.service.errors import invalid
from pentimento.service.messages import EncodeRequest


@asks_server
def encode(
    images: Pictures,
    model: Model = None,
    seed: Seed = None,
    label: Label = None,
    fit: FitOption = Fit.EXACT,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A .npz file to write, for --latents of `draw` and `score`."),
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    server: Server = None,
    bundles: Bundles = None,
) -> None:
    """Encodes pictures: the noise that draws them again, and what else the encoder says."""
    import numpy as np

    async def work() -> None:
        if output is not None:
            _check_output(output, overwrite)
        request = EncodeRequest(
            model=model, images=tuple(map(read_picture, images)), fit=fit.value, label=label, seed=seed
        )
        async with open_easel(server, bundles) as easel:
            result = await easel.encode(request)
        arrays = {name: np.asarray(values) for name, values in result.encoding.items()}
        if output is not None:
            file = BytesIO()
            np.savez(file, allow_pickle=False, **arrays)
            try:
                output.write_bytes(file.getvalue())
            except OSError as error:  # a full disk does not name the file
                raise OSError(error.errno, error.strerror, str(output)) from None
        if as_json:
            told = {"model": result.model, "version": result.version, "seed": result.seed}
            print_json(told | {"encoding": {name: array.tolist() for name, array in arrays.items()}})
            return
        console = make_console()
        console.print(f"{result.model} {result.version}, seed {result.seed}")
        for name, array in arrays.items():
            console.print(f"{name}: {len(array)} of {'x'.join(map(str, array.shape[1:]))}")
        if output is not None:
            console.print(f"wrote {output}")

    run(work())


def _check_output(output: Path, overwrite: bool) -> None:
    """Refuses, before anything is asked, a file that could not be written afterwards."""
    if output.suffix != ".npz":
        raise invalid("--output", f"must end in .npz, got {output.name!r}")
    if not output.parent.is_dir():
        raise invalid("--output", f"is in a folder that does not exist: {str(output.parent)!r}")
    if output.exists() and not overwrite:
        raise invalid("--output", f"is there already: {str(output)!r}; add --overwrite, or name another file")
    if not os.access(output if output.exists() else output.parent, os.W_OK):
        raise invalid("--output", f"cannot be written by this user: {str(output)!r}")
