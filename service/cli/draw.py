"""Runs a drawing for a command: shows it in the terminal, and writes it to a file or to stdout."""

__all__ = ["draw_to"]

import asyncio
import os
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import numpy as np
import typer

from pentimento.program.console import make_console
from pentimento.service.cli.easel import DrawingRequest, Easel
from pentimento.service.cli.options import STDOUT, FileKind
from pentimento.service.cli.terminal import DrawingView
from pentimento.service.errors import invalid
from pentimento.service.messages import Floats, Frame
from pentimento.service.operations.boxes import Outlines, outlines
from pentimento.service.operations.codec import animation, encode_npy, film_strip

_SUFFIXES = {f".{kind}": kind for kind in FileKind}
_VISIBLE_PIXELS = 112  # the side that small canvases are enlarged to


async def draw_to(
    opening: AbstractAsyncContextManager[Easel],
    request: DrawingRequest,
    output: Path | None,
    kind: FileKind | None,
    scale: int | None,
    overwrite: bool,
) -> None:
    """Draws, shows the drawing on stderr as it grows, and writes it to a file if one is named.

    Args:
        opening: Opens the easel that draws.
        request: What to draw.
        output: File to write, `-` for stdout, or None.
        kind: What to write where the file's name does not say.
        scale: Pixels of the file for each pixel of a canvas; None makes small canvases visible.
        overwrite: Replace a file that is there.

    Raises:
        PentimentoError: The file cannot be written as it is asked for, or drawing failed.
        OSError: The file cannot be written.
    """
    kind = _checked_kind(output, kind, overwrite)
    if request.boxes and kind is FileKind.NPY:
        raise invalid("--boxes", "cannot be shown in .npy; write a .png, .gif or .apng")
    console = make_console(stderr=True)
    frames: list[Frame] = []
    async with opening as easel, easel.draw(request, exact=kind is FileKind.NPY) as sketch:
        with DrawingView(console) as view:
            view.begin(sketch.header)
            async for frame in sketch:
                frames.append(frame)
                await asyncio.sleep(view.show(frame, sketch.given))
            if sketch.given is not None:  # over HTTP it comes in the end
                view.finish(frames[-1], sketch.given)
        if sketch.header.conditioning is not None:
            console.print(sketch.header.conditioning)
        canvases = [frame.canvas for frame in frames]
        if sketch.given is not None and kind is FileKind.PNG:
            canvases.insert(0, sketch.given.repeat(len(canvases[0]), axis=0))  # the first column
        boxes: list[Outlines] = []
        if request.boxes:
            boxes = outlines(sketch.outputs, frames, blank=len(canvases) - len(frames))
    if output is None or kind is None:
        if not console.is_terminal:  # nobody has seen the pictures
            console.print("Nothing is written: -o strip.png keeps the drawing, and -o - writes it to stdout.")
        return
    data = _encode(np.stack(canvases, axis=1), kind, scale, boxes)
    if output == STDOUT:
        try:
            typer.echo(data, nl=False)
        except BrokenPipeError:
            raise
        except OSError as error:  # a full disk does not name the file
            raise OSError(error.errno, error.strerror, "stdout") from None
    else:
        try:
            await asyncio.to_thread(output.write_bytes, data)
        except OSError as error:  # likewise
            raise OSError(error.errno, error.strerror, str(output)) from None
        console.print(f"wrote {output}")


def _checked_kind(output: Path | None, kind: FileKind | None, overwrite: bool) -> FileKind | None:
    """What to write. Refuses, before anything is drawn, a file that could not be written afterwards."""
    if output is None:
        if kind is not None:
            raise invalid("--format", f"needs a file to write, such as --output drawing.{kind}")
        return None
    if output == STDOUT:
        kind = kind or FileKind.PNG
        if sys.stdout.isatty():
            message = f"- would write {kind} to this terminal; add a file or a program: > drawing.{kind}"
            raise invalid("--output", message)
        return kind
    named = _SUFFIXES.get(output.suffix.lower())
    if named is None and kind is None:
        known = ", ".join(_SUFFIXES)
        raise invalid("--output", f"must end in {known}, got {output.name!r}; --format says it otherwise")
    if named is not None and kind is not None and named is not kind:
        raise invalid("--format", f"must be {named} for --output {str(output)!r}, got {kind}")
    if not output.parent.is_dir():
        raise invalid("--output", f"is in a folder that does not exist: {str(output.parent)!r}")
    if output.is_dir():
        raise invalid("--output", f"must be a file, {str(output)!r} is a folder")
    if output.is_file() and output.stat().st_size and not overwrite:
        raise invalid("--output", f"is there already: {str(output)!r}; add --overwrite, or name another file")
    if not os.access(output if output.exists() else output.parent, os.W_OK):
        raise invalid("--output", f"cannot be written by this user: {str(output)!r}")
    return named or kind


def _encode(canvases: Floats, kind: FileKind, scale: int | None, boxes: list[Outlines]) -> bytes:
    """(n, steps, C, H, W) as a file of that kind."""
    if scale is None:
        scale = max(1, _VISIBLE_PIXELS // max(canvases.shape[-2:]))
    if kind is FileKind.NPY:
        return encode_npy(canvases)
    if kind is FileKind.PNG:
        return film_strip(canvases, scale, boxes)
    return animation(canvases, "gif" if kind is FileKind.GIF else "apng", scale, boxes)
