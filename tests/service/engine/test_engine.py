"""The engine with real lanes: batching, cancelling, deadlines, failures, draining. Graphs are numpy fakes."""

import asyncio
import gc
import threading
import weakref

import numpy as np
import pytest

from pentimento.service.engine.engine import Engine, Submission
from pentimento.service.engine.lane.inline import LaneInline
from pentimento.service.engine.lane.threads import LaneThreads
from pentimento.service.errors import Code, PentimentoError
from tests.service.plans import drawing


class CountingGraph:
    """x -> x + 1; can be held, and can fail for rows that hold a given value."""

    label = "toy/step"
    quick_rows = 0  # it may be held: never on the event loop

    def __init__(self, *, max_rows=8, poison=None):
        self.max_rows = max_rows
        self.poison = poison
        self.batches = []  # rows of each call
        self.steps = []  # distinct t of each call
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)

    def run(self, feeds):
        self.entered.release()
        assert self.gate.wait(10)
        self.batches.append(len(feeds["x"]))
        self.steps.append(sorted(set(feeds["t"].tolist())))
        if self.poison is not None and (feeds["x"] == self.poison).any():
            raise RuntimeError("poisoned")
        return {"next.x": feeds["x"] + 1}


def rows(graph, steps, *, start=0.0, count=1):
    x = np.full((count, 1), start, dtype=np.float32)
    return Submission(rows=count, plan=drawing(graph, steps), tensors={"x": x})


@pytest.fixture(params=["threads", "inline"])
async def make_engine(request):
    engines = []

    def make(*, lanes=1, **options):
        defaults = {"max_rows_in_flight": 100, "stream_frames": 4}
        chosen = LaneThreads(lanes) if request.param == "threads" else LaneInline()
        engine = Engine(chosen, **(defaults | options))
        engine.start()
        engines.append(engine)
        return engine

    yield make
    for engine in engines:
        await engine.close()


async def read(stream):
    return [float(emission.tensors["x"][0, 0]) async for emission in stream]


async def entered(graph):
    assert await asyncio.to_thread(graph.entered.acquire, timeout=10)


async def eventually(condition):
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came true")


@pytest.mark.parametrize("lanes", [1, 3])
async def test_every_job_gets_its_own_frames_in_order(make_engine, lanes):
    graph = CountingGraph()
    engine = make_engine(lanes=lanes, stream_frames=2)
    tickets = engine.submit([rows(graph, 5, start=10.0 * i) for i in range(12)], timeout_s=10)
    drawn = await asyncio.gather(*(read(ticket.stream) for ticket in tickets))
    assert drawn == [[10.0 * i + t for t in range(1, 6)] for i in range(12)]
    assert engine.rows_in_flight == 0


async def test_a_newcomer_joins_jobs_that_are_mid_drawing(make_engine):
    graph = CountingGraph()
    engine = make_engine()
    graph.gate.clear()
    (early,) = engine.submit([rows(graph, 3)], timeout_s=10)
    await entered(graph)
    (late,) = engine.submit([rows(graph, 3)], timeout_s=10)
    graph.gate.set()
    await asyncio.gather(read(early.stream), read(late.stream))
    assert graph.steps == [[0], [0, 1], [1, 2], [2]]


async def test_a_slow_reader_pauses_alone(make_engine):
    graph = CountingGraph()
    engine = make_engine(stream_frames=2)
    slow, quick = engine.submit([rows(graph, 6), rows(graph, 6)], timeout_s=10)
    assert await read(quick.stream) == [1, 2, 3, 4, 5, 6]
    assert slow.job.position == 2  # as many as its stream has room for
    assert await read(slow.stream) == [1, 2, 3, 4, 5, 6]


async def test_closing_a_stream_frees_its_rows_within_the_running_step(make_engine):
    graph = CountingGraph()
    engine = make_engine()
    graph.gate.clear()
    gone, stays = engine.submit([rows(graph, 100, count=3), rows(graph, 3)], timeout_s=10)
    await entered(graph)
    gone.stream.close()
    assert engine.rows_in_flight == 1
    graph.gate.set()
    assert await read(stays.stream) == [1, 2, 3]
    assert graph.batches == [4, 1, 1]
    assert await read(gone.stream) == []


async def test_one_poisoned_job_fails_alone(make_engine):
    graph = CountingGraph(poison=102)
    engine = make_engine()
    good, bad, fine = engine.submit(
        [rows(graph, 4), rows(graph, 4, start=100), rows(graph, 4, start=50)], timeout_s=10
    )
    results = await asyncio.gather(
        read(good.stream), read(bad.stream), read(fine.stream), return_exceptions=True
    )
    assert results[0] == [1, 2, 3, 4] and results[2] == [51, 52, 53, 54]
    assert isinstance(results[1], PentimentoError) and results[1].code is Code.INFERENCE_FAILED
    assert "poisoned" not in results[1].message  # internals go to the log


async def test_frames_drawn_before_a_failure_are_delivered(make_engine):
    graph = CountingGraph(poison=2)
    (ticket,) = make_engine().submit([rows(graph, 4)], timeout_s=10)
    seen = []
    with pytest.raises(PentimentoError):
        async for emission in ticket.stream:
            seen.append(emission.step)
    assert seen == [1, 2]


async def test_a_deadline_passes_in_the_queue_while_nobody_submits(make_engine):
    graph = CountingGraph()
    engine = make_engine(stream_frames=1)
    (ticket,) = engine.submit([rows(graph, 4)], timeout_s=0.05)
    await eventually(lambda: engine.rows_in_flight == 0)  # paused for want of a reader, then expired
    with pytest.raises(PentimentoError) as error:
        await read(ticket.stream)
    assert error.value.code is Code.DEADLINE_EXCEEDED


async def test_a_deadline_passes_mid_drawing_within_one_step(make_engine):
    graph = CountingGraph()
    engine = make_engine()
    graph.gate.clear()
    (ticket,) = engine.submit([rows(graph, 1000)], timeout_s=0.05)
    await entered(graph)
    await asyncio.sleep(0.1)
    graph.gate.set()
    with pytest.raises(PentimentoError) as error:
        await read(ticket.stream)
    assert error.value.code is Code.DEADLINE_EXCEEDED
    assert graph.batches == [1]


async def test_overload_is_refused_at_the_door_whole_or_not_at_all(make_engine):
    graph = CountingGraph()
    engine = make_engine(max_rows_in_flight=8)
    graph.gate.clear()
    (first,) = engine.submit([rows(graph, 1, count=6)], timeout_s=10)
    with pytest.raises(PentimentoError) as error:
        engine.submit([rows(graph, 1, count=2), rows(graph, 1, count=1)], timeout_s=10)
    assert error.value.code is Code.OVERLOADED and error.value.retry_after_s
    assert "limit of 8" in error.value.message
    assert engine.rows_in_flight == 6
    graph.gate.set()
    await read(first.stream)
    (again,) = engine.submit([rows(graph, 1, count=8)], timeout_s=10)
    assert await read(again.stream) == [1]


async def test_draining_finishes_what_runs_and_takes_nothing_new(make_engine):
    graph = CountingGraph()
    engine = make_engine()
    graph.gate.clear()
    (ticket,) = engine.submit([rows(graph, 3)], timeout_s=10)
    draining = asyncio.create_task(engine.drain(10))
    await asyncio.sleep(0)
    assert not engine.accepting
    with pytest.raises(PentimentoError) as error:
        engine.submit([rows(graph, 1)], timeout_s=10)
    assert error.value.code is Code.UNAVAILABLE
    graph.gate.set()
    assert await read(ticket.stream) == [1, 2, 3]
    assert await draining is True


async def test_what_outlives_the_grace_period_ends_with_one_error(make_engine):
    graph = CountingGraph()
    engine = make_engine(stream_frames=1)
    (ticket,) = engine.submit([rows(graph, 3)], timeout_s=10)
    assert await engine.drain(0.05) is False
    await engine.close()
    with pytest.raises(PentimentoError) as error:
        await read(ticket.stream)
    assert error.value.code is Code.UNAVAILABLE


async def test_a_cancelled_reader_leaves_a_usable_stream(make_engine):
    graph = CountingGraph()
    engine = make_engine()
    graph.gate.clear()
    (ticket,) = engine.submit([rows(graph, 2)], timeout_s=10)
    reader = asyncio.create_task(read(ticket.stream))
    await entered(graph)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    graph.gate.set()
    assert await read(ticket.stream) == [1, 2]


async def test_a_defect_of_the_engine_leaves_nobody_waiting(make_engine, monkeypatch):
    graph = CountingGraph()
    engine = make_engine()
    monkeypatch.setattr(engine._lanes[0]._scheduler, "advance", lambda *_: 1 / 0)
    (ticket,) = engine.submit([rows(graph, 2)], timeout_s=10)
    with pytest.raises(PentimentoError) as error:
        await read(ticket.stream)
    assert error.value.code is Code.INTERNAL
    assert not engine.accepting


async def test_a_job_that_is_over_is_held_by_nothing(make_engine, monkeypatch):
    """Not by the watch of deadlines either, which has met it; nor by a circle, until the collector comes."""
    monkeypatch.setattr("pentimento.service.engine.engine._LATE_S", 0.01)
    graph = CountingGraph()
    engine = make_engine()
    gc.collect()
    gc.disable()
    try:
        graph.gate.clear()
        (ticket,) = engine.submit([rows(graph, 3)], timeout_s=10)
        await entered(graph)
        await asyncio.sleep(0.1)
        graph.gate.set()
        assert await read(ticket.stream) == [1, 2, 3]
        graph, ticket, gone = None, None, weakref.ref(graph)
        await eventually(lambda: gone() is None)
    finally:
        gc.enable()
