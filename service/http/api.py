"""The HTTP application, with the routes about the server itself; the calls are described at /docs."""

__all__ = ["create_app"]

from collections.abc import Awaitable, Callable
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from pentimento.bundle.scorer import judged_noise
from pentimento.service.catalog.served import ModelInfo
from pentimento.service.door.access import AdminToken
from pentimento.service.door.door import Door
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.http import addresses, admin, docs, drawings, readings
from pentimento.service.http.context import Context, Server, counted
from pentimento.service.http.cors import Cors
from pentimento.service.http.docs_page import install_docs_page, install_openapi
from pentimento.service.http.door import HttpDoor, describe_keys
from pentimento.service.http.etags import Tags
from pentimento.service.http.exchange import HttpExchanges
from pentimento.service.http.lenience import Lenience
from pentimento.service.http.model_schemas import (
    IndexBody,
    ModelBody,
    ModelDetailBody,
    ModelsBody,
    ReadyBody,
    RefusalBody,
    StatusBody,
)
from pentimento.service.http.open_inference import docs as inference_docs
from pentimento.service.http.open_inference import infer, repository
from pentimento.service.http.open_inference import models as inference_models
from pentimento.service.http.open_inference.errors import error_form as inference_error_form
from pentimento.service.http.openai import docs as openai_docs
from pentimento.service.http.openai import images
from pentimento.service.http.openai import models as openai_models
from pentimento.service.http.openai.errors import error_form
from pentimento.service.http.origins import Origins, describe_origins
from pentimento.service.http.problems import Defects, install_problem_handlers, refuse
from pentimento.service.http.shortcuts import Shortcuts
from pentimento.service.http.studio import Studio
from pentimento.service.operations.operations import Operations
from pentimento.service.settings import Settings
from pentimento.service.telemetry.metrics import CONTENT_TYPE, Metrics

router = APIRouter()


class _App(FastAPI):
    def build_middleware_stack(self) -> ASGIApp:
        """Puts our layers outside of the framework's own: most requests go no further than ours."""
        ours = self.user_middleware
        # Or the framework's outermost layer, which answers plain text, would be the first to see a defect.
        self.user_middleware = [layer for layer in ours if cast("object", layer.cls) is Defects]
        app = super().build_middleware_stack()
        for layer, arguments, options in reversed(ours):
            app = layer(app, *arguments, **options)
        return app

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            schema = docs.complete(super().openapi(), (*openai_docs.SCHEMAS, *inference_docs.SCHEMAS))
            if self.state.door.is_keyed:
                describe_keys(schema)
            else:
                describe_origins(schema)
            openai_docs.in_the_words_of_the_api(schema)
            inference_docs.in_the_words_of_the_protocol(schema)
        return cast("dict[str, Any]", self.openapi_schema)


def create_app(
    operations: Operations,
    metrics: Metrics,
    settings: Settings,
    *,
    door: Door | None = None,
    expose: Callable[[], Awaitable[bytes]] | None = None,
    workers: Callable[[], tuple[int, int]] | None = None,
    exact: bool = True,
) -> FastAPI:
    """Makes the ASGI application.

    Args:
        operations: What can be asked for.
        metrics: Told of every request, and exposed at /metrics.
        settings: The limits.
        door: Decides which requests are let in; by default one made from the settings.
        expose: Gives the metrics of all processes of the server; None: this one is all.
        workers: Says how many processes serve, and how many should; None: this one is all.
        exact: Whether a drawing has the same bytes each time, as it has on CPUs.

    Raises:
        RuntimeError: One sentence: a setting is wrong, or a file cannot be read.
    """
    app = _App(
        **docs.TITLE,
        openapi_tags=[*docs.TAGS, openai_docs.TAG, inference_docs.TAG],
        openapi_url=None,  # a route of our own: FastAPI's writes the document anew for each request
        docs_url=None,  # a page of our own: FastAPI's loads its files from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # see Lenience
        # FastAPI's own telemetry would cost 10 % of a small request; what is measured is in `metrics`.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.admin = AdminToken.of(settings)
    app.state.door = door or Door.of(settings)
    app.state.context = Context(
        operations=operations,
        metrics=metrics,
        settings=settings,
        tags=Tags(exact=exact),
        expose=expose,
        workers=workers or (lambda: (1, 1)),
    )
    ours = (drawings.router, addresses.router, readings.router, admin.router, router)
    theirs = (images.router, openai_models.router, inference_models.router, infer.router, repository.router)
    for part in (*ours, *theirs):
        app.include_router(part)
    app.state.studio = Studio.install(app) if settings.studio else None
    install_openapi(app)
    install_docs_page(app)
    install_problem_handlers(app)
    app.add_middleware(Shortcuts, posts=drawings.POSTS | images.POSTS)
    cors = Cors.of(settings)
    origins = Origins.of(settings, app.state.door, cors)
    app.add_middleware(HttpDoor, door=app.state.door, origins=origins, answer_error=refuse)
    app.add_middleware(Lenience)
    app.add_middleware(Defects)
    if cors is not None:
        app.add_middleware(CORSMiddleware, **cors.options)
    app.add_middleware(
        HttpExchanges, metrics=metrics, error_forms={"/v1": error_form, "/v2": inference_error_form}
    )
    return app


@router.get("/models", dependencies=[counted("models")], **docs.MODELS)
async def models(server: Server) -> ModelsBody:
    """Lists the served models, and the folders that were refused, each with the reason."""
    served, refused = server.operations.models()
    return ModelsBody(
        models=[_model_body(info) for info in served],
        refused=[RefusalBody(name=refusal.name, reason=refusal.reason) for refusal in refused],
    )


@router.get("/models/{name}", dependencies=[counted("models")], **docs.MODEL)
async def model(name: str, server: Server) -> ModelDetailBody:
    """Describes one model, with its whole manifest."""
    info = server.operations.model(name)
    return ModelDetailBody(**dict(_model_body(info)), manifest=info.manifest)


@router.get("/healthz", **docs.HEALTH)
async def healthz() -> StatusBody:
    """Says that the process is alive, whatever it is doing."""
    return StatusBody(status="alive")


@router.get("/readyz", **docs.READY)
async def readyz(server: Server) -> ReadyBody:
    """Says whether new work is admitted: not before the models are loaded, and not while shutting down.

    A server that lacks some of its workers is ready with fewer, and says so.
    """
    if not server.operations.accepting:
        raise PentimentoError(Code.UNAVAILABLE, "the server admits no new work", retry_after_s=1.0)
    serving, wanted = server.workers()
    return ReadyBody(status="ready", workers=serving, workers_wanted=wanted)


@router.get("/metrics", **docs.METRICS)
async def metrics(server: Server) -> Response:
    """Prometheus metrics."""
    text = server.metrics.expose() if server.expose is None else await server.expose()
    return Response(text, media_type=CONTENT_TYPE)


@router.get("/", **docs.INDEX)
async def index(request: Request) -> Response:
    """Answers browsers, whose Accept names text/html, with the studio, and others with a list of calls."""
    studio: Studio | None = request.app.state.studio
    if studio is not None and "text/html" in request.headers.get("accept", ""):
        return studio.page()
    body = IndexBody(name="Pentimento", docs="/docs", calls=docs.CALLS)
    return JSONResponse(body.model_dump(), headers={"Vary": "Accept"})


def _model_body(info: ModelInfo) -> ModelBody:
    manifest = info.manifest
    return ModelBody(
        name=manifest.name,
        version=manifest.version,
        family=manifest.family,
        summary=manifest.summary,
        default=info.is_default,
        operations=list(info.operations),
        image=manifest.image,
        steps=manifest.drawing.steps if manifest.drawing else None,
        latents=list(manifest.drawing.noise) if manifest.drawing else [],
        outputs=list(manifest.drawing.outputs) if manifest.drawing else [],
        controls=list(manifest.drawing.controls) if manifest.drawing else [],
        labels=list(manifest.labels.names) if manifest.labels else None,
        score_kind=manifest.scorer.kind if manifest.scorer else None,
        score_takes=[noise.name for noise in judged_noise(manifest)],
        group_size=manifest.scorer.group_size if manifest.scorer else None,
        likelihood_kind=manifest.likelihood.kind if manifest.likelihood else None,
        completion=manifest.drawing.completion if manifest.drawing else None,
    )
