"""What was found in a data set's pictures, and what was done to them: counted, and said in two lines."""

__all__ = ["Made"]

from collections import Counter
from dataclasses import dataclass, field

from pentimento.pictures.reading import Picture
from pentimento.pictures.shaping import Fit

_SHOWN = 4  # sizes and the like in a line


@dataclass(slots=True)
class Made:
    """What was found and what was done, counted."""

    formats: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)

    def count(self, picture: Picture, channels: int, side: int, fit: Fit) -> None:
        """Counts a picture that was made square, `side` pixels wide, with so many channels."""
        width, height = picture.image.size
        self.formats[picture.format] += 1
        self.sizes[f"{width}x{height}"] += 1
        self.kinds[picture.kind] += 1
        self.changes["turned as their EXIF says"] += picture.turned
        self.changes["laid on black where transparent"] += picture.is_transparent
        self.changes["made grey"] += picture.has_colour and channels == 1
        self.changes["made RGB of grey"] += not picture.has_colour and channels == 3
        self.changes["brought from 16 to 8 bits"] += picture.bits > 8
        self.changes["cropped to a square"] += fit == "crop" and width != height
        self.changes["stretched to a square"] += fit == "resize" and width != height
        self.changes["scaled"] += fit != "exact" and (width, height) != (side, side)

    def lines(self, channels: int, side: int, fit: Fit) -> list[str]:
        """Two lines: what was found, and what was made of it."""
        changed = [f"{count} {what}" for what, count in self.changes.items() if count]
        return [
            f"found: {_most(self.formats)}; {_most(self.kinds)}; {_most(self.sizes)} pixels",
            f"made: {side}x{side} {'grey' if channels == 1 else 'RGB'} with --fit {fit}: "
            f"{', '.join(changed) or 'nothing was changed'}",
        ]


def _most(counted: Counter[str]) -> str:
    """The most frequent with their numbers: "28x28 (12), 33x32 (2), 5 others"."""
    if len(counted) == 1:
        return next(iter(counted))
    shown = [f"{name} ({count})" for name, count in counted.most_common(_SHOWN)]
    others = len(counted) - len(shown)
    return ", ".join([*shown, *([f"{others} others"] if others > 0 else [])])
