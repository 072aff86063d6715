"""The protocol's model repository over HTTP."""

__all__ = ["router"]

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPBearer
from starlette.responses import Response

from pentimento.service.door.access import AdminToken
from pentimento.service.errors import invalid
from pentimento.service.http.context import Server, counted
from pentimento.service.http.open_inference import docs
from pentimento.service.http.open_inference.bodies import read_object
from pentimento.service.http.open_inference.schemas import IndexEntry
from pentimento.service.open_inference import repository

router = APIRouter()

# For the OpenAPI page alone: what it reads is None where the header is not as it wants it.
_documented = HTTPBearer(auto_error=False, description="The server's admin token.")


async def _require_admin(request: Request) -> None:
    admin: AdminToken = request.app.state.admin
    admin.check(request.headers.get("authorization"))


_ADMIN = [counted("reload"), Depends(_documented), Depends(_require_admin)]


@router.post("/v2/repository/index", dependencies=[counted("models")], **docs.INDEX)
async def index(request: Request, server: Server) -> list[IndexEntry]:
    """Lists all models, and the folders that are refused, each with the reason; with `ready`, only models."""
    body = await read_object(request, server.settings, ("ready", "parameters"))
    ready = body.get("ready", False)
    if not isinstance(ready, bool):
        raise invalid("ready", f"must be true or false, got {str(ready)[:60]!r}")
    found = repository.entries(server.operations, ready=ready)
    return [IndexEntry(**entry._asdict()) for entry in found]


@router.post("/v2/repository/models/{name}/load", dependencies=_ADMIN, **docs.LOAD)
async def load(name: str, request: Request, server: Server) -> Response:
    """Has the bundle folder read again, all of it; afterwards the model is served as it lies there."""
    body = await read_object(request, server.settings, ("parameters",))
    parameters = body.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise invalid("parameters", "must be an object")
    await repository.load(server.operations, name, parameters)
    return Response()


@router.post("/v2/repository/models/{name}/unload", dependencies=_ADMIN, **docs.UNLOAD)
async def unload(name: str, server: Server) -> Response:
    """Is refused, with what can be done instead: a bundle is served while it lies in the bundle folder."""
    raise repository.refuse_unload(server.operations, name)
