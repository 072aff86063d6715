"""The use cases, free of any protocol: check, draw the noise, submit, gather. Both transports call these."""

__all__ = ["Drawing", "Operations"]

import asyncio
import itertools
import math
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Literal, Self

import numpy as np

from bundle.manifest import Manifest, Scorer
from bundle.noise import draw_noise
from service import checks
from service.catalog import Catalog, LoadedModel
from service.engine import Engine, Submission, Ticket
from service.errors import Code, PentimentoError, invalid
from service.image_input import decode_image
from service.job import Array, Emission
from service.messages import (
    Floats,
    Frame,
    GenerateRequest,
    Header,
    ModelInfo,
    Refusal,
    ScoreRequest,
    ScoreResult,
    Scores,
    Timing,
)
from service.plan import plan_drawing, plan_score
from service.settings import Settings


class Drawing:
    """A drawing under way: an async iterator of frames. Leaving the `async with`, for any reason, cancels it.

    A request with more rows than a graph call may take is drawn in parts; each frame gathers all of them.
    """

    def __init__(self, header: Header, tickets: Sequence[Ticket]) -> None:
        self.header = header
        self._tickets = tickets
        self._finished_at: float | None = None

    @property
    def timing(self) -> Timing:
        """Times so far; final once the frames have ended."""
        return _timing(self._tickets, self._finished_at or time.monotonic())

    async def __aiter__(self) -> AsyncIterator[Frame]:
        try:
            async for step, parts in _gather(self._tickets):
                yield Frame(
                    step=step,
                    canvas=_join(parts, "canvas"),
                    scores=_scores(self.header.score_kind, parts),
                    elapsed_us=max(part.elapsed_us for part in parts),
                )
            self._finished_at = time.monotonic()
        finally:
            self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cancels what is not drawn yet; its rows are free within one step. Harmless when done, or twice."""
        for ticket in self._tickets:
            ticket.stream.close()


class Operations:
    """What can be asked of the served bundles."""

    def __init__(self, catalog: Catalog, engine: Engine, settings: Settings) -> None:
        self._catalog = catalog
        self._engine = engine
        self._settings = settings

    @property
    def accepting(self) -> bool:
        """Whether new work is admitted: false before the start and while draining."""
        return self._engine.accepting

    def models(self) -> tuple[tuple[ModelInfo, ...], tuple[Refusal, ...]]:
        """Served bundles by name, and the folders that were refused."""
        return self._catalog.infos(), self._catalog.refused

    def model(self, name: str) -> ModelInfo:
        """One served bundle.

        Raises:
            PentimentoError: NOT_FOUND.
        """
        return self._catalog.info(name)

    def generate(self, request: GenerateRequest) -> Drawing:
        """Checks everything, admits the drawing, and returns before its first step.

        Raises:
            PentimentoError: INVALID_ARGUMENT, NOT_FOUND, UNSUPPORTED, OVERLOADED, UNAVAILABLE. Later trouble
                (DEADLINE_EXCEEDED, INFERENCE_FAILED) is raised by the iteration.
        """
        model = self._catalog.get(request.model)
        manifest = model.manifest
        if manifest.drawing is None:
            raise self._unsupported(manifest.name, "draw", "generate")
        steps = checks.steps(manifest, request.steps)
        n = checks.image_count(request, self._settings.max_images)
        seed = checks.seed(secrets.randbits(32) if request.seed is None else request.seed)
        label = checks.label(manifest, request.label)
        given = checks.latents(manifest, request.latents, n, steps)
        scorer = self._scorer(model) if request.score else None
        plan = plan_drawing(manifest, model.graphs, steps=steps, scorer=model.scorer if scorer else None)
        submissions: list[Submission] = []
        for rows in _parts(n, min(call.graph.max_rows for call in plan)):
            tensors: dict[str, Array] = dict(
                draw_noise(
                    manifest.drawing,
                    manifest.graphs,
                    seed=seed,
                    rows=rows,
                    steps=steps,
                    given={name: values[rows.start : rows.stop] for name, values in given.items()},
                )
            )
            if label is not None:
                tensors["label"] = np.full(len(rows), label, dtype=np.int64)
            submissions.append(Submission(rows=len(rows), plan=plan, tensors=tensors))
        header = Header(
            model=manifest.name,
            version=manifest.version,
            seed=seed,
            n=n,
            steps=steps,
            score_kind=scorer.kind if scorer else None,
        )
        return Drawing(
            header, self._engine.submit(submissions, timeout_s=self._timeout_s(request.timeout_ms))
        )

    async def score(self, request: ScoreRequest) -> ScoreResult:
        """Judges images with a bundle's scorer.

        Raises:
            PentimentoError: as `generate`.
        """
        model = self._catalog.get(request.model)
        scorer = self._scorer(model)
        if not 1 <= len(request.images) <= self._settings.max_images:
            raise invalid("images", f"must be 1..{self._settings.max_images}, got {len(request.images)}")
        timeout_s = self._timeout_s(request.timeout_ms)
        images = await asyncio.to_thread(self._decode, request, model.manifest)
        plan = plan_score(model.graphs["score"])
        submissions = [
            Submission(rows=len(rows), plan=plan, tensors={"image": images[rows.start : rows.stop]})
            for rows in _parts(len(images), plan[0].graph.max_rows)
        ]
        tickets = self._engine.submit(submissions, timeout_s=timeout_s)
        try:
            parts = [part async for _, part in _gather(tickets)][-1]
        finally:
            for ticket in tickets:
                ticket.stream.close()
        scores = _scores(scorer.kind, parts)
        assert scores is not None
        return ScoreResult(
            model=model.manifest.name,
            version=model.manifest.version,
            scores=scores,
            timing=_timing(tickets, time.monotonic()),
        )

    def _decode(self, request: ScoreRequest, manifest: Manifest) -> Floats:
        pixels = self._settings.max_image_pixels
        return np.stack(
            [
                decode_image(image.data, manifest.image, request.fit, pixels, name=image.name)
                for image in request.images
            ]
        )

    def _scorer(self, model: LoadedModel) -> Scorer:
        if model.scorer is None or model.manifest.scorer is None:
            raise self._unsupported(model.manifest.name, "score images", "score")
        return model.manifest.scorer

    def _unsupported(self, name: str, what: str, operation: Literal["generate", "score"]) -> PentimentoError:
        able = [info.manifest.name for info in self._catalog.infos() if operation in info.operations]
        message = f"model {name!r} cannot {what}; models that can: {', '.join(able) or 'none'}"
        return PentimentoError(Code.UNSUPPORTED, message, field="model")

    def _timeout_s(self, timeout_ms: int | None) -> float:
        if timeout_ms is None:
            return min(self._settings.default_timeout_ms, self._settings.max_timeout_ms) / 1000
        if not 1 <= timeout_ms <= self._settings.max_timeout_ms:
            raise invalid("timeout_ms", f"must be 1..{self._settings.max_timeout_ms}, got {timeout_ms}")
        return timeout_ms / 1000


async def _gather(tickets: Sequence[Ticket]) -> AsyncIterator[tuple[int, list[Emission]]]:
    """Step by step the emissions of all parts; raises the first error of any part."""
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


def _join(parts: Sequence[Emission], name: str) -> Floats:
    arrays = [part.tensors[name] for part in parts]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _scores(kind: Literal["discriminator", "critic"] | None, parts: Sequence[Emission]) -> Scores | None:
    if kind is None:
        return None
    logit = _join(parts, "logit")
    probability = None
    if kind == "discriminator":
        with np.errstate(
            over="ignore"
        ):  # exp overflows to infinity, and the probability is 0 as it should be
            probability = (1.0 / (1.0 + np.exp(-logit))).astype(np.float32)
    return Scores(kind=kind, logit=logit, probability=probability)


def _timing(tickets: Sequence[Ticket], now: float) -> Timing:
    queue_s = max((job.started_at or now) - job.admitted_at for job in (ticket.job for ticket in tickets))
    total_s = now - min(ticket.job.admitted_at for ticket in tickets)
    return Timing(queue_us=round(queue_s * 1e6), total_us=round(total_s * 1e6))


def _parts(n: int, limit: int) -> list[range]:
    """Row ranges of the smallest number of parts of at most `limit` rows, even to within one row."""
    count = math.ceil(n / limit)
    bounds = [n * i // count for i in range(count + 1)]
    return [range(start, stop) for start, stop in itertools.pairwise(bounds)]
