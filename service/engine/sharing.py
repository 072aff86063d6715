"""The lane of a worker among those of the others: what it takes from them, and what they take from it."""

__all__ = ["Sharing", "make_lane"]

import asyncio
import itertools
import socket
import time
from collections.abc import Callable, Mapping, Sequence

from pentimento.service.engine.calibration import RowLimits
from pentimento.service.engine.engine import Engine
from pentimento.service.engine.job import Graph
from pentimento.service.engine.lane.host import Hosts
from pentimento.service.engine.lane.inline import LaneInline
from pentimento.service.engine.lane.lane import Lanes, Observe
from pentimento.service.engine.lane.link import LaneLink
from pentimento.service.engine.lane.peer import PeerLane
from pentimento.service.engine.lane.threads import LaneThreads
from pentimento.service.engine.lane.wire import GraphName
from pentimento.service.engine.memory import give_back_memory
from pentimento.service.engine.room import Held
from pentimento.service.engine.runtime import OnnxGraph
from pentimento.service.group import Group


def make_lane(device: str, observe: Observe, on_call: Callable[[bool], None] = lambda _: None) -> Lanes:
    """The lane of a process: on the event loop, or a thread where calls wait for a GPU."""
    return LaneInline(observe, on_call) if device == "cpu" else LaneThreads(1, observe)


class Sharing:
    """What a worker has to do with the other workers of its server.

    Args:
        group: The others.
        device: Where graphs run.
        observe: Told about every graph call here.
    """

    def __init__(self, group: Group, device: str, observe: Observe) -> None:
        self.group = group
        self._ids = itertools.count(1)
        self.lane = make_lane(device, observe, self._note_call) if group.has_lane else None
        self.hosts = None if self.lane is None else Hosts(self.lane, self._ids, self._note_lane)
        self._graphs: Sequence[Graph] = ()
        self._engine: Engine | None = None

    def make_engine(
        self, *, max_rows_in_flight: int, max_values_in_flight: int, stream_frames: int
    ) -> Engine:
        """The engine of a front end: on the lane here, if there is one, and on those of the others."""
        self._engine = Engine(
            *([] if self.lane is None else [self.lane]),
            max_rows_in_flight=max_rows_in_flight,
            max_values_in_flight=max_values_in_flight,
            stream_frames=stream_frames,
            ids=self._ids,
            held_elsewhere=self._held_elsewhere,
            others=lambda handed: None if self.hosts is None else self.hosts.hand_over(handed),
            on_held=self._note_held,
        )
        return self._engine

    async def join(self, number: int, sock: socket.socket) -> None:
        """Begins with another worker, which is at the other end of a socket."""
        link = LaneLink(lambda message: take(message), lambda: end())
        host = None if self.hosts is None else self.hosts.open(link.send)
        peer: PeerLane | None = None
        if self._engine is not None:
            theirs = self.group.board.slots[number]
            peer = PeerLane(f"worker {number}", link, lambda: theirs.read("lane_rows"), self._adopt)
            self._engine.add_peer(peer)

        def take(message: object) -> None:
            for end_of_it in (peer, host):
                if end_of_it is not None:
                    end_of_it.take(message)

        def end() -> None:
            if peer is not None and self._engine is not None:
                self._engine.remove_peer(peer)
                peer.end()
            if host is not None:
                host.close()

        await link.open(sock)

    async def await_lane(self) -> None:
        """Waits until there is a lane, if that is another worker's."""
        while self._engine is not None and not self._engine.accepting:
            await asyncio.sleep(0.01)

    async def idle(self, grace_s: float) -> None:
        """Waits until nothing of others runs here, for so many seconds at most: they may drain, too."""
        if self.hosts is not None:
            await self.hosts.idle(grace_s)

    def keep(self, graphs: Sequence[Graph]) -> None:
        """Says which graphs are served now; without a lane, frees the sessions here, which nobody calls."""
        self._graphs = graphs
        if self._engine is not None:
            self._engine.keep(graphs)
        if self.hosts is not None:
            self.hosts.keep(graphs)
            return
        for graph in graphs:
            if isinstance(graph, OnnxGraph):
                graph.unload()
        give_back_memory()

    def beat(self) -> None:
        """Shows the others that the event loop goes round, and how much its lane has to do."""
        slot = self.group.slot
        slot.write("beat", slot.read("beat") + 1)
        self._note_lane()

    def _held_elsewhere(self) -> Held:
        board, number = self.group.board, self.group.number
        return Held(board.elsewhere(number, "rows"), board.elsewhere(number, "values"))

    def _note_held(self, held: Held) -> None:
        self.group.slot.write("rows", held.rows)
        self.group.slot.write("values", held.values)
        self._note_lane()

    def _note_lane(self) -> None:
        if self.lane is not None:
            self.group.slot.write("lane_rows", self.lane.rows)

    def _note_call(self, begins: bool) -> None:
        self.group.slot.write("call_since_ms", round(time.monotonic() * 1000) if begins else 0)

    def _adopt(self, limits: Mapping[GraphName, RowLimits]) -> None:
        """Takes the row limits from who calls the graphs, if that is another worker."""
        if self.lane is None:
            for graph in self._graphs:
                if isinstance(graph, OnnxGraph) and (graph.label, graph.sha256) in limits:
                    graph.limits = limits[graph.label, graph.sha256]
