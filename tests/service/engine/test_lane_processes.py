"""Lanes as processes: what goes between, what they keep, and that pictures are the same as on threads."""

import asyncio

import numpy as np
import pytest

from pentimento.service.catalog.catalog import Catalog
from pentimento.service.engine.engine import Engine
from pentimento.service.engine.job import Emission
from pentimento.service.engine.lane.lane import CallFacts, Handed
from pentimento.service.engine.lane.process import LaneProcess
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


@pytest.fixture
async def serving(folder):
    """Operations on two lane processes."""
    catalog = Catalog.load(folder, Runtime(provider="cpu"), default="toy-steps")
    calls = []
    engine = Engine(
        LaneProcess("lane 0", calls.append),
        LaneProcess("lane 1", calls.append),
        max_rows_in_flight=500,
        stream_frames=4,
    )
    engine.start()
    engine.keep(catalog.graphs())
    await engine.ready()
    yield Operations(catalog, engine, Settings()), engine, catalog, calls
    await engine.close()


async def canvases(operations, request):
    async with await operations.generate(request) as drawing:
        return np.stack([frame.canvas async for frame in drawing])


async def test_pictures_are_those_that_threads_draw(folder, serving):
    operations, engine, _, calls = serving
    catalog = Catalog.load(folder, Runtime(provider="cpu"), default="toy-steps")
    threads = Engine(LaneThreads(1), max_rows_in_flight=500, stream_frames=4)
    threads.start()
    here = Operations(catalog, threads, Settings())
    asks = [
        GenerateRequest(model=model, n=n, seed=n)
        for model in ("toy-steps", "toy-rows", "toy-color")
        for n in (1, 3, 40)
    ]
    there = await asyncio.gather(*(canvases(operations, ask) for ask in asks))
    for ask, drawn in zip(asks, there, strict=True):
        np.testing.assert_array_equal(drawn, await canvases(here, ask))
    await threads.close()
    assert engine.rows_in_flight == 0
    assert {call.graph for call in calls} >= {"toy-steps/init", "toy-steps/step", "toy-rows/step"}


async def test_both_lanes_are_used_and_both_forget_what_is_over(serving):
    operations, engine, _, _ = serving
    async with await operations.generate(GenerateRequest(n=4)) as first:
        async with await operations.generate(GenerateRequest(n=4)) as second:
            loads = list(engine._load.values())
            assert loads[0] == loads[1] > 0
            await second.frames()
        await first.frames()
    assert list(engine._load.values()) == [0, 0]


async def test_a_lane_knows_only_the_plans_of_late(serving, monkeypatch):
    operations, engine, _, _ = serving
    monkeypatch.setattr("pentimento.service.engine.lane.process._PLANS", 3)
    for steps in (*range(1, 8), 1, 2):
        assert len(await canvases(operations, GenerateRequest(steps=steps, seed=1))) == steps
    assert all(len(lane._plans) <= 3 for lane in engine._lanes)


async def test_graphs_that_are_not_kept_are_forgotten_and_known_again_when_asked_for(serving):
    operations, engine, catalog, _ = serving
    before = await canvases(operations, GenerateRequest(seed=1))
    engine.keep([graph for graph in catalog.graphs() if not graph.label.startswith("toy-steps/")])
    for lane in engine._lanes:
        assert not any(graph.label.startswith("toy-steps/") for graph in lane._graphs)
    np.testing.assert_array_equal(await canvases(operations, GenerateRequest(seed=1)), before)


async def test_an_error_keeps_what_it_says_on_the_way():
    error = PentimentoError(Code.OVERLOADED, "no room", field="n", retry_after_s=2.0)
    (report,) = Decoder().feed(encode(Report.of([Handed(7, error, 0.5)], [])))
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
    calls = [CallFacts("a/step", 2, 1, 0.25)]
    sent = [Grant(1, 2), Report.of([Handed(1, emission, 1.5), Handed(1, None, 1.5)], calls), Hold(9)]
    stream = b"".join(map(encode, sent))
    for size in (1, 7, len(stream)):
        decoder, got = Decoder(), []
        for start in range(0, len(stream), size):
            got += decoder.feed(stream[start : start + size])
        assert [type(message) for message in got] == [Grant, Report, Hold]
        first, last = got[1].handed()
        assert first.event.step == 3 and last.event is None
        np.testing.assert_array_equal(first.event.tensors["canvas"], canvas)
        assert got[1].call_facts() == calls


async def test_a_lane_that_cannot_start_is_said_at_once(folder, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    lane = LaneProcess("lane 0")
    lane.start(lambda _: None, lambda _: None)
    with pytest.raises(RuntimeError, match="lane 0 ended unexpectedly"):
        await asyncio.wait_for(lane.ready(), 10)
    await lane.close()
