"""The HTTP transport: routes and nothing else. What is served where is described at /docs."""

__all__ = ["create_app"]

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.params import Depends as Dependency
from starlette.responses import Response

from service import http_docs
from service.errors import Code, PentimentoError
from service.http_answers import Wanted, check_size, score_objects, stream, unless_disconnected, whole
from service.http_bodies import merge, read_generate_body, read_images
from service.http_exchange import Exchange, HttpExchanges, exchange_of
from service.http_problems import answer_defect, install_problem_handlers
from service.http_schemas import (
    GenerateQuery,
    IndexBody,
    ModelBody,
    ModelDetailBody,
    ModelsBody,
    RefusalBody,
    ScoreAnswerBody,
    ScoreBody,
    ScoreQuery,
    StatusBody,
    TimingBody,
)
from service.messages import ModelInfo, ScoreRequest
from service.metrics import CONTENT_TYPE, Metrics, Operation
from service.negotiation import choose_answer
from service.operations import Drawing, Operations
from service.settings import Settings

router = APIRouter()

_OFFERED = ("generate", "score")  # what has a route here; a bundle may be able to do more


@dataclass(frozen=True, kw_only=True, slots=True)
class _Server:
    operations: Operations
    metrics: Metrics
    settings: Settings


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        return http_docs.complete(super().openapi())


def create_app(operations: Operations, metrics: Metrics, settings: Settings) -> FastAPI:
    """Makes the ASGI application.

    Args:
        operations: What can be asked for.
        metrics: Told of every request, and exposed at /metrics.
        settings: The limits.
    """
    app = _App(
        **http_docs.TITLE,
        openapi_tags=http_docs.TAGS,
        # FastAPI's own telemetry would cost 10 % of a small request; what is measured is in `metrics`.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.server = _Server(operations=operations, metrics=metrics, settings=settings)
    app.include_router(router)
    install_problem_handlers(app)
    app.add_middleware(HttpExchanges, metrics=metrics, answer_defect=answer_defect)
    return app


async def _server(request: Request) -> _Server:  # FastAPI would send a plain function to a thread
    server: _Server = request.app.state.server
    return server


def _counted(operation: Operation) -> Dependency:
    async def count(request: Request) -> Exchange:
        exchange = exchange_of(request.scope)
        exchange.operation = operation
        return exchange

    return Dependency(count)


Server = Annotated[_Server, Depends(_server)]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Admitted:
    drawing: Drawing
    wanted: Wanted


async def _admit(
    request: Request, query: Annotated[GenerateQuery, Query()], server: Server
) -> AsyncIterator[_Admitted]:
    """Refuses whatever can be refused, before the first byte; closes the drawing in the end."""
    wanted = Wanted(
        answer=choose_answer(", ".join(request.headers.getlist("accept"))),
        scale=1 if query.scale is None else query.scale,
    )
    body = await read_generate_body(request, server.settings.max_body_bytes)
    async with server.operations.generate(merge(query, body)) as drawing:
        image = server.operations.model(drawing.header.model).manifest.image
        check_size(wanted, drawing.header, image)
        yield _Admitted(drawing=drawing, wanted=wanted)


@router.post("/generate", **http_docs.GENERATE)
async def generate(
    request: Request,
    exchange: Annotated[Exchange, _counted("generate")],
    admitted: Annotated[_Admitted, Depends(_admit)],
    server: Server,
) -> Response:
    """Draws images step by step.

    The answer follows the Accept header; the streams send every step as soon as it is drawn, and end with
    exactly one `done` or `error`. Hanging up cancels the drawing.
    """
    drawing, wanted = admitted.drawing, admitted.wanted
    if wanted.answer.streams:
        return stream(drawing, wanted, exchange, server.metrics)
    return await unless_disconnected(request.receive, whole(drawing, wanted))


@router.post("/score", dependencies=[_counted("score")], **http_docs.SCORE)
async def score(request: Request, query: Annotated[ScoreQuery, Query()], server: Server) -> ScoreAnswerBody:
    """Judges images with a model's scorer: a raw PNG or JPEG body, multipart files, or base64 in JSON."""
    settings = server.settings
    images = await read_images(request, settings.max_body_bytes, settings.max_images)
    wanted = ScoreRequest(model=query.model, images=images, fit=query.fit, timeout_ms=query.timeout_ms)
    result = await unless_disconnected(request.receive, server.operations.score(wanted))
    return ScoreAnswerBody(
        model=result.model,
        version=result.version,
        kind=result.scores.kind,
        scores=[ScoreBody(**scores) for scores in score_objects(result.scores)],
        timing=TimingBody(queue_us=result.timing.queue_us, total_us=result.timing.total_us),
    )


@router.get("/models", dependencies=[_counted("models")], **http_docs.MODELS)
async def models(server: Server) -> ModelsBody:
    """Lists the served models, and the folders that were refused, each with the reason."""
    served, refused = server.operations.models()
    return ModelsBody(
        models=[_model_body(info) for info in served],
        refused=[RefusalBody(name=refusal.name, reason=refusal.reason) for refusal in refused],
    )


@router.get("/models/{name}", dependencies=[_counted("models")], **http_docs.MODEL)
async def model(name: str, server: Server) -> ModelDetailBody:
    """Describes one model, with its whole manifest."""
    info = server.operations.model(name)
    return ModelDetailBody(**dict(_model_body(info)), manifest=info.manifest)


@router.get("/healthz", **http_docs.HEALTH)
async def healthz() -> StatusBody:
    """Says that the process is alive, whatever it is doing."""
    return StatusBody(status="alive")


@router.get("/readyz", **http_docs.READY)
async def readyz(server: Server) -> StatusBody:
    """Says whether new work is admitted: not before the models are loaded, and not while shutting down."""
    if not server.operations.accepting:
        raise PentimentoError(Code.UNAVAILABLE, "the server admits no new work", retry_after_s=1.0)
    return StatusBody(status="ready")


@router.get("/metrics", **http_docs.METRICS)
async def metrics(server: Server) -> Response:
    """Prometheus metrics."""
    return Response(server.metrics.expose(), media_type=CONTENT_TYPE)


@router.get("/", **http_docs.INDEX)
async def index() -> IndexBody:
    """Says where to go."""
    return IndexBody(name="Pentimento", docs="/docs", calls=http_docs.CALLS)


def _model_body(info: ModelInfo) -> ModelBody:
    manifest = info.manifest
    return ModelBody(
        name=manifest.name,
        version=manifest.version,
        family=manifest.family,
        summary=manifest.summary,
        default=info.is_default,
        operations=[name for name in info.operations if name in _OFFERED],
        image=manifest.image,
        steps=manifest.drawing.steps if manifest.drawing else None,
        latents=list(manifest.drawing.noise) if manifest.drawing else [],
        labels=list(manifest.labels.names) if manifest.labels else None,
        score_kind=manifest.scorer.kind if manifest.scorer else None,
    )
