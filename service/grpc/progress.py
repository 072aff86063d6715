"""How messages come on that are not complete: by the bytes that the system has received for each connection.

gRPC says of a message when it is there, and nothing before. The system counts what a connection has brought.
Of that, all but complete messages is what has come of others, and how calls are begun, which is little.
"""

__all__ = ["Progress"]

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_WINDOW_S = 1.0  # over which speed is measured: some ways there and back, from wherever
_MOST_LINES = 8192  # that are kept before some are looked at whether they still exist


class _Sample(NamedTuple):
    at: float
    received: int
    whole: int


@dataclass(slots=True)
class _Line:
    """A connection."""

    whole: int = 0  # bytes of its complete messages
    samples: deque[_Sample] = field(default_factory=deque)  # from before its oldest message that is coming
    busy_since: float | None = None
    pending: int = 0
    speed: float = 0.0


class Progress:
    """What is known of the connections of one port. Belongs to one event loop.

    Args:
        measure: Gives the bytes that each connection has received since it began, by its peer as gRPC writes
            it; of those that it is asked for, if they exist. Where a system does not tell: nothing.
    """

    def __init__(self, measure: Callable[[set[str]], Mapping[str, int]]) -> None:
        self._measure = measure
        self._lines: dict[str, _Line] = {}
        self._busy: set[str] = set()  # those on which messages were coming at the last look
        self._most = _MOST_LINES

    def complete(self, peer: str, size: int) -> None:
        """Notes that a message of so many bytes has come whole."""
        line = self._lines.get(peer)
        if line is None:
            if len(self._lines) >= self._most:
                self._forget()
            line = self._lines[peer] = _Line()
        line.whole += size

    def look(self, now: float, oldest: Mapping[str, float]) -> None:
        """Measures the connections on which messages are coming.

        Args:
            now: On a clock that only grows.
            oldest: Since when the oldest of these is waited for, by peer.
        """
        for peer in self._busy - oldest.keys():
            if (line := self._lines.get(peer)) is not None:
                line.busy_since = None
        received = self._measure(set(oldest))
        self._busy = set(received)
        for peer, count in received.items():
            line = self._lines.setdefault(peer, _Line())
            if line.busy_since is None:
                line.busy_since = now
            _measure(line, _Sample(now, count, line.whole), oldest[peer])

    def moves(self, peer: str, now: float, bytes_per_s: float) -> bool:
        """Whether a connection brings so many bytes a second, or has not been looked at for long."""
        line = self._lines.get(peer)
        if line is None or line.busy_since is None:
            return False
        return now - line.busy_since < _WINDOW_S or line.speed >= bytes_per_s

    def pending(self, peer: str) -> int:
        """The most bytes that may have come of messages that are not complete."""
        line = self._lines.get(peer)
        return 0 if line is None or line.busy_since is None else line.pending

    def _forget(self) -> None:
        """Forgets connections that are over."""
        there = self._measure(set(self._lines))
        self._lines = {peer: line for peer, line in self._lines.items() if peer in there}
        self._most = max(_MOST_LINES, 2 * len(self._lines))


def _measure(line: _Line, sample: _Sample, oldest: float) -> None:
    """Takes a sample of a connection whose oldest message that is coming is waited for since `oldest`."""
    samples = line.samples
    while len(samples) > 1 and samples[1].at <= oldest:
        samples.popleft()
    # Where nothing is known of the time before, whatever the connection ever brought beside whole messages.
    before = samples[0] if samples and samples[0].at <= oldest else _Sample(0.0, 0, 0)
    line.pending = (sample.received - before.received) - (sample.whole - before.whole)
    earlier = [each for each in list(samples)[-2:] if sample.at - each.at >= _WINDOW_S]
    if earlier:
        line.speed = (sample.received - earlier[-1].received) / (sample.at - earlier[-1].at)
    if not samples or sample.at - samples[-1].at >= _WINDOW_S:
        samples.append(sample)
