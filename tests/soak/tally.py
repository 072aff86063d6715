"""Counts the requests of a soak, samples the server's memory, and makes the tables of the report."""

__all__ = ["Memory", "Tally", "table"]

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tests.reliability.server import ServerProcess

_SAMPLE_S = 2.0


@dataclass
class Tally:
    """How requests ended, by kind and end, and sentences about ends that may not be."""

    ends: dict[str, Counter[str]] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """Number of all requests."""
        return sum(sum(counter.values()) for counter in self.ends.values())

    def note(self, kind: str, end: str, *, expected: bool, detail: str = "") -> None:
        """Counts the end of a request; one that was not expected is kept with its detail."""
        self.ends.setdefault(kind, Counter())[end] += 1
        if not expected:
            self.unexpected.append(f"{kind}: {end}: {detail[:300]}")

    def rows(self) -> list[tuple[str, ...]]:
        """A row of the table for each kind of request."""
        return [
            (kind, str(sum(ends.values())), ", ".join(f"{end} {count}" for end, count in ends.most_common()))
            for kind, ends in sorted(self.ends.items())
        ]


class Memory:
    """A server's resident memory, sampled in the background."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._started = time.monotonic()
        self.seconds: list[float] = []
        self.bytes: list[int] = []

    async def watch(self) -> None:
        """Samples the resident memory until cancelled."""
        while True:
            self.seconds.append(time.monotonic() - self._started)
            self.bytes.append(self._server.rss)
            await asyncio.sleep(_SAMPLE_S)

    @property
    def slope(self) -> float:
        """Growth in bytes a minute over the second half: in the first, pools and caches fill."""
        half = len(self.seconds) // 2
        return float(np.polyfit(self.seconds[half:], self.bytes[half:], 1)[0]) * 60

    def rows(self, count: int = 10) -> list[tuple[str, ...]]:
        """Rows of a table: `count` moments, evenly spread, each with the memory then."""
        places = np.linspace(0, len(self.bytes) - 1, min(count, len(self.bytes))).astype(int)
        return [(f"{self.seconds[i] / 60:.1f} min", f"{self.bytes[i] / 1e6:.1f} MB") for i in places]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as Markdown."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in (head, *rows)
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])
