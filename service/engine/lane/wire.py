"""Messages between a process that has jobs and one that has a lane: pickles, each with its length before it.

Both ends are this program, and nobody else has the socket.
"""

__all__ = [
    "Cancel",
    "Decoder",
    "DropPlan",
    "GraphName",
    "Grant",
    "Hold",
    "NewJob",
    "NewPlan",
    "PlannedCall",
    "Report",
    "Returned",
    "Serves",
    "encode",
]

import pickle
import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pentimento.service.engine.calibration import RowLimits
from pentimento.service.engine.job import Emission, Feed
from pentimento.service.engine.lane.lane import Handed
from pentimento.service.engine.rows import Array
from pentimento.service.errors import PentimentoError

_LENGTH = struct.Struct("<Q")


GraphName = tuple[str, str]
"""`bundle/graph` and the SHA-256 of its file: what one process calls a graph that another has, too."""


# To whom has the lane:


class PlannedCall(NamedTuple):
    """A `Call` whose graph is named."""

    graph: GraphName
    t: int
    takes_t: bool
    feeds: Mapping[str, Feed]
    keeps: Mapping[str, str]
    emits: tuple[str, ...]
    step: int


class NewPlan(NamedTuple):
    """A plan that jobs will follow, and the key that they name it by; it comes before them."""

    key: int
    calls: Sequence[PlannedCall]


class DropPlan(NamedTuple):
    """A plan to forget, as no new job follows it."""

    key: int


class NewJob(NamedTuple):
    """An admitted job; times on the system's monotonic clock, which all processes share."""

    id: int
    rows: int
    plan: int
    tensors: Mapping[str, Array]
    deadline: float
    room: int
    admitted_at: float


class Grant(NamedTuple):
    """Gives a job room for more frames."""

    job_id: int
    frames: int


class Hold(NamedTuple):
    """Keeps a job's frames until its end."""

    job_id: int


class Cancel(NamedTuple):
    """Drops a job whose reader is gone."""

    job_id: int


# From whom has the lane:


class Serves(NamedTuple):
    """The graphs that its jobs may call from now on, with the row limits that were chosen for them."""

    graphs: Mapping[GraphName, RowLimits]


class Returned(NamedTuple):
    """A job that it cannot run, as a reload has just replaced a graph; nothing of it was computed."""

    job_id: int


class Report(NamedTuple):
    """Frames and ends for the streams, packed."""

    packed: Sequence[tuple[object, ...]]

    @classmethod
    def of(cls, handed: Sequence[Handed]) -> "Report":
        """Packs them in plain tuples: pickle takes several times as long for our classes and for arrays."""
        return cls([_pack(each) for each in handed])

    def handed(self) -> list[Handed]:
        """Unpacks what goes to the streams; its arrays are read-only."""
        return [_unpack(*each) for each in self.packed]  # type: ignore[arg-type]


_Packed = tuple[str, str, tuple[int, ...], bytes]


def _pack(handed: Handed) -> tuple[object, ...]:
    event = handed.event
    if not isinstance(event, Emission):
        return (handed.job_id, handed.started_at, event)
    tensors = [
        (name, values.dtype.str, values.shape, values.tobytes()) for name, values in event.tensors.items()
    ]
    return (handed.job_id, handed.started_at, event.step, event.elapsed_us, tensors)


def _unpack(
    job_id: int,
    started_at: float | None,
    event_or_step: int | PentimentoError | None,
    elapsed_us: int = 0,
    tensors: Sequence[_Packed] = (),
) -> Handed:
    if not isinstance(event_or_step, int):
        return Handed(job_id, event_or_step, started_at)
    arrays = {name: np.frombuffer(content, dtype).reshape(shape) for name, dtype, shape, content in tensors}
    return Handed(job_id, Emission(step=event_or_step, tensors=arrays, elapsed_us=elapsed_us), started_at)


def encode(message: NamedTuple) -> bytes:
    """Pickles a message, with its length in 8 bytes before it."""
    content = pickle.dumps(message, protocol=5)
    return _LENGTH.pack(len(content)) + content


class Decoder:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[object]:
        """Takes the next bytes and returns the messages that are complete with them."""
        self._buffer += data
        messages: list[object] = []
        start = 0
        while len(self._buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, start)
            stop = start + _LENGTH.size + length
            if len(self._buffer) < stop:
                break
            with memoryview(self._buffer) as whole, whole[start + _LENGTH.size : stop] as content:
                messages.append(pickle.loads(content))
            start = stop
        del self._buffer[:start]
        return messages
