"""Shows a drawing in the terminal as it grows: truecolor half blocks, two pixels a character; or plain lines.

Shapes: n images, C channels, H x W pixels; canvases are float32 in [0, 1].
"""

__all__ = ["DrawingView", "Layout", "Pictures", "lay_out"]

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import ceil
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.color import Color
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from pentimento.service.messages import Floats, Frame, Header, Scores
from pentimento.service.operations.codec import to_uint8

Bytes = NDArray[np.uint8]

_MAX_ENLARGED = 2  # beyond that a small picture only gets blocky
_MIN_SIDE = 8  # pixels; smaller pictures say nothing, so fewer are shown
_HEADROOM = 5  # lines of the terminal that are left for text
_SHADES = " .:-=+*#%@"
_LOOK_S, _MAX_FRAME_S = 1.5, 0.25  # a drawing of a millisecond is shown slowly enough to be seen growing


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Where pictures go: `shown` of them in `columns`, each `width` x `height` pixels.

    A character has two pixels, one above the other; so `height` is even.
    """

    shown: int
    columns: int
    width: int
    height: int


def lay_out(n: int, image: tuple[int, int], room: tuple[int, int]) -> Layout:
    """Arranges pictures in a grid, as large as the terminal allows, and fewer where they would be too small.

    Args:
        n: How many there are.
        image: Height and width of a picture, in pixels.
        room: Lines and columns of the terminal that may be used.
    """
    height, width = image
    lines, characters = max(1, room[0]), max(1, room[1])
    for shown in range(n, 0, -1):
        best: tuple[float, int] = (0.0, 1)
        for columns in range(1, shown + 1):
            rows = ceil(shown / columns)
            across = (characters + 1) // columns - 1  # one column between neighbours
            down = 2 * ((lines + 1) // rows - 1)  # one line between rows
            best = max(best, (min(across / width, down / height, _MAX_ENLARGED), columns))
        scale, columns = best
        if shown == 1 or scale >= 1 or scale * min(height, width) >= min(_MIN_SIDE, height, width):
            break
    scale = float(int(scale)) if scale > 1 else scale
    return Layout(
        shown=shown,
        columns=columns,
        width=max(1, int(width * scale)),
        height=max(2, int(height * scale) // 2 * 2),
    )


class Pictures:
    """Canvases in a grid, as rich can print them.

    Args:
        canvas: In [0, 1], (n, C, H, W).
    """

    def __init__(self, canvas: Floats) -> None:
        self.canvas = canvas

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        n, _, height, width = self.canvas.shape
        room = (console.height - _HEADROOM, options.max_width)
        layout = lay_out(n, (height, width), room)
        pictures = [_resize(picture, layout) for picture in to_uint8(self.canvas[: layout.shown])]
        plain = console.no_color or console.color_system is None or options.ascii_only
        draw = _shades if plain else _half_blocks
        for start in range(0, layout.shown, layout.columns):
            row = pictures[start : start + layout.columns]
            if start:
                yield Segment.line()
            for y in range(0, layout.height, 2):
                for i, picture in enumerate(row):
                    if i:
                        yield Segment(" ")
                    yield from draw(picture[y], picture[y + 1])
                yield Segment.line()
        if layout.shown < n:
            yield Text(f"the first {layout.shown} of {n} images", style="dim")


class DrawingView:
    """Shows a drawing on a console: pictures that change in place on a terminal, else a line a step.

    Args:
        console: Where to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._header: Header | None = None
        self._shown_at = 0.0

    def __enter__(self) -> Self:
        # A terminal without a cursor to move, such as an editor's, gets lines like a file.
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, header: Header) -> None:
        """Takes the drawing's header; without a terminal, prints its title."""
        self._header = header
        if self._live is None:
            self._console.print(_title(header), soft_wrap=True)

    def show(self, frame: Frame, given: Floats | None = None) -> float:
        """Shows a canvas.

        Args:
            frame: With the canvas.
            given: The picture that the drawing starts from, (1, C, H, W), to be shown before the others.

        Returns:
            Seconds for which it should stay.
        """
        assert self._header is not None
        steps = self._header.steps
        text = f"step {frame.step} of {steps}{_opinion(frame.scores)}"
        if self._live is None:
            self._console.print(text, soft_wrap=True)
            return 0.0
        canvas = frame.canvas
        if given is not None:
            canvas, text = np.concatenate([given, canvas]), f"{text}; first the given picture"
        lines = (Text(_title(self._header)), Pictures(canvas), Text(text, style="dim"))
        self._live.update(Group(*lines), refresh=True)
        now, stay = time.monotonic(), min(_MAX_FRAME_S, _LOOK_S / steps)
        late, self._shown_at = now - self._shown_at, now
        return max(0.0, stay - late) if frame.step > 1 else stay

    def finish(self, frame: Frame, given: Floats) -> None:
        """Shows the last canvas again, with the given picture before it; on a terminal only."""
        if self._live is not None:
            self.show(frame, given)


def _title(header: Header) -> str:
    title, by = f"{header.model} {header.version}, seed {header.seed}", header.scored_by
    if by is None:
        return title
    hint = ": more is more real, no probability" if by.kind == "critic" else ""
    return f"{title}; scored by {by.model} {by.version}, a {by.kind}{hint}"


def _opinion(scores: Scores | None) -> str:
    if scores is None:
        return ""
    if scores.probability is not None:
        return "; real? " + " ".join(f"{value:.0%}" for value in scores.probability[:16])
    return "; critic " + " ".join(f"{value:.2f}" for value in scores.logit[:16])


def _resize(picture: Bytes, layout: Layout) -> Bytes:
    """(C, H, W) -> (height, width, 3) of the layout."""
    planes = np.broadcast_to(picture, (3, *picture.shape[1:])).transpose(1, 2, 0)
    enlarged = layout.width >= picture.shape[2]
    how = Image.Resampling.NEAREST if enlarged else Image.Resampling.BOX
    image = Image.fromarray(np.ascontiguousarray(planes)).resize((layout.width, layout.height), how)
    return np.asarray(image)


def _half_blocks(above: Bytes, below: Bytes) -> Iterator[Segment]:
    """One line of characters from two of pixels, (width, 3) each; a run of equal pixels is one segment."""
    pairs = zip(map(tuple, above.tolist()), map(tuple, below.tolist()), strict=True)
    for (top, bottom), run in groupby(pairs):
        yield Segment("▀" * sum(1 for _ in run), _style(top, bottom))


def _shades(above: Bytes, below: Bytes) -> Iterator[Segment]:
    """The same line without colours: characters from dark to bright."""
    brightness = (above.mean(axis=1) + below.mean(axis=1)) / 510
    yield Segment("".join(_SHADES[min(int(value * len(_SHADES)), len(_SHADES) - 1)] for value in brightness))


@lru_cache(maxsize=4096)
def _style(top: tuple[int, int, int], bottom: tuple[int, int, int]) -> Style:
    return Style(color=Color.from_rgb(*top), bgcolor=Color.from_rgb(*bottom))
