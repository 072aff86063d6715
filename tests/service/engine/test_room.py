"""Room is reserved before anything is made, counted in rows and numbers, and given back when all is over."""

import asyncio

import numpy as np
import pytest

from pentimento.service.engine.engine import Engine, Submission
from pentimento.service.engine.lane.inline import LaneInline
from pentimento.service.engine.room import Held, Room
from pentimento.service.errors import Code, PentimentoError
from tests.service.plans import drawing


class Graph:
    """x -> x + 1."""

    label, max_rows, quick_rows = "toy/step", 8, 8

    def run(self, feeds):
        return {"next.x": feeds["x"] + 1}


def rows(count, steps=3):
    x = np.zeros((count, 1), np.float32)
    return Submission(rows=count, plan=drawing(Graph(), steps), tensors={"x": x})


@pytest.fixture
async def engine():
    engine = Engine(LaneInline(), max_rows_in_flight=10, max_values_in_flight=100, stream_frames=4)
    engine.start()
    yield engine
    await engine.close()


def test_what_others_hold_counts_and_what_is_held_is_told():
    told = []
    room = Room(max_rows=10, max_values=100, elsewhere=lambda: Held(4, 30), on_change=told.append)
    for too_much, sentence in (
        ((7, 0), "4 rows are in flight and 7 more would pass the limit of 10"),
        ((1, 71), "requests in flight hold 30 numbers and 71 more would pass the limit of 100"),
    ):
        with pytest.raises(PentimentoError) as error:
            room.take(*too_much, deadline=0)
        assert error.value.code is Code.OVERLOADED and error.value.message == sentence
        assert error.value.retry_after_s
    with room.take(6, 70, deadline=0):
        assert room.held == Held(6, 70)
        with pytest.raises(PentimentoError, match="10 rows are in flight and 1 more"):
            room.take(1, 0, deadline=0)
    assert told == [Held(6, 70), Held(0, 0)]


async def test_rows_stay_reserved_for_jobs_that_come_one_after_the_other(engine):
    with engine.reserve(4, 50, timeout_s=10) as place:
        for _ in range(2):
            (ticket,) = engine.start_jobs([rows(4)], place)
            assert len([each async for each in ticket.stream]) == 3
            assert engine.rows_in_flight == 4
            with pytest.raises(PentimentoError, match="hold 50 numbers and 51 more"):
                engine.reserve(1, 51, timeout_s=10)
    assert engine.rows_in_flight == 0


async def test_jobs_keep_their_rows_when_no_more_come_and_the_numbers_until_the_last(engine):
    with engine.reserve(7, 90, timeout_s=10) as place:
        short, long = engine.start_jobs([rows(2, steps=1), rows(4, steps=100)], place)
    assert engine.rows_in_flight == 6, "one was reserved and not needed"
    assert len([each async for each in short.stream]) == 1
    assert engine.rows_in_flight == 4
    with pytest.raises(PentimentoError, match="hold 90 numbers"):
        engine.reserve(1, 20, timeout_s=10)
    long.stream.close()
    with engine.reserve(10, 100, timeout_s=10):
        assert engine.rows_in_flight == 10
    assert engine.rows_in_flight == 0


async def test_what_is_prepared_while_draining_is_drawn(engine):
    with engine.reserve(1, timeout_s=10) as place:
        draining = asyncio.create_task(engine.drain(10))
        await asyncio.sleep(0.01)
        assert not draining.done(), "it waits for what was admitted"
        (ticket,) = engine.start_jobs([rows(1)], place)
    assert len([each async for each in ticket.stream]) == 3
    assert await draining is True


async def test_nothing_begins_after_the_end_or_when_a_part_cannot(engine, monkeypatch):
    with engine.reserve(2, timeout_s=10) as place:
        chosen = iter([engine._lanes[0]])
        monkeypatch.setattr(engine, "_choose", lambda _: next(chosen))
        with pytest.raises(StopIteration):
            engine.start_jobs([rows(1), rows(1)], place)
        assert not engine._admitted, "the first part is let go of, too"
        await engine.close()
        with pytest.raises(PentimentoError) as error:
            engine.start_jobs([rows(1)], place)
        assert error.value.code is Code.UNAVAILABLE
    assert engine.rows_in_flight == 0
