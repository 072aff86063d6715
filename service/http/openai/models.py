"""The routes of the API that list what is served."""

__all__ = ["router"]

from datetime import datetime

from fastapi import APIRouter

from pentimento.service.catalog.served import ModelInfo
from pentimento.service.http.context import Server, counted
from pentimento.service.http.openai import docs
from pentimento.service.http.openai.answers import ModelAnswer, ModelsAnswer
from pentimento.service.http.openai.prompts import prompts_of

router = APIRouter()


@router.get("/v1/models", dependencies=[counted("models")], **docs.MODELS)
async def models(server: Server) -> ModelsAnswer:
    """Lists the served bundles, as the OpenAI API lists models."""
    served, _ = server.operations.models()
    return ModelsAnswer(data=[_model(info) for info in served])


@router.get("/v1/models/{name}", dependencies=[counted("models")], **docs.MODEL)
async def model(name: str, server: Server) -> ModelAnswer:
    """Describes one served bundle, as the OpenAI API describes a model."""
    return _model(server.operations.model(name))


def _model(info: ModelInfo) -> ModelAnswer:
    manifest = info.manifest
    created = manifest.provenance.created if manifest.provenance else None
    return ModelAnswer(
        id=manifest.name,
        created=_seconds(created),
        owned_by=manifest.family,
        version=manifest.version,
        operations=list(info.operations),
        size=f"{manifest.image.width}x{manifest.image.height}",
        prompts=prompts_of(manifest) if manifest.drawing is not None else [],
    )


def _seconds(created: str | None) -> int:
    """A manifest's ISO 8601 time in seconds since 1970; 0 if there is none, or it is no such time."""
    try:
        return int(datetime.fromisoformat(created or "").timestamp())
    except (ValueError, OverflowError, OSError):
        return 0
