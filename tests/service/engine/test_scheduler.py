"""The scheduler as policy: plain values in, plain values out."""

import numpy as np
import pytest

from pentimento.service.engine.job import Batch, Job, JobState
from pentimento.service.engine.rows import Rows
from pentimento.service.engine.scheduler import Scheduler
from pentimento.service.errors import Code, PentimentoError
from tests.service.plans import drawing


class FakeGraph:
    def __init__(self, label="toy/step", max_rows=8):
        self.label = label
        self.max_rows = max_rows

    def run(self, feeds):
        raise AssertionError("the scheduler never runs a graph")


def job(id, plan, *, rows=1, deadline=1e9, room=99):
    x = np.full((rows, 2), id, dtype=np.float32)
    return Job(id=id, rows=rows, plan=plan, tensors={"x": Rows.of(x)}, deadline=deadline, room=room)


def advance(scheduler, batch, now=0.0):
    scheduler.done(batch)
    outputs = {"next.x": batch.stack()["x"] + 1}
    return scheduler.advance(batch, outputs, now)


def ids(batch):
    return [job.id for job in batch.jobs]


def test_jobs_at_different_steps_share_a_batch():
    graph, scheduler = FakeGraph(), Scheduler()
    scheduler.add(job(1, drawing(graph, 3)))
    advance(scheduler, scheduler.next_batch())
    scheduler.add(job(2, drawing(graph, 3)))
    batch = scheduler.next_batch()
    assert ids(batch) == [2, 1]  # the one that has shown nothing yet first
    assert batch.distinct_t == 2
    assert batch.stack()["t"].tolist() == [0, 1]
    assert batch.stack()["t"].dtype == np.int64


def test_rows_not_jobs_are_counted_against_the_limit():
    graph, scheduler = FakeGraph(max_rows=8), Scheduler()
    for id, rows in ((1, 5), (2, 4), (3, 3)):
        scheduler.add(job(id, drawing(graph, 1), rows=rows))
    batch = scheduler.next_batch()
    assert ids(batch) == [1, 3]  # 5 + 4 would be 9; 5 + 3 fits
    assert ids(scheduler.next_batch()) == [2]


def test_free_lanes_share_the_rows_that_wait():
    graph, scheduler = FakeGraph(max_rows=32), Scheduler()
    for id in range(1, 13):
        scheduler.add(job(id, drawing(graph, 1)))
    assert ids(scheduler.next_batch(free_lanes=3)) == [1, 2, 3, 4]
    assert ids(scheduler.next_batch(free_lanes=2)) == [5, 6, 7, 8]
    assert ids(scheduler.next_batch(free_lanes=1)) == [9, 10, 11, 12]


def test_a_lane_that_runs_the_graph_gets_its_share_of_what_waits_for_another():
    graph, scheduler = FakeGraph(max_rows=32), Scheduler()
    for id in range(1, 5):
        scheduler.add(job(id, drawing(graph, 9)))
    few = scheduler.next_batch()
    for id in range(5, 17):
        scheduler.add(job(id, drawing(graph, 9)))
    many = scheduler.next_batch()
    assert (len(few.jobs), len(many.jobs)) == (4, 8)  # 16 rows for two lanes, so 4 wait for the first
    advance(scheduler, few)
    assert len(scheduler.next_batch().jobs) == 8


def test_what_has_shown_nothing_goes_first_but_not_for_ever():
    begun, new = FakeGraph("begun/step", max_rows=1), FakeGraph("new/step", max_rows=1)
    scheduler = Scheduler()
    scheduler.add(job(1, drawing(begun, 64)))
    advance(scheduler, scheduler.next_batch())
    for id in range(10, 20):
        scheduler.add(job(id, drawing(new, 1)))
    order = []
    while scheduler.rows > 1:
        batch = scheduler.next_batch()
        order += ids(batch)
        advance(scheduler, batch)
    assert order == [10, 11, 1, 12, 13, 1, 14, 15, 1, 16, 17, 1, 18, 19]


def test_frames_of_a_whole_job_are_kept_until_its_end():
    graph, scheduler = FakeGraph(), Scheduler()
    scheduler.add(job(1, drawing(graph, 3), room=1))
    assert len(advance(scheduler, scheduler.next_batch())) == 1
    assert scheduler.next_batch() is None  # its reader has had enough
    assert scheduler.hold(1)
    assert advance(scheduler, scheduler.next_batch()) == []
    deliveries = advance(scheduler, scheduler.next_batch())
    assert [None if d.event is None else d.event.step for d in deliveries] == [2, 3, None]


def test_a_tensor_that_was_put_together_stays_together():
    graph, scheduler = FakeGraph(), Scheduler()
    for id in (1, 2):
        scheduler.add(job(id, drawing(graph, 2)))
    batch = scheduler.next_batch()
    stacked = batch.stack()["x"]
    assert [each.tensors["x"].array is stacked for each in batch.jobs] == [True, True]
    assert np.shares_memory(batch.stack()["x"], stacked)


def test_nothing_is_kept_of_a_graph_that_nobody_calls():
    graph, scheduler = FakeGraph(), Scheduler()
    scheduler.add(job(1, drawing(graph, 2)))
    advance(scheduler, scheduler.next_batch())
    scheduler.cancel(1)
    assert not scheduler._queues


def test_the_heap_of_deadlines_does_not_grow_with_what_is_over():
    graph, scheduler = FakeGraph(), Scheduler()
    for id in range(1000):
        scheduler.add(job(id, drawing(graph, 1)))
        advance(scheduler, scheduler.next_batch())
    assert len(scheduler._deadlines) < 100


def test_only_the_same_graph_is_batched_and_the_longest_waiting_goes_first():
    a, b = FakeGraph("a/step"), FakeGraph("b/step")
    scheduler = Scheduler()
    scheduler.add(job(1, drawing(a, 64)))
    scheduler.add(job(2, drawing(b, 1)))
    scheduler.add(job(3, drawing(a, 64)))
    first, second = scheduler.next_batch(), scheduler.next_batch()
    assert (ids(first), ids(second)) == ([1, 3], [2])
    assert scheduler.next_batch() is None
    advance(scheduler, first)
    advance(scheduler, second)
    assert ids(scheduler.next_batch()) == [1, 3]


def test_a_short_drawing_waits_one_round_at_most_behind_long_ones():
    long_graph, short_graph = FakeGraph("long/step", max_rows=1), FakeGraph("short/step")
    scheduler = Scheduler()
    for id in (1, 2, 3):
        scheduler.add(job(id, drawing(long_graph, 64)))
    advance(scheduler, scheduler.next_batch())
    scheduler.add(job(9, drawing(short_graph, 1)))
    order = []
    for _ in range(4):
        batch = scheduler.next_batch()
        order += ids(batch)
        advance(scheduler, batch)
    # 1 had its turn just before 9 came: 9 runs after the others, and before anyone has a second turn
    assert order.index(9) <= 3
    assert 9 not in scheduler.jobs


def test_each_row_sees_its_own_state_and_frames_leave_in_order():
    graph, scheduler = FakeGraph(), Scheduler()
    scheduler.add(job(1, drawing(graph, 3), rows=2))
    scheduler.add(job(10, drawing(graph, 2)))
    seen = {1: [], 10: []}
    while (batch := scheduler.next_batch()) is not None:
        for delivery in advance(scheduler, batch):
            if delivery.event is not None:
                seen[delivery.job.id].append((delivery.event.step, delivery.event.tensors["x"].tolist()))
    assert seen[1] == [(1, [[2, 2]] * 2), (2, [[3, 3]] * 2), (3, [[4, 4]] * 2)]
    assert seen[10] == [(1, [[11, 11]]), (2, [[12, 12]])]
    assert scheduler.rows == 0 and not scheduler.jobs


def test_a_job_ends_with_exactly_one_end():
    graph, scheduler = FakeGraph(), Scheduler()
    scheduler.add(job(1, drawing(graph, 2)))
    events = []
    while (batch := scheduler.next_batch()) is not None:
        events += [delivery.event for delivery in advance(scheduler, batch)]
    assert [event is None for event in events] == [False, False, True]


def test_a_full_stream_pauses_its_own_job_only():
    graph, scheduler = FakeGraph(), Scheduler()
    slow = job(1, drawing(graph, 5), room=1)
    scheduler.add(slow)
    scheduler.add(job(2, drawing(graph, 5)))
    advance(scheduler, scheduler.next_batch())
    assert slow.room == 0
    assert ids(scheduler.next_batch()) == [2]
    assert not scheduler.runnable
    assert scheduler.grant(1, 1) is True
    assert ids(scheduler.next_batch()) == [1]


def test_a_paused_job_lets_go_of_its_batch_mates_arrays():
    graph, scheduler = FakeGraph(), Scheduler()
    slow = job(1, drawing(graph, 5), room=1)
    scheduler.add(slow)
    scheduler.add(job(2, drawing(graph, 5)))
    deliveries = advance(scheduler, scheduler.next_batch())
    assert slow.tensors["x"].array.base is None and len(slow.tensors["x"].array) == 1
    assert all(d.event.tensors["x"].base is None for d in deliveries)


def test_jobs_that_stay_together_are_never_taken_apart():
    graph, scheduler = FakeGraph(), Scheduler()
    for id, rows in ((1, 2), (2, 1), (3, 3)):
        scheduler.add(job(id, drawing(graph, 5), rows=rows))
    batch = scheduler.next_batch()
    outputs = {"next.x": batch.stack()["x"] + 1}
    scheduler.done(batch)
    scheduler.advance(batch, outputs, 0.0)
    again = scheduler.next_batch()
    assert np.shares_memory(again.stack()["x"], outputs["next.x"])
    assert again.stack()["x"].tolist() == outputs["next.x"].tolist()
    scheduler.cancel(2)
    advance(scheduler, again)
    fewer = scheduler.next_batch()
    assert ids(fewer) == [1, 3] and fewer.stack()["x"][:, 0].tolist() == [3, 3, 5, 5, 5]


def test_cancel_while_waiting_frees_the_rows_at_once():
    graph, scheduler = FakeGraph(), Scheduler()
    scheduler.add(job(1, drawing(graph, 5), rows=4))
    assert scheduler.cancel(1)
    assert scheduler.rows == 0
    assert scheduler.next_batch() is None
    assert not scheduler.cancel(1)


def test_cancel_while_running_drops_the_outputs_and_spares_the_batch_mates():
    graph, scheduler = FakeGraph(), Scheduler()
    gone = job(1, drawing(graph, 5))
    scheduler.add(gone)
    scheduler.add(job(2, drawing(graph, 5)))
    batch = scheduler.next_batch()
    scheduler.cancel(1)
    deliveries = advance(scheduler, batch)
    assert [d.job.id for d in deliveries] == [2]
    assert gone.state is JobState.CANCELLED
    assert ids(scheduler.next_batch()) == [2]


def test_a_failing_job_fails_alone():
    graph, scheduler = FakeGraph(), Scheduler()
    scheduler.add(job(1, drawing(graph, 1)))
    scheduler.add(job(2, drawing(graph, 1)))
    batch = scheduler.next_batch()
    error = PentimentoError(Code.INFERENCE_FAILED, "broken")
    alone = [Batch(graph=graph, jobs=(each,)) for each in batch.jobs]
    deliveries = scheduler.advance(alone[0], error, 0.0)
    deliveries += scheduler.advance(alone[1], {"next.x": np.zeros((1, 2), np.float32)}, 0.0)
    assert [(d.job.id, d.event is error) for d in deliveries] == [(1, True), (2, False), (2, False)]
    assert deliveries[-1].event is None


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_value_that_is_no_number_never_reaches_a_client(poison):
    graph, scheduler = FakeGraph(), Scheduler()
    scheduler.add(job(1, drawing(graph, 1)))
    scheduler.add(job(2, drawing(graph, 1)))
    batch = scheduler.next_batch()
    outputs = {"next.x": np.array([[0, poison], [0, 0]], dtype=np.float32)}
    deliveries = scheduler.advance(batch, outputs, 0.0)
    assert deliveries[0].event.code is Code.INFERENCE_FAILED
    assert deliveries[1].job.id == 2 and deliveries[1].event.step == 1


def test_deadlines_end_waiting_jobs_and_running_ones_after_their_call():
    graph, scheduler = FakeGraph(), Scheduler()
    scheduler.add(job(1, drawing(graph, 5), deadline=10.0))
    scheduler.add(job(2, drawing(graph, 5), deadline=20.0))
    assert scheduler.next_deadline == 10.0
    (late,) = scheduler.expire(10.0)
    assert late.job.id == 1 and late.event.code is Code.DEADLINE_EXCEEDED
    deliveries = advance(scheduler, scheduler.next_batch(), now=20.0)
    assert deliveries[0].event.step == 1  # what is drawn is delivered
    assert deliveries[1].event.code is Code.DEADLINE_EXCEEDED
    assert "after 1 of 5 steps" in deliveries[1].event.message
    assert scheduler.rows == 0 and scheduler.next_deadline is None
