"""Routes for those who run the server; each wants the admin token."""

__all__ = ["router"]

from dataclasses import asdict

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPBearer

from pentimento.service.door.access import AdminToken
from pentimento.service.http import docs
from pentimento.service.http.context import Server, counted
from pentimento.service.http.model_schemas import ReloadBody

# For the OpenAPI page alone: what it reads is None where the header is not as it wants it.
_documented = HTTPBearer(auto_error=False, description="The server's admin token.")

router = APIRouter()


async def _require_admin(request: Request) -> None:
    admin: AdminToken = request.app.state.admin
    admin.check(request.headers.get("authorization"))


@router.post(
    "/models:reload",
    dependencies=[counted("reload"), Depends(_documented), Depends(_require_admin)],
    **docs.RELOAD,
)
async def reload(server: Server) -> ReloadBody:
    """Reads the bundle folder again: new bundles are served, changed ones replaced, missing ones no more.

    Drawings that run are finished by the version that began them. A folder that holds no sound bundle is
    refused with the reason, and the version that was served before still is. One reading runs at a time: a
    second call waits for it, and then reads again.
    """
    return ReloadBody(**asdict(await server.operations.reload()))
