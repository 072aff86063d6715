"""The protocol's routes about the server and its models."""

__all__ = ["router"]

from fastapi import APIRouter
from starlette.responses import Response

from pentimento.service.errors import Code, PentimentoError
from pentimento.service.http.context import Context, Server, counted
from pentimento.service.http.open_inference import docs
from pentimento.service.http.open_inference.schemas import ModelMetadata, ServerMetadata, TensorMetadata
from pentimento.service.open_inference.metadata import (
    EXTENSIONS,
    PLATFORM,
    SERVER,
    TensorFacts,
    server_version,
    tensor_facts,
)
from pentimento.service.open_inference.names import Target, find_model

router = APIRouter()


@router.get("/v2", **docs.SERVER)
async def server_metadata() -> ServerMetadata:
    """Says what this server is."""
    return ServerMetadata(name=SERVER, version=server_version(), extensions=list(EXTENSIONS))


@router.get("/v2/health/live", **docs.LIVE)
async def live() -> Response:
    """Says that the process is alive, whatever it is doing."""
    return Response()


@router.get("/v2/health/ready", **docs.PROBE)
async def ready(server: Server) -> Response:
    """Says whether new work is admitted: not before the models are loaded, and not while shutting down."""
    return _if_accepting(server)


@router.get("/v2/models/{name}", dependencies=[counted("models")], **docs.MODEL)
async def model(name: str, server: Server) -> ModelMetadata:
    """Describes a model: `{bundle}`, which draws, or `{bundle}:{operation}`."""
    return _metadata(find_model(server.operations, name))


@router.get("/v2/models/{name}/versions/{version}", dependencies=[counted("models")], **docs.MODEL)
async def model_version(name: str, version: str, server: Server) -> ModelMetadata:
    """The same of a version, which must be the one that is served."""
    return _metadata(find_model(server.operations, name, version))


@router.get(
    "/v2/models/{name}/ready",
    dependencies=[counted("models")],
    **docs.MODEL_READY,
)
async def model_ready(name: str, server: Server) -> Response:
    """Says whether a model is served, and asked."""
    find_model(server.operations, name)
    return _if_accepting(server)


@router.get(
    "/v2/models/{name}/versions/{version}/ready",
    dependencies=[counted("models")],
    **docs.MODEL_READY,
)
async def version_ready(name: str, version: str, server: Server) -> Response:
    """The same of a version."""
    find_model(server.operations, name, version)
    return _if_accepting(server)


def _if_accepting(server: Context) -> Response:
    if not server.operations.accepting:
        raise PentimentoError(Code.UNAVAILABLE, "the server admits no new work", retry_after_s=1.0)
    return Response()


def _metadata(target: Target) -> ModelMetadata:
    inputs, outputs = tensor_facts(target)
    return ModelMetadata(
        name=target.name,
        versions=[target.manifest.version],
        platform=PLATFORM,
        inputs=[_tensor(each) for each in inputs],
        outputs=[_tensor(each) for each in outputs],
    )


def _tensor(facts: TensorFacts) -> TensorMetadata:
    return TensorMetadata(name=facts.name, datatype=facts.datatype, shape=list(facts.shape))
