"""A drawing under way: frames gathered from the jobs that a request was split into."""

__all__ = ["Drawing", "Jobs", "RequestObserver", "check_deadline", "gather", "join", "read_scores"]

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from pentimento.bundle.manifest import Manifest
from pentimento.service.engine.engine import Ticket
from pentimento.service.engine.job import Emission
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.messages import Floats, Frame, Header, ScoreKind, Scores, Timing


class RequestObserver(Protocol):
    """Is told how admitted requests end; `Metrics` is one."""

    def request(self, *, model: str, version: str, outcome: str, queue_s: float, total_s: float) -> None:
        """Called when a request is over; `outcome` as of `Metrics.finished`, times from its admission."""
        ...


class Jobs:
    """The jobs of one request; leaving its `with` cancels them and reports the outcome, once.

    Args:
        manifest: Of the bundle that was asked.
        observer: Told of the end.
        tickets: As the engine gave them; where they come later, `go_on` takes them.
    """

    def __init__(
        self, manifest: Manifest, observer: RequestObserver | None, tickets: Sequence[Ticket] = ()
    ) -> None:
        self.manifest = manifest
        self._observer = observer
        self.tickets = tickets
        self._began_at = tickets[0].job.admitted_at if tickets else time.monotonic()
        self._queue_s: float | None = None  # of the first jobs, once others have taken their place
        self._finished_at: float | None = None

    @property
    def timing(self) -> Timing:
        """Times so far; final once the request is over."""
        now = self._finished_at or time.monotonic()
        queue_s = self._waited_s(now) if self._queue_s is None else self._queue_s
        return Timing(queue_us=round(queue_s * 1e6), total_us=round((now - self._began_at) * 1e6))

    def go_on(self, tickets: Sequence[Ticket]) -> None:
        """The request goes on with other jobs, as those so far are over: they are let go of."""
        if self.tickets and self._queue_s is None:
            self._queue_s = self._waited_s(time.monotonic())
        self.tickets = tickets

    def _waited_s(self, now: float) -> float:
        jobs = [ticket.job for ticket in self.tickets]
        return max(((job.started_at or now) - job.admitted_at for job in jobs), default=0.0)

    def end(self, outcome: str) -> None:
        """Ends the request: cancels what is not done and reports the outcome; only the first call counts."""
        if self._finished_at is not None:
            return
        self._finished_at = time.monotonic()
        for ticket in self.tickets:
            ticket.stream.close()
        if self._observer is not None:
            times = self.timing
            self._observer.request(
                model=self.manifest.name,
                version=self.manifest.version,
                outcome=outcome,
                queue_s=times.queue_us / 1e6,
                total_s=times.total_us / 1e6,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.end("ok")
        elif isinstance(error, PentimentoError):
            self.end(error.outcome)
        else:  # of these, the one that is no defect is the client's departure
            self.end("internal" if isinstance(error, Exception) else "cancelled")


class Drawing:
    """An async iterator of frames. Leaving the `async with`, for any reason, cancels what is not drawn yet.

    A request with more rows than a graph call may take is drawn in parts; each frame gathers all of them.

    Attributes:
        header: What is known before the first frame.
        manifest: That of the bundle that draws; by now another version may be served under its name.
        given: The picture it starts from, as the model sees it, (1, C, H, W); None if it starts from noise.
        outputs: What comes with each canvas besides it, as the manifest declares.
        encoding: By name what the encoder put out for each image, (n, ...); there with the first frame.
    """

    def __init__(self, header: Header, jobs: Jobs, *, deadline: float, given: Floats | None = None) -> None:
        self.header = header
        self._deadline = deadline
        self.manifest = jobs.manifest
        self.given = given
        self.encoding: Mapping[str, Floats] | None = None
        self._jobs = jobs
        self.outputs = jobs.manifest.drawing.outputs if jobs.manifest.drawing else ()

    @property
    def left_s(self) -> float:
        """Seconds until the deadline; negative beyond it."""
        return self._deadline - time.monotonic()

    def check_deadline(self) -> None:
        """To be called before, and on the way through, the encoding of a whole answer; from any thread.

        Raises:
            PentimentoError: DEADLINE_EXCEEDED: it would be encoded for nobody.
        """
        check_deadline(self.left_s)

    @property
    def timing(self) -> Timing:
        """Times so far; final once the frames have ended."""
        return self._jobs.timing

    async def __aiter__(self) -> AsyncIterator[Frame]:
        with self._jobs as jobs:
            async for step, parts in gather(jobs.tickets):
                if step == 0:
                    self._take_encoding(parts)
                else:
                    yield self._frame(step, parts)

    async def frames(self) -> list[Frame]:
        """Waits for the end and returns all frames; fewer if the drawing was closed before.

        All are held in memory, so their number must have been checked. The reader is woken once.

        Raises:
            PentimentoError: The drawing failed, or was not done before its deadline.
        """
        with self._jobs as jobs:
            collected = [await ticket.stream.collect() for ticket in jobs.tickets]
            self.check_deadline()  # a call that is made is not interrupted: the last may have ended too late
        frames: list[Frame] = []
        for parts in zip(*collected, strict=False):  # closed on the way, some parts are shorter
            if parts[0].step == 0:
                self._take_encoding(parts)
            else:
                frames.append(self._frame(parts[0].step, parts))
        return frames

    def _take_encoding(self, parts: Sequence[Emission]) -> None:
        self.encoding = {name: join(parts, name) for name in parts[0].tensors}

    def _frame(self, step: int, parts: Sequence[Emission]) -> Frame:
        scored_by = self.header.scored_by
        return Frame(
            step=step,
            canvas=join(parts, "canvas"),
            scores=None if scored_by is None else read_scores(scored_by.kind, parts, scored_by.real_label),
            outputs={output.name: join(parts, output.name) for output in self.outputs},
            elapsed_us=max(part.elapsed_us for part in parts),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(error.outcome if isinstance(error, PentimentoError) else "cancelled")

    def close(self, outcome: str = "cancelled") -> None:
        """Cancels what is not drawn yet; its rows are free within one step. Does nothing when done, or twice.

        Args:
            outcome: What log and metrics call it; by default its client has left.
        """
        self._jobs.end(outcome)


def check_deadline(left_s: float) -> None:
    """Refuses to go on with what is computed, but not encoded, when no time is left.

    Raises:
        PentimentoError: DEADLINE_EXCEEDED.
    """
    if left_s <= 0:
        message = "the deadline passed before the answer was encoded"
        raise PentimentoError(Code.DEADLINE_EXCEEDED, message)


async def gather(tickets: Sequence[Ticket]) -> AsyncIterator[tuple[int, list[Emission]]]:
    """Yields for each step its number and the emissions of all jobs; raises the first error of any job."""
    streams = [ticket.stream for ticket in tickets]
    while True:
        parts: list[Emission] = []
        for stream in streams:
            async for emission in stream:
                parts.append(emission)
                break
        if not parts:
            return
        yield parts[0].step, parts


def join(parts: Sequence[Emission], name: str) -> Floats:
    """One tensor of all jobs of a request, their rows below each other."""
    arrays = [part.tensors[name] for part in parts]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def read_scores(kind: ScoreKind, parts: Sequence[Emission], real_label: float) -> Scores:
    """The scores that came with a step.

    Args:
        kind: Of the scorer; a discriminator's scores come with the probability that an image is real.
        parts: What the jobs of a request emitted at this step.
        real_label: A discriminator's target for data in its training; the best one says that times the
            probability of being real.
    """
    logit = join(parts, "logit")
    probability = None
    if kind == "discriminator":
        # exp overflows to infinity, and the probability is 0 as it should be
        with np.errstate(over="ignore"):
            said = 1.0 / (1.0 + np.exp(-logit))
            probability = np.minimum(said / real_label, 1.0).astype(np.float32)
    return Scores(kind=kind, logit=logit, probability=probability)
