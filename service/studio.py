"""Where the commands draw and score: in this process, or on a server. Both speak the core's messages."""

__all__ = ["LocalStudio", "ModelRow", "RemoteStudio", "Studio", "open_studio"]

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from service.errors import Code, PentimentoError
from service.messages import (
    Frame,
    GenerateRequest,
    Header,
    Refusal,
    ScoreRequest,
    ScoreResult,
    Scores,
    Timing,
)

if TYPE_CHECKING:
    import pentimento_client

    from service.operations import Operations

Frames = AbstractAsyncContextManager[tuple[Header, AsyncIterator[Frame]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRow:
    """What a list of models says of one."""

    name: str
    version: str
    family: str
    summary: str
    image_shape: tuple[int, int, int]  # (C, H, W)
    steps: tuple[int, int, int] | None  # fewest, most, default
    labels: int
    operations: tuple[str, ...]
    is_default: bool


class Studio(Protocol):
    """What commands need."""

    def draw(self, request: GenerateRequest, *, exact: bool) -> Frames:
        """A drawing: its header and its frames; leaving the context cancels it.

        Args:
            request: What to draw.
            exact: Whether unrounded canvases are worth more bytes on the wire.
        """
        ...

    async def score(self, request: ScoreRequest) -> ScoreResult:
        """A scorer's opinion of pictures."""
        ...

    async def models(self) -> tuple[list[ModelRow], list[Refusal]]:
        """What can be drawn and scored, and what was refused."""
        ...


def open_studio(server: str | None, bundles: Path | None) -> AbstractAsyncContextManager[Studio]:
    """The studio for a command's options: that of a server, or else one in this process.

    Args:
        server: URL of a server, or None.
        bundles: Folder of bundles for this process; None takes the setting.
    """
    return _remote(server) if server is not None else _local(bundles)


@asynccontextmanager
async def _local(bundles: Path | None) -> AsyncIterator[Studio]:
    # Imported late: loading ONNX Runtime takes longer than everything else that a command does.
    from service.catalog import Catalog
    from service.engine import Engine
    from service.operations import Operations
    from service.runtime import Runtime
    from service.settings import Settings, available_cpus

    # The limits protect a server from its clients; here there is nobody but the user.
    most = 4096
    settings = Settings(max_images=most, max_rows_in_flight=most, default_timeout_ms=600_000)
    runtime = Runtime(provider=settings.provider, max_batch_rows=settings.max_batch_rows)
    catalog = Catalog.load(bundles or settings.bundles, runtime, default=settings.default_model)
    engine = Engine(
        lanes=settings.lanes or available_cpus(),
        max_rows_in_flight=most,
        stream_frames=settings.stream_frames,
    )
    engine.start()
    try:
        yield LocalStudio(Operations(catalog, engine, settings))
    finally:
        await engine.close()


class LocalStudio:
    """Draws in this process."""

    def __init__(self, operations: "Operations") -> None:
        self._operations = operations

    @asynccontextmanager
    async def draw(
        self, request: GenerateRequest, *, exact: bool
    ) -> AsyncIterator[tuple[Header, AsyncIterator[Frame]]]:
        """As in Studio."""
        async with self._operations.generate(request) as drawing:
            yield drawing.header, aiter(drawing)

    async def score(self, request: ScoreRequest) -> ScoreResult:
        """As in Studio."""
        return await self._operations.score(request)

    async def models(self) -> tuple[list[ModelRow], list[Refusal]]:
        """As in Studio."""
        infos, refusals = self._operations.models()
        rows = []
        for info in infos:
            manifest, drawing = info.manifest, info.manifest.drawing
            steps = None
            if drawing is not None:
                steps = (drawing.steps.min, drawing.steps.max, drawing.steps.default)
            rows.append(
                ModelRow(
                    name=manifest.name,
                    version=manifest.version,
                    family=manifest.family,
                    summary=manifest.summary,
                    image_shape=manifest.image.shape,
                    steps=steps,
                    labels=len(manifest.labels.names) if manifest.labels else 0,
                    operations=info.operations,
                    is_default=info.is_default,
                )
            )
        return rows, list(refusals)


@asynccontextmanager
async def _remote(server: str) -> AsyncIterator[Studio]:
    try:
        import pentimento_client
    except ImportError:
        message = "--server needs the client: pip install pentimento-client (in a checkout: ./clients/python)"
        raise PentimentoError(Code.UNSUPPORTED, message) from None
    try:
        client = pentimento_client.AsyncClient(server)
    except ValueError as error:
        raise PentimentoError(Code.INVALID_ARGUMENT, f"--server: {error}") from None
    async with client:
        yield RemoteStudio(client, exact=server.startswith("grpc"))


class RemoteStudio:
    """Draws on a server, through the Python client."""

    def __init__(self, client: "pentimento_client.AsyncClient", *, exact: bool) -> None:
        self._client = client
        self._exact = exact  # whether the transport has unrounded canvases

    @asynccontextmanager
    async def draw(
        self, request: GenerateRequest, *, exact: bool
    ) -> AsyncIterator[tuple[Header, AsyncIterator[Frame]]]:
        """As in Studio."""
        given = {
            name: value
            for name in ("n", "steps", "seed", "label")
            if (value := getattr(request, name)) is not None
        }
        with _client_errors():
            stream = self._client.stream(
                request.model,
                score=request.score,
                encoding="float32" if exact and self._exact else "png",
                **given,
            )
            async with stream:
                header = Header(
                    model=stream.header.model,
                    version=stream.header.version,
                    seed=stream.header.seed,
                    n=request.n or 1,
                    steps=stream.header.steps,
                    score_kind=None,  # each frame says it
                )
                yield header, (_frame(frame) async for frame in stream)

    async def score(self, request: ScoreRequest) -> ScoreResult:
        """As in Studio."""
        with _client_errors():
            images = [image.data for image in request.images]
            result = await self._client.score(images, request.model, fit=request.fit)
        return ScoreResult(
            model=result.model,
            version=result.version,
            scores=_scores(result.scores),
            timing=Timing(queue_us=result.timing.queue_us, total_us=result.timing.total_us),
        )

    async def models(self) -> tuple[list[ModelRow], list[Refusal]]:
        """As in Studio."""
        with _client_errors():
            models = await self._client.models()
        rows = [
            ModelRow(
                name=model.name,
                version=model.version,
                family=model.family,
                summary=model.summary,
                image_shape=model.image_shape,
                steps=None
                if model.steps is None
                else (model.steps.min, model.steps.max, model.steps.default),
                labels=len(model.labels),
                operations=model.operations,
                is_default=model.is_default,
            )
            for model in models
        ]
        return rows, [Refusal(name=refusal.name, reason=refusal.reason) for refusal in models.refused]


@contextmanager
def _client_errors() -> Iterator[None]:
    import pentimento_client

    try:
        yield
    except pentimento_client.PentimentoError as error:
        raise PentimentoError(
            Code(error.code.value), error.message, field=error.field, retry_after_s=error.retry_after_s
        ) from None


def _frame(frame: "pentimento_client.Frame") -> Frame:
    scores = None if frame.scores is None else _scores(frame.scores)
    return Frame(step=frame.step, canvas=frame.arrays, scores=scores, elapsed_us=frame.elapsed_us)


def _scores(scores: "pentimento_client.Scores") -> Scores:
    return Scores(kind=scores.kind, logit=scores.logits, probability=scores.probabilities)
