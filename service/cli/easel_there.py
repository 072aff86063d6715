"""The easel on a server, through the Python client."""

__all__ = ["RemoteEasel", "open_there", "reload_there"]

import sys
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pentimento.bundle.drawing import Control, FrameOutput
from pentimento.service.catalog.served import Refusal, Reload, Revision
from pentimento.service.cli.easel import DrawingRequest, Easel, ModelRow
from pentimento.service.cli.remote import Remote
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.messages import (
    AutoencodeRequest,
    CompleteRequest,
    EncodeRequest,
    EncodeResult,
    Floats,
    Frame,
    GenerateRequest,
    Header,
    LikelihoodRequest,
    LikelihoodResult,
    ScoredBy,
    ScoreRequest,
    ScoreResult,
    Scores,
    Timing,
)

if TYPE_CHECKING:
    import pentimento_client


@asynccontextmanager
async def open_there(server: Remote) -> AsyncIterator[Easel]:
    """Connects to a server, and closes the connection on leaving.

    Args:
        server: URL, key and certificates.

    Raises:
        PentimentoError: UNSUPPORTED: the client is not installed. INVALID_ARGUMENT: a wrong URL or file.
    """
    async with _connect(server) as client:
        yield RemoteEasel(client, exact=server.url.startswith("grpc"))


async def reload_there(server: Remote, token: str) -> Reload:
    """Lets a server read its bundle folder again, and returns what that changed.

    Args:
        server: URL, key and certificates.
        token: The server's admin token.

    Raises:
        PentimentoError: As `open_there`, and whatever the server says.
    """
    async with _connect(server) as client:
        with _client_errors(), _warnings_on_stderr():
            done = await client.reload_models(token)
    return Reload(
        added=tuple(_revision(each) for each in done.added),
        replaced=tuple(_revision(each) for each in done.replaced),
        removed=done.removed,
        kept=done.kept,
        refused=tuple(Refusal(name=each.name, reason=each.reason) for each in done.refused),
        default=done.default,
    )


def _connect(server: Remote) -> "pentimento_client.AsyncClient":
    try:
        import pentimento_client
    except ImportError:
        message = "--server needs the client: in a checkout of Pentimento, pip install ./clients/python"
        raise PentimentoError(Code.UNSUPPORTED, message) from None
    try:
        with _warnings_on_stderr():
            return pentimento_client.AsyncClient(
                server.url,
                api_key=server.api_key,
                ca_file=server.ca_file,
                certificate_file=server.certificate_file,
                key_file=server.key_file,
            )
    except ValueError as error:
        raise PentimentoError(Code.INVALID_ARGUMENT, f"--server: {error}") from None


class RemoteEasel:
    """Lets a server do the work; methods as described in `Easel`."""

    def __init__(self, client: "pentimento_client.AsyncClient", *, exact: bool) -> None:
        self._client = client
        self._exact = exact  # whether the transport has unrounded canvases

    @asynccontextmanager
    async def draw(self, request: DrawingRequest, *, exact: bool) -> AsyncIterator["_RemoteSketch"]:
        """Opens a drawing; leaving the context cancels it. Exact canvases come over gRPC only."""
        options = _given(request, "steps", "seed", "label", "score", "score_by", "boxes")
        options["controls"] = request.controls
        options["encoding"] = "float32" if exact and self._exact else "png"
        with _client_errors():
            async with self._stream(request, options) as stream:
                outputs = await self._outputs(stream.header.model) if request.boxes else ()
                yield _RemoteSketch(stream, _image_count(request), outputs)

    async def _outputs(self, model: str) -> tuple[FrameOutput, ...]:
        told = await self._client.model(model)
        return tuple(
            FrameOutput(name=each.name, meaning=each.meaning, points=each.points, summary=each.summary)
            for each in told.outputs
        )

    def _stream(
        self, request: DrawingRequest, options: dict[str, Any]
    ) -> "pentimento_client.AsyncFrameStream":
        client, model = self._client, request.model
        if isinstance(request, GenerateRequest):
            options |= {"seeds": request.seeds, "latents": _arrays(request.latents)}
            return client.stream(model, **_given(request, "n", "labels"), **options)
        image = request.image.data
        if isinstance(request, CompleteRequest):
            mask = request.mask.data
            return client.stream_complete(image, mask, model, n=request.n, fit=request.fit, **options)
        return client.stream_autoencode(image, model, samples=request.samples, fit=request.fit, **options)

    async def score(self, request: ScoreRequest) -> ScoreResult:
        """A scorer's verdict on pictures."""
        with _client_errors():
            images = [image.data for image in request.images]
            result = await self._client.score(
                images,
                request.model,
                fit=request.fit,
                label=request.label,
                latents=_arrays(request.latents) or None,
                group=request.group,
            )
        return ScoreResult(
            model=result.model,
            version=result.version,
            scores=_scores(result.scores),
            group=result.group,
            timing=_timing(result.timing),
        )

    async def encode(self, request: EncodeRequest) -> EncodeResult:
        """What a model's encoder makes of pictures."""
        with _client_errors():
            images = [image.data for image in request.images]
            result = await self._client.encode(
                images, request.model, fit=request.fit, **_given(request, "label", "seed")
            )
        return EncodeResult(
            model=result.model,
            version=result.version,
            seed=result.seed,
            given=result.inputs,
            encoding=result.encoding,
            timing=_timing(result.timing),
        )

    async def likelihood(self, request: LikelihoodRequest) -> LikelihoodResult:
        """The log-likelihood of pictures under a model, or a lower bound of it."""
        with _client_errors():
            result = await self._client.likelihood(
                [image.data for image in request.images],
                request.model,
                importance_samples=request.importance_samples,
                pixels=request.pixels,
                fit=request.fit,
                **_given(request, "label", "seed"),
            )
        return LikelihoodResult(
            model=result.model,
            version=result.version,
            seed=result.seed,
            kind=result.kind,
            importance_samples=result.importance_samples,
            given=result.inputs,
            nats=result.nats,
            bits_per_dim=result.bits_per_dim,
            standard_errors=result.standard_errors,
            pixels=result.pixels,
            timing=_timing(result.timing),
        )

    async def models(self) -> tuple[list[ModelRow], list[Refusal]]:
        """The served models, and the bundles that were refused."""
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
                labels=model.labels,
                score_kind=model.score_kind,
                operations=model.operations,
                controls=tuple(
                    Control(
                        name=each.name,
                        min=each.min,
                        max=each.max,
                        default=each.default,
                        summary=each.summary,
                    )
                    for each in model.controls
                ),
                latents=tuple(latent.name for latent in model.latents),
                is_default=model.is_default,
            )
            for model in models
        ]
        return rows, [Refusal(name=refusal.name, reason=refusal.reason) for refusal in models.refused]


class _RemoteSketch:
    """A drawing on a server; properties as described in `Sketch`."""

    def __init__(
        self, stream: "pentimento_client.AsyncFrameStream", n: int, outputs: tuple[FrameOutput, ...]
    ) -> None:
        self._stream = stream
        self._n = n
        self.outputs = outputs

    @property
    def header(self) -> Header:
        header, by = self._stream.header, None
        if header.score_kind is not None and header.scored_by is not None:
            who = header.scored_by
            by = ScoredBy(model=who.model, version=who.version, kind=header.score_kind)
        return Header(
            model=header.model,
            version=header.version,
            seed=header.seed,
            n=self._n,
            steps=header.steps,
            scored_by=by,
            conditioning=self._stream.conditioning,
        )

    @property
    def given(self) -> Floats | None:
        picture = self._stream.input
        return None if picture is None else picture[None]

    async def __aiter__(self) -> AsyncIterator[Frame]:
        async for frame in self._stream:
            scores = None if frame.scores is None else _scores(frame.scores)
            yield Frame(
                step=frame.step,
                canvas=frame.arrays,
                scores=scores,
                outputs=frame.outputs,
                elapsed_us=frame.elapsed_us,
            )


@contextmanager
def _warnings_on_stderr() -> Iterator[None]:
    """Says the client's warnings as this program says what is wrong: a sentence, and no place in its code."""

    def say(message: Warning | str, *_: object) -> None:
        print(f"pentimento: {message}", file=sys.stderr)

    with warnings.catch_warnings():  # which also puts back what shows them
        warnings.simplefilter("always")
        warnings.showwarning = say  # type: ignore[assignment]  # it takes all that it is given
        yield


@contextmanager
def _client_errors() -> Iterator[None]:
    import pentimento_client

    try:
        yield
    except pentimento_client.PentimentoError as error:
        raise PentimentoError(
            Code(error.code.value), error.message, field=error.field, retry_after_s=error.retry_after_s
        ) from None


def _given(request: object, *names: str) -> dict[str, Any]:
    """The named fields of a request that are not None."""
    return {name: value for name in names if (value := getattr(request, name)) is not None}


def _arrays(latents: Mapping[str, object]) -> dict[str, np.ndarray[Any, Any]]:
    return {name: np.asarray(values) for name, values in latents.items()}


def _image_count(request: DrawingRequest) -> int:
    """How many images a drawing has, as the client's stream does not say."""
    if isinstance(request, AutoencodeRequest):
        return request.samples
    if isinstance(request, GenerateRequest) and request.n is None:
        given = next(iter(_arrays(request.latents).values()), None)
        return len(request.labels or (None,)) if given is None else len(given)
    return request.n or 1


def _revision(revision: "pentimento_client.Revision") -> Revision:
    return Revision(name=revision.name, version=revision.version, previous_version=revision.previous_version)


def _scores(scores: "pentimento_client.Scores") -> Scores:
    return Scores(kind=scores.kind, logit=scores.logits, probability=scores.probabilities)


def _timing(timing: "pentimento_client.Timing") -> Timing:
    return Timing(queue_us=timing.queue_us, total_us=timing.total_us)
