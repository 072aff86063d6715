"""Lanes of other processes: what goes between, who draws what, and that pictures are as on threads."""

import asyncio
import itertools
import socket

import numpy as np
import pytest

from pentimento.service.catalog.catalog import Catalog
from pentimento.service.engine.engine import Engine
from pentimento.service.engine.job import Emission
from pentimento.service.engine.lane.host import Hosts
from pentimento.service.engine.lane.inline import LaneInline
from pentimento.service.engine.lane.lane import Handed
from pentimento.service.engine.lane.link import LaneLink
from pentimento.service.engine.lane.peer import PeerLane
from pentimento.service.engine.lane.threads import LaneThreads
from pentimento.service.engine.lane.wire import Decoder, Grant, Hold, Report, encode
from pentimento.service.engine.runtime import Runtime
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.messages import GenerateRequest
from pentimento.service.operations.operations import Operations
from pentimento.service.settings import Settings
from tests.service.reading_toys import write_reading_toys
from tests.service.toys import write_toys


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    write_toys(folder)
    write_reading_toys(folder)
    return folder


def read(folder):
    return Catalog.load(folder, Runtime(provider="cpu"), default="toy-steps")


class Pair:
    """A front end, with a lane of its own or without, and the lane of another that it may use.

    Both are in this process and have catalogs of their own, as two processes would.
    """

    def __init__(self, folder, *, own):
        self.catalog, self.their_catalog = read(folder), read(folder)
        self.calls, self.their_calls = [], []
        self.own = LaneInline(self.calls.append)
        self.engine = Engine(*[self.own] if own else [], max_rows_in_flight=500, stream_frames=4)
        self.engine.start()
        self.operations = Operations(self.catalog, self.engine, Settings())
        self.lane = LaneInline(self.their_calls.append)
        self.hosts = Hosts(self.lane, itertools.count(1))
        self.lane.start(self.hosts.hand_over, lambda error: None)
        self.hosts.keep(self.their_catalog.graphs())

    async def join(self):
        ours, theirs = socket.socketpair()
        self.link = LaneLink(lambda message: self.peer.take(message), lambda: self.peer.end())
        self.peer = PeerLane("worker 1", self.link)
        far = LaneLink(lambda message: self.host.take(message), lambda: self.host.close())
        self.host = self.hosts.open(far.send)
        self.engine.add_peer(self.peer)
        await self.link.open(ours)
        await far.open(theirs)
        async with asyncio.timeout(5):
            while not self.peer.accepting:
                await asyncio.sleep(0.001)
        return self

    async def close(self):
        self.link.close()
        await self.engine.close()
        await self.lane.close()


@pytest.fixture
async def front_only(folder):
    pair = await Pair(folder, own=False).join()
    yield pair
    await pair.close()


@pytest.fixture
async def workers(folder):
    pair = await Pair(folder, own=True).join()
    yield pair
    await pair.close()


async def canvases(operations, request):
    async with await operations.generate(request) as drawing:
        return np.stack([frame.canvas async for frame in drawing])


async def test_pictures_are_those_that_threads_draw(folder, front_only):
    catalog = read(folder)
    threads = Engine(LaneThreads(1), max_rows_in_flight=500, stream_frames=4)
    threads.start()
    here = Operations(catalog, threads, Settings())
    asks = [
        GenerateRequest(model=model, n=n, seed=n)
        for model in ("toy-steps", "toy-rows", "toy-color")
        for n in (1, 3, 40)
    ]
    there = await asyncio.gather(*(canvases(front_only.operations, ask) for ask in asks))
    for ask, drawn in zip(asks, there, strict=True):
        np.testing.assert_array_equal(drawn, await canvases(here, ask))
    await threads.close()
    assert front_only.engine.rows_in_flight == front_only.peer.rows == front_only.lane.rows == 0
    assert {call.graph for call in front_only.their_calls} >= {"toy-steps/init", "toy-steps/step"}
    assert front_only.calls == []


async def test_a_large_request_is_shared_out_and_a_small_one_stays(workers):
    small = await canvases(workers.operations, GenerateRequest(n=8, seed=1))
    assert workers.their_calls == [] and workers.calls
    large = await canvases(workers.operations, GenerateRequest(n=64, seed=1))
    assert sum(call.rows for call in workers.their_calls) > 0
    np.testing.assert_array_equal(large[:, :8], small)


async def test_a_job_whose_graph_was_replaced_over_there_is_drawn_here(workers):
    kept = [graph for graph in workers.their_catalog.graphs() if not graph.label.startswith("toy-steps/")]
    before = await canvases(workers.operations, GenerateRequest(n=64, seed=1))
    workers.hosts.graphs = {(graph.label, graph.sha256): graph for graph in kept}  # and has not told yet
    workers.host.drop_plans()
    workers.their_calls.clear()
    after = await canvases(workers.operations, GenerateRequest(n=64, seed=1))
    np.testing.assert_array_equal(before, after)
    assert workers.their_calls == []
    workers.hosts.keep(kept)  # now it tells
    await asyncio.sleep(0.05)
    assert not workers.peer.has(set(workers.catalog.graphs()), 1)


async def test_without_a_lane_of_ones_own_such_a_job_is_to_be_asked_for_again(front_only):
    front_only.hosts.graphs = {}
    with pytest.raises(PentimentoError) as caught:
        await canvases(front_only.operations, GenerateRequest(seed=1))
    assert caught.value.code is Code.UNAVAILABLE and caught.value.retry_after_s


async def test_who_leaves_frees_the_rows_over_there(front_only):
    async with await front_only.operations.generate(GenerateRequest(n=4, steps=16)) as drawing:
        await anext(aiter(drawing))
        assert front_only.lane.rows == 4
    async with asyncio.timeout(5):
        while front_only.lane.rows:
            await asyncio.sleep(0.001)
    assert front_only.engine.rows_in_flight == 0


async def test_when_the_other_ends_its_drawings_end_with_internal_and_ours_go_on(workers):
    drawing = await workers.operations.generate(GenerateRequest(n=64, steps=16))
    workers.link.close()
    with pytest.raises(PentimentoError) as caught:
        await drawing.frames()
    assert caught.value.code is Code.INTERNAL
    assert len(await canvases(workers.operations, GenerateRequest(n=64, steps=3))) == 3
    async with asyncio.timeout(5):
        while workers.lane.rows:
            await asyncio.sleep(0.001)


async def test_the_other_knows_only_the_plans_of_late(front_only, monkeypatch):
    monkeypatch.setattr("pentimento.service.engine.lane.peer._PLANS", 3)
    for steps in (*range(1, 8), 1, 2):
        drawn = await canvases(front_only.operations, GenerateRequest(steps=steps, seed=1))
        assert len(drawn) == steps
    assert len(front_only.peer._plans) <= 3 and len(front_only.host._plans) <= 3


async def test_the_plans_that_the_other_knows_are_bounded_in_calls(front_only, monkeypatch):
    monkeypatch.setattr("pentimento.service.engine.lane.peer._CALLS", 30)
    for steps in (*range(1, 16), 1, 15):
        assert len(await canvases(front_only.operations, GenerateRequest(steps=steps, seed=1))) == steps
        assert sum(map(len, front_only.host._plans.values())) <= 30
    front_only.peer.keep(())
    assert front_only.peer._planned == 0


async def test_an_error_keeps_what_it_says_on_the_way():
    error = PentimentoError(Code.OVERLOADED, "no room", field="n", retry_after_s=2.0)
    (report,) = Decoder().feed(encode(Report.of([Handed(7, error, 0.5)])))
    (handed,) = report.handed()
    again = handed.event
    assert (again.code, again.message, again.field, again.retry_after_s) == (
        Code.OVERLOADED,
        "no room",
        "n",
        2.0,
    )
    assert (handed.job_id, handed.started_at) == (7, 0.5)


def test_reports_come_through_in_pieces_of_any_size():
    canvas = np.arange(24, dtype=np.float32).reshape(2, 1, 3, 4)
    emission = Emission(step=3, tensors={"canvas": canvas}, elapsed_us=12)
    sent = [Grant(1, 2), Report.of([Handed(1, emission, 1.5), Handed(1, None, 1.5)]), Hold(9)]
    stream = b"".join(map(encode, sent))
    for size in (1, 7, len(stream)):
        decoder, got = Decoder(), []
        for start in range(0, len(stream), size):
            got += decoder.feed(stream[start : start + size])
        assert [type(message) for message in got] == [Grant, Report, Hold]
        first, last = got[1].handed()
        assert first.event.step == 3 and last.event is None
        np.testing.assert_array_equal(first.event.tensors["canvas"], canvas)
