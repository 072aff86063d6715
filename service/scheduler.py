"""Which rows run next. Pure policy: no clock, thread, asyncio or ONNX Runtime; readable on a card.

The job that has waited longest for its next call goes first, and takes along every job whose next call is the
same graph, whatever its time step, up to the graph's row limit, and leaving lanes that are free their share.
Nobody waits for a batch to fill. After its call a job joins the end of the queue, so a long drawing never
keeps a short one, or another bundle, waiting for longer than one round.
"""

__all__ = ["Delivery", "Scheduler"]

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np

from service.errors import Code, PentimentoError
from service.job import Batch, Emission, Job, JobState
from service.rows import Arrays, Rows


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something for a job's stream: a frame, or the end (an error, or None when the drawing is complete)."""

    job: Job
    event: Emission | PentimentoError | None


class Scheduler:
    """Holds all admitted jobs; decides, never acts."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}  # all that are not over, by id
        self._queue: dict[int, Job] = {}  # those WAITING, longest waiting first
        self._rows = 0

    @property
    def rows(self) -> int:
        """Rows admitted and not over."""
        return self._rows

    @property
    def jobs(self) -> Mapping[int, Job]:
        """Jobs that are not over."""
        return self._jobs

    @property
    def runnable(self) -> bool:
        """Whether `next_batch` would find work."""
        return any(job.runnable for job in self._queue.values())

    @property
    def next_deadline(self) -> float | None:
        """The earliest deadline of a waiting job."""
        return min((job.deadline for job in self._queue.values()), default=None)

    def add(self, job: Job) -> None:
        """Takes in an admitted job."""
        self._jobs[job.id] = self._queue[job.id] = job
        self._rows += job.rows

    def next_batch(self, free_lanes: int = 1) -> Batch | None:
        """Takes the next rows out of the queue, or None when nothing can run.

        Args:
            free_lanes: Lanes without work, that of the caller among them. They share the rows that wait for
                the same graph evenly, as far as their calls stay efficient.
        """
        first = next((job for job in self._queue.values() if job.runnable), None)
        if first is None:
            return None
        graph = first.next_call.graph
        mates = [job for job in self._queue.values() if job.runnable and job.next_call.graph is graph]
        share = ceil(sum(job.rows for job in mates) / free_lanes)
        enough = min(graph.max_rows, max(graph.efficient_rows, share))
        rows, chosen = 0, []
        for job in mates:
            if rows + job.rows <= graph.max_rows:
                chosen.append(job)
                rows += job.rows
                if rows >= enough:
                    break
        for job in chosen:
            job.state = JobState.RUNNING
            del self._queue[job.id]
        return Batch(graph=graph, jobs=tuple(chosen))

    def advance(self, batch: Batch, outputs: Arrays | PentimentoError, now: float) -> list[Delivery]:
        """Stores what a batch's call put out and says what goes to the streams.

        Args:
            batch: What `next_batch` gave.
            outputs: The graph's outputs, the rows of all jobs one below the other; or why there are none.
            now: Time on the engine's clock, in seconds.
        """
        deliveries: list[Delivery] = []
        sound: dict[int, bool] = {}  # by id of an array: whether all its values are numbers
        start = 0
        for job in batch.jobs:
            stop = start + job.rows
            if job.state is not JobState.RUNNING:
                pass  # cancelled while its rows were on a lane: its outputs are dropped
            elif isinstance(outputs, PentimentoError):
                deliveries.append(self._fail(job, outputs))
            else:
                for output, tensor in job.next_call.keeps.items():
                    job.tensors[tensor] = Rows(outputs[output], start, stop)
                self._step(job, now, sound, deliveries)
            start = stop
        return deliveries

    def _step(self, job: Job, now: float, sound: dict[int, bool], deliveries: list[Delivery]) -> None:
        """Moves a job on by the call that it has made."""
        call = job.next_call
        if call.emits:
            if not all(_are_numbers(job.tensors[name], sound) for name in call.emits):
                message = f"{call.graph.label} put out a value that is not a number at step {call.step}"
                deliveries.append(self._fail(job, PentimentoError(Code.INFERENCE_FAILED, message)))
                return
            tensors = {name: job.tensors[name].owned() for name in call.emits}
            elapsed_us = round((now - job.admitted_at) * 1e6)
            deliveries.append(Delivery(job, Emission(step=call.step, tensors=tensors, elapsed_us=elapsed_us)))
            job.room -= 1
            if job.room == 0:  # may pause for long: let go of the batch that its rows are in
                job.tensors = {name: Rows.of(rows.owned()) for name, rows in job.tensors.items()}
        job.position += 1
        if job.position == len(job.plan):
            self._end(job, JobState.FINISHED)
            deliveries.append(Delivery(job, None))
        elif job.deadline <= now:
            deliveries.append(self._expire(job))
        else:
            job.state = JobState.WAITING
            self._queue[job.id] = job

    def grant(self, job_id: int, frames: int) -> bool:
        """Notes that the reader has room for more frames. True if a paused job may run again."""
        job = self._jobs.get(job_id)
        if job is None:
            return False
        paused = job.room == 0
        job.room += frames
        return paused and job.runnable

    def cancel(self, job_id: int) -> bool:
        """Drops a job, waiting or running; its rows are free at once. False if it was over already."""
        job = self._jobs.get(job_id)
        if job is None:
            return False
        self._end(job, JobState.CANCELLED)
        return True

    def expire(self, now: float) -> list[Delivery]:
        """Ends the waiting jobs whose deadline has passed; running ones are seen to in `advance`."""
        late = [job for job in self._queue.values() if job.deadline <= now]
        return [self._expire(job) for job in late]

    def fail_all(self, error: PentimentoError) -> list[Delivery]:
        """Ends every job with the same error."""
        return [self._fail(job, error) for job in list(self._jobs.values())]

    def _expire(self, job: Job) -> Delivery:
        shown = sum(1 for call in job.plan[: job.position] if call.emits and call.step)
        steps = job.plan[-1].step
        message = f"the deadline passed after {shown} of {steps} steps"
        return self._fail(job, PentimentoError(Code.DEADLINE_EXCEEDED, message))

    def _fail(self, job: Job, error: PentimentoError) -> Delivery:
        self._end(job, JobState.FAILED)
        return Delivery(job, error)

    def _end(self, job: Job, state: JobState) -> None:
        job.state = state
        del self._jobs[job.id]
        self._queue.pop(job.id, None)
        self._rows -= job.rows


def _are_numbers(rows: Rows, sound: dict[int, bool]) -> bool:
    """Whether no value is NaN or infinite; an array is looked through once, and again only if one is."""
    key = id(rows.array)
    if key not in sound:
        sound[key] = bool(np.isfinite(rows.array).all())
    return sound[key] or bool(np.isfinite(rows.values).all())
