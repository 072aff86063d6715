"""Runs a drawing for a command: shows it in the terminal, and writes it to a file."""

__all__ = ["draw_to"]

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import numpy as np
from rich.console import Console

from pentimento.service.cli.easel import DrawingRequest, Easel
from pentimento.service.cli.terminal import DrawingView
from pentimento.service.errors import invalid
from pentimento.service.messages import Floats, Frame
from pentimento.service.operations.codec import animation, encode_npy, film_strip

SUFFIXES = (".png", ".gif", ".apng", ".npy")
_VISIBLE_PIXELS = 112  # the side that small canvases are enlarged to


async def draw_to(
    opening: AbstractAsyncContextManager[Easel],
    request: DrawingRequest,
    output: Path | None,
    scale: int | None,
    console: Console,
) -> None:
    """Draws, shows the drawing on a console as it grows, and writes it to a file if one is named.

    Args:
        opening: Opens the easel that draws.
        request: What to draw.
        output: File to write, or None.
        scale: Pixels of the file for each pixel of a canvas; None makes small canvases visible.
        console: Where the drawing is shown.

    Raises:
        PentimentoError: The file has a suffix that stands for no format, or drawing failed.
        OSError: The file cannot be written.
    """
    if output is not None:
        _check(output)
    frames: list[Frame] = []
    exact = output is not None and output.suffix == ".npy"
    async with opening as easel, easel.draw(request, exact=exact) as sketch:
        with DrawingView(console) as view:
            view.begin(sketch.header)
            async for frame in sketch:
                frames.append(frame)
                await asyncio.sleep(view.show(frame, sketch.given))
            if sketch.given is not None:  # over HTTP it comes in the end
                view.finish(frames[-1], sketch.given)
        if sketch.header.conditioning is not None:
            console.print(sketch.header.conditioning, highlight=False)
        canvases = [frame.canvas for frame in frames]
        if sketch.given is not None and output is not None and output.suffix == ".png":
            canvases.insert(0, sketch.given.repeat(len(canvases[0]), axis=0))  # the first column
    if output is not None:
        data = _encode(np.stack(canvases, axis=1), output.suffix, scale)
        await asyncio.to_thread(output.write_bytes, data)
        console.print(f"wrote {output}", highlight=False, soft_wrap=True)


def _check(output: Path) -> None:
    """Refuses, before anything is drawn, a file that could not be written afterwards."""
    if output.suffix not in SUFFIXES:
        raise invalid("--output", f"must end in {', '.join(SUFFIXES)}, got {output.name!r}")
    if not output.parent.is_dir():
        raise invalid("--output", f"is in a folder that does not exist: {str(output.parent)!r}")


def _encode(canvases: Floats, suffix: str, scale: int | None) -> bytes:
    """(n, steps, C, H, W) as the file that `suffix` stands for."""
    if scale is None:
        scale = max(1, _VISIBLE_PIXELS // max(canvases.shape[-2:]))
    if suffix == ".npy":
        return encode_npy(canvases)
    if suffix == ".png":
        return film_strip(canvases, scale)
    return animation(canvases, "gif" if suffix == ".gif" else "apng", scale)
