"""A worker as its parent sees it: a process, a channel to it, and when it was last heard of."""

__all__ = ["Child"]

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from pentimento.service import children
from pentimento.service.catalog.trials import Verdict
from pentimento.service.group import Slot
from pentimento.service.telemetry.sums import Counts
from pentimento.service.workers.channel import Begin, Channel, Failed, NewPeer, Opened, Started

_PROGRAM = ("-m", "pentimento.service.workers.worker")


class Child:
    """One process.

    Args:
        begin: What it is.
        board: Descriptor of the board.
        slot: Its numbers there.
        answer: What it may ask for, by name.
        program: Arguments of Python that run a worker, before the number of its socket.
    """

    def __init__(
        self,
        begin: Begin,
        board: int,
        slot: Slot,
        answer: Callable[[str, object], Awaitable[object]],
        program: Sequence[str] = _PROGRAM,
    ) -> None:
        self.begin, self.slot = begin, slot
        self.number = begin.number
        self.counts: Counts = {}  # as it last said
        self.served = ""  # what it serves, as a digest
        self.began = time.monotonic()
        self.told = False  # what it is
        self.missed = 0  # looks since its event loop last went round
        self.started: asyncio.Future[Started | Failed] = asyncio.get_running_loop().create_future()
        self.opened = asyncio.Event()  # it takes clients, or is gone
        self._program, self._answer, self._board = program, answer, board
        self._beat = -1

    async def open(self) -> None:
        """Starts the process. Raises OSError: there are no descriptors, no memory, no processes left."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self.process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    children.ISOLATED,
                    *self._program,
                    str(theirs.fileno()),
                    pass_fds=(theirs.fileno(),),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    env=children.environment(),  # settings and keys come by the channel
                )
            except OSError:
                ours.close()
                raise
        self.channel = Channel(ours, self._take, self._answer, lambda: None)

    def tell(self, tried: Mapping[str, Verdict]) -> None:
        """Says what it is, and what came of trials of graphs; it then begins."""
        self.channel.send(self.begin._replace(tried=tried), self._board)
        self.told = True

    async def wait(self) -> int:
        """Waits for the end of the process, and returns its exit code, negative for a signal."""
        code = await self.process.wait()
        self.channel.close()
        self.opened.set()  # nobody need wait any more
        if not self.started.done():
            self.started.set_result(Failed(f"worker {self.number} ended at its start, with code {code}", 1))
        return code

    def introduce(self, other: "Child") -> None:
        """Connects it with another worker."""
        for_this, for_other = socket.socketpair()
        with for_this, for_other:
            self.channel.send(NewPeer(other.number), for_this.fileno())
            other.channel.send(NewPeer(self.number), for_other.fileno())

    @property
    def serves(self) -> bool:
        """Whether it has started, and answers."""
        return self.started.done() and isinstance(self.started.result(), Started) and not self.channel.over

    def looks_stuck(self, looks: int, call_s: float) -> str:
        """Why it is to be replaced; empty if it need not be. Called at regular times.

        Args:
            looks: As many in a row without a round of its event loop are too many. They are counted, and no
                time is measured: when a machine was asleep, so was who looks.
            call_s: Seconds that a graph call in its thread may take.
        """
        if not self.serves:
            return ""
        beat = self.slot.read("beat")
        self.missed = self.missed + 1 if beat == self._beat else 0
        self._beat = beat
        if self.missed >= looks:
            return "its event loop does not go round"
        since_ms = self.slot.read("call_since_ms")
        if since_ms and time.monotonic() - since_ms / 1000 > call_s:
            return f"a graph call takes more than {call_s:g} s"
        return ""

    @property
    def age_s(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.began

    def kill(self) -> None:
        """Ends the process at once."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    def _take(self, message: object, handle: int | None) -> None:
        if isinstance(message, (Started, Failed)) and not self.started.done():
            self.started.set_result(message)
        elif isinstance(message, Opened):
            self.opened.set()
