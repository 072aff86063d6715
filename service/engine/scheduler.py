"""Which rows run next. Pure policy: no clock, thread, asyncio or ONNX Runtime.

1. Jobs that have shown nothing yet go first, but twice in a row at most while others wait: most drawings make
   two calls to their first canvas. So people see soon that something is drawn, and nobody starves.
2. Among equals the job that has waited longest for its next call goes first, and after its call it joins the
   end of the queue: a long drawing never keeps a short one, or another bundle, waiting for more than a round.
3. It takes along jobs whose next call is the same graph, whatever their time step, up to the graph's row
   limit and to an even share for each lane that is free or runs it too. Nobody waits for a batch to fill.
"""

__all__ = ["Delivery", "Favour", "MayRun", "Scheduler"]

import heapq
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil, inf
from operator import itemgetter

import numpy as np

from pentimento.service.engine.job import Batch, Emission, Graph, Job, JobState
from pentimento.service.engine.rows import Arrays, Rows
from pentimento.service.errors import Code, PentimentoError

MayRun = Callable[[Graph, int], bool]
"""Whether a graph can be called now, of which so many rows wait."""

_FIRST = 2  # turns in a row of jobs that have shown nothing


@dataclass(slots=True)
class Favour:
    """Turns in a row that a caller has given to jobs that have shown nothing, while others waited."""

    turns: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something for a job's stream: a frame, or the end (an error, or None when the drawing is complete)."""

    job: Job
    event: Emission | PentimentoError | None


@dataclass(slots=True)
class _Queue:
    """Jobs whose next call is the same graph, by id, longest waiting first; and what of it runs already."""

    new: dict[int, Job] = field(default_factory=dict)  # have shown nothing yet
    begun: dict[int, Job] = field(default_factory=dict)
    rows: int = 0  # waiting
    running_rows: int = 0
    running_calls: int = 0

    def add(self, job: Job) -> None:
        """Puts a job at the end."""
        (self.begun if job.shown else self.new)[job.id] = job
        self.rows += job.rows

    def remove(self, job: Job) -> None:
        """Takes a job out, wherever it is."""
        del (self.begun if job.shown else self.new)[job.id]
        self.rows -= job.rows

    def in_order(self, *, new_first: bool) -> Iterator[Job]:
        """All waiting jobs; those that have shown nothing come first or last."""
        return itertools.chain(*map(dict.values, (self.new, self.begun)[:: 1 if new_first else -1]))


class Scheduler:
    """Holds all admitted jobs and decides which run next; it calls no graph and sends nothing itself."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}  # all that are not over, by id
        self._queues: dict[Graph, _Queue] = {}
        self._turns = itertools.count()
        self._favour = Favour()
        self._deadlines: list[tuple[float, int]] = []  # a heap; also of jobs that are over
        self._rows = 0

    @property
    def rows(self) -> int:
        """Rows admitted and not over."""
        return self._rows

    @property
    def jobs(self) -> Mapping[int, Job]:
        """Jobs that are not over, by id."""
        return self._jobs

    @property
    def runnable(self) -> bool:
        """Whether `next_batch` would find work."""
        return any(queue.rows for queue in self._queues.values())

    @property
    def next_deadline(self) -> float | None:
        """The earliest deadline of a job, in seconds on the engine's clock; None without jobs."""
        while self._deadlines and self._deadlines[0][1] not in self._jobs:
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def add(self, job: Job) -> None:
        """Queues an admitted job."""
        self._jobs[job.id] = job
        self._rows += job.rows
        if len(self._deadlines) > 2 * len(self._jobs) + 64:  # most are of jobs that are over
            self._deadlines = [(job.deadline, job.id) for job in self._jobs.values()]
            heapq.heapify(self._deadlines)
        else:
            heapq.heappush(self._deadlines, (job.deadline, job.id))
        self._enqueue(job)

    def next_batch(
        self,
        free_lanes: int = 1,
        now: float = 0.0,
        may_run: MayRun | None = None,
        favour: Favour | None = None,
    ) -> Batch | None:
        """Takes the next batch out of the queue and marks its jobs as running; None when nothing can run.

        Args:
            free_lanes: Lanes without work, that of the caller among them.
            now: Time on the engine's clock, in seconds.
            may_run: Which graphs the caller can call now; None: all.
            favour: The caller's own count of rule 1, where callers choose among different graphs; None: the
                one of all others.
        """
        graph, new_first = self._choose(may_run, favour or self._favour)
        if graph is None:
            return None
        queue = self._queues[graph]
        lanes = free_lanes + queue.running_calls
        enough = min(graph.max_rows, ceil((queue.rows + queue.running_rows) / lanes))
        rows, chosen = 0, []
        for job in queue.in_order(new_first=new_first):
            if rows + job.rows <= graph.max_rows:
                chosen.append(job)
                rows += job.rows
                if rows >= enough:
                    break
        for job in chosen:
            queue.remove(job)
            job.state = JobState.RUNNING
            if job.started_at is None:
                job.started_at = now
        queue.running_calls += 1
        queue.running_rows += rows
        return Batch(graph=graph, jobs=tuple(chosen))

    def _choose(self, may_run: MayRun | None, favour: Favour) -> tuple[Graph | None, bool]:
        """The graph to call, and whether for the sake of a job that has shown nothing yet."""
        new: tuple[float, Graph | None] = (inf, None)
        begun: tuple[float, Graph | None] = (inf, None)
        for graph, queue in self._queues.items():
            if may_run is not None and not may_run(graph, queue.rows):
                continue
            new = min(new, (_longest_waiting(queue.new), graph), key=itemgetter(0))
            begun = min(begun, (_longest_waiting(queue.begun), graph), key=itemgetter(0))
        new_first = new[1] is not None and (begun[1] is None or favour.turns < _FIRST)
        favour.turns = favour.turns + 1 if new_first and begun[1] is not None else 0
        return (new if new_first else begun)[1], new_first

    def done(self, batch: Batch) -> None:
        """Notes that a lane has made a batch's call, however that went."""
        queue = self._queues[batch.graph]
        queue.running_calls -= 1
        queue.running_rows -= batch.rows
        self._drop_if_empty(batch.graph)

    def advance(self, batch: Batch, outputs: Arrays | PentimentoError, now: float) -> list[Delivery]:
        """Stores what a batch's call put out, and moves its jobs on.

        Args:
            batch: What `next_batch` gave, or a part of it.
            outputs: The graph's outputs, the rows of all jobs one below the other; or why there are none.
            now: Time on the engine's clock, in seconds.

        Returns:
            The frames and ends that go to the jobs' streams, in order.
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
        """Moves a job past the call that it has made: it emits, fails, finishes, expires, or waits again."""
        call = job.next_call
        if call.emits:
            if not all(_are_numbers(job.tensors[name], sound) for name in call.emits):
                message = f"{call.graph.label} put out a value that is not a number at step {call.step}"
                deliveries.append(self._fail(job, PentimentoError(Code.INFERENCE_FAILED, message)))
                return
            tensors = {name: job.tensors[name].owned() for name in call.emits}
            emission = Emission(
                step=call.step, tensors=tensors, elapsed_us=round((now - job.admitted_at) * 1e6)
            )
            job.shown = call.step
            if job.whole:
                job.held.append(emission)
            else:
                job.room -= 1
                deliveries.append(Delivery(job, emission))
            if job.paused:  # maybe for long: let go of the batch that its rows are in
                job.tensors = {name: Rows.of(rows.owned()) for name, rows in job.tensors.items()}
        job.position += 1
        if job.position == len(job.plan):
            self._end(job, JobState.FINISHED)
            deliveries += [Delivery(job, emission) for emission in job.held]
            deliveries.append(Delivery(job, None))
        elif job.deadline <= now:
            deliveries.append(self._expire(job))
        else:
            job.state = JobState.WAITING
            if not job.paused:
                self._enqueue(job)

    def grant(self, job_id: int, frames: int) -> bool:
        """Adds room for frames that a job's reader has taken. True if a paused job may run again."""
        job = self._jobs.get(job_id)
        if job is None:
            return False
        paused = job.paused
        job.room += frames
        return paused and self._resume(job)

    def hold(self, job_id: int) -> bool:
        """Keeps a job's frames until its end, as its reader wants. True if a paused job may run again."""
        job = self._jobs.get(job_id)
        if job is None:
            return False
        paused, job.whole = job.paused, True
        return paused and self._resume(job)

    def _resume(self, job: Job) -> bool:
        if job.state is not JobState.WAITING:
            return False
        self._enqueue(job)
        return True

    def cancel(self, job_id: int) -> bool:
        """Drops a job, waiting or running; its rows are free at once. False if it was over already."""
        job = self._jobs.get(job_id)
        if job is None:
            return False
        self._end(job, JobState.CANCELLED)
        return True

    def expire(self, now: float) -> list[Delivery]:
        """Ends the waiting jobs whose deadline has passed; running ones are seen to in `advance`."""
        late = []
        while self._deadlines and self._deadlines[0][0] <= now:
            job = self._jobs.get(heapq.heappop(self._deadlines)[1])
            if job is not None and job.state is JobState.WAITING:
                late.append(self._expire(job))
        return late

    def _expire(self, job: Job) -> Delivery:
        steps = job.plan[-1].step
        message = f"the deadline passed after {job.shown} of {steps} steps"
        return self._fail(job, PentimentoError(Code.DEADLINE_EXCEEDED, message))

    def _fail(self, job: Job, error: PentimentoError) -> Delivery:
        self._end(job, JobState.FAILED)
        return Delivery(job, error)

    def _end(self, job: Job, state: JobState) -> None:
        if job.state is JobState.WAITING and not job.paused:
            graph = job.next_call.graph
            self._queues[graph].remove(job)
            self._drop_if_empty(graph)
        job.state = state
        del self._jobs[job.id]
        self._rows -= job.rows

    def _enqueue(self, job: Job) -> None:
        job.turn = next(self._turns)
        self._queues.setdefault(job.next_call.graph, _Queue()).add(job)

    def _drop_if_empty(self, graph: Graph) -> None:
        """Lets go of a graph that nobody waits for or runs: its bundle may have been removed."""
        queue = self._queues[graph]
        if not queue.rows and not queue.running_calls:
            del self._queues[graph]


def _longest_waiting(jobs: Mapping[int, Job]) -> float:
    return next((job.turn for job in jobs.values()), inf)


def _are_numbers(rows: Rows, sound: dict[int, bool]) -> bool:
    """Whether no value is NaN or infinite; an array is looked through once, and again only if one is."""
    key = id(rows.array)
    if key not in sound:
        sound[key] = bool(np.isfinite(rows.array).all())
    return sound[key] or bool(np.isfinite(rows.values).all())
