"""The lane on the event loop: short calls between two rounds of it, long ones in its thread."""

import asyncio
import threading
import time

import numpy as np
import pytest

from pentimento.service.engine.calibration import Curve, quick_rows
from pentimento.service.engine.engine import Engine, Submission
from pentimento.service.engine.lane.inline import LaneInline
from pentimento.service.errors import Code, PentimentoError
from tests.service.plans import drawing


class Timed:
    """x -> x + 1, after so many seconds; notes in which thread."""

    def __init__(self, label, seconds=0.0, *, quick_rows=64, computes=False):
        self.label, self.seconds, self.quick_rows = label, seconds, quick_rows
        self.max_rows = 64
        self.computes = computes
        self.threads = []

    def run(self, feeds):
        self.threads.append(threading.current_thread())
        if self.computes:
            end = time.thread_time() + self.seconds
            while time.thread_time() < end:
                pass
        else:
            time.sleep(self.seconds)
        return {"next.x": feeds["x"] + 1}


def rows(graph, steps, count=1):
    x = np.zeros((count, 1), dtype=np.float32)
    return Submission(rows=count, plan=drawing(graph, steps), tensors={"x": x})


@pytest.fixture
async def engine():
    engine = Engine(LaneInline(), max_rows_in_flight=1000, stream_frames=4)
    engine.start()
    yield engine
    await engine.close()


async def read(ticket):
    return [float(emission.tensors["x"][0, 0]) async for emission in ticket.stream]


async def test_a_short_call_is_made_on_the_event_loop(engine):
    graph = Timed("toy/step")
    (ticket,) = engine.submit([rows(graph, 3)], timeout_s=10)
    assert await read(ticket) == [1, 2, 3]
    assert {thread is threading.main_thread() for thread in graph.threads} == {
        threading.current_thread() is threading.main_thread()
    }
    assert set(graph.threads) == {threading.current_thread()}


async def test_more_rows_than_are_quick_go_to_the_thread(engine):
    graph = Timed("toy/step", quick_rows=4)
    for count, here in ((4, True), (5, False)):
        graph.threads.clear()
        (ticket,) = engine.submit([rows(graph, 2, count)], timeout_s=10)
        await read(ticket)
        assert [thread is threading.current_thread() for thread in graph.threads] == [here] * 2


async def test_a_call_of_a_second_holds_up_neither_the_event_loop_nor_quick_graphs(engine):
    heavy, light = Timed("heavy/step", 1.0, quick_rows=0), Timed("light/step")
    (slow,) = engine.submit([rows(heavy, 1)], timeout_s=30)
    first = asyncio.create_task(read(slow))
    await asyncio.sleep(0.05)
    began = time.monotonic()
    for _ in range(10):
        (ticket,) = engine.submit([rows(light, 5)], timeout_s=10)
        assert await read(ticket) == [1, 2, 3, 4, 5]
    assert not first.done() and time.monotonic() - began < 0.9
    assert await first == [1]


async def test_a_graph_that_turns_out_to_be_slow_leaves_the_event_loop_for_a_while(engine, monkeypatch):
    """Its time depends on what it is given, so that no measurement beforehand can know."""
    monkeypatch.setattr("pentimento.service.engine.lane.inline._AGAIN_S", 4.0)
    graph = Timed("toy/step", 0.05, computes=True)
    (ticket,) = engine.submit([rows(graph, 3)], timeout_s=10)
    await read(ticket)
    assert [thread is threading.current_thread() for thread in graph.threads] == [True, False, False]
    await asyncio.sleep(4.1)
    graph.seconds = 0.0
    (ticket,) = engine.submit([rows(graph, 1)], timeout_s=10)
    await read(ticket)
    assert graph.threads[-1] is threading.current_thread()


async def test_a_deadline_holds_while_the_thread_is_held(engine):
    graph = Timed("toy/step", 3.0, quick_rows=0)
    tickets = engine.submit([rows(graph, 2), rows(Timed("other/step", 0, quick_rows=0), 1)], timeout_s=0.2)
    began = time.monotonic()
    for ticket in tickets:
        with pytest.raises(PentimentoError) as caught:
            await read(ticket)
        assert caught.value.code is Code.DEADLINE_EXCEEDED
    assert time.monotonic() - began < 2.8 and engine.rows_in_flight == 0


async def test_others_get_their_turn_between_two_calls(engine):
    """A drawing of many steps on the event loop does not keep it from anything else for more than a call."""
    graph = Timed("toy/step", 0.002)
    (ticket,) = engine.submit([rows(graph, 100)], timeout_s=30)
    drawing = asyncio.create_task(read(ticket))
    turns = 0
    while not drawing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns >= 100


def test_rows_that_are_quick():
    assert quick_rows(Curve(((1, 0.02), (2, 0.03)))) == 0
    assert quick_rows(Curve(((1, 0.004), (2, 0.008), (4, 0.016)))) == 2
    assert quick_rows(Curve(((1, 0.001), (64, 0.004)))) == 160


class Added(Timed):
    """Adds up the time of its calls."""

    spent = 0.0

    def run(self, feeds):
        began = time.monotonic()
        outputs = super().run(feeds)
        self.spent += time.monotonic() - began
        return outputs


async def test_a_flood_of_short_drawings_leaves_no_pause_between_long_calls(engine):
    """A bundle whose calls go to the thread has it to itself, however many short drawings come meanwhile."""
    heavy, light = Added("heavy/step", 0.03, quick_rows=0), Timed("light/step", 0.01)
    over = asyncio.Event()

    async def flood():
        while not over.is_set():
            (ticket,) = engine.submit([rows(light, 1, 40)], timeout_s=30)  # of which two do not fit a call
            await read(ticket)

    floods = [asyncio.create_task(flood()) for _ in range(6)]
    began = time.monotonic()
    tickets = engine.submit([rows(heavy, 25), rows(heavy, 25)], timeout_s=60)
    await asyncio.gather(*map(read, tickets))
    elapsed = time.monotonic() - began
    over.set()
    await asyncio.gather(*floods)
    assert len(heavy.threads) < 50, "the two drawings share calls"
    assert heavy.spent > 0.65 * elapsed  # it was 0.52 as long as both kinds took turns


async def test_a_long_call_holds_up_no_short_call_of_another_graph_that_may_be_long(engine):
    heavy, light = Timed("heavy/step", 1.0, quick_rows=0), Timed("light/step", quick_rows=4)
    (slow,) = engine.submit([rows(heavy, 1)], timeout_s=30)
    first = asyncio.create_task(read(slow))
    await asyncio.sleep(0.05)
    (ticket,) = engine.submit([rows(light, 5, 2)], timeout_s=10)
    assert await read(ticket) == [1, 2, 3, 4, 5]
    assert not first.done()
    assert await first == [1]
