"""The OpenAPI document, and the page at `/docs`: Swagger UI over it, with all its files from this server.

They are the folder `clients/web/swagger` of a checkout; the wheel brings it along.
"""

__all__ = ["install_docs_page", "install_openapi"]

import logging
from functools import cache

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from pentimento.service.http.page_files import FRESH, PageFiles, find_folder

_log = logging.getLogger(__name__)

# Nothing from elsewhere, no script or style but from files; Swagger UI's small pictures are data:.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def install_openapi(app: FastAPI) -> None:
    """Serves the document at `/openapi.json`; it says nothing of the bundles, so it is made once."""

    @cache
    def document() -> bytes:
        return bytes(JSONResponse(app.openapi()).body)

    async def openapi(request: Request) -> Response:
        return Response(document(), media_type="application/json")

    app.add_route("/openapi.json", openapi, include_in_schema=False)


def install_docs_page(app: FastAPI) -> None:
    """Serves the page and its files; without them there is `/openapi.json` alone, and the log says so."""
    folder = find_folder("studio/swagger", "clients/web/swagger", "index.html")
    if folder is None:
        _log.warning("the folder clients/web/swagger is missing: there is no page at /docs")
        return
    html = (folder / "index.html").read_text()

    async def page(request: Request) -> Response:
        # Files are found from the page's address; with a slash at its end that is within /docs already.
        within = request.scope["raw_path"].endswith(b"/")
        headers = FRESH | {"Content-Security-Policy": _POLICY}
        return HTMLResponse(html.replace('"docs/', '"') if within else html, headers=headers)

    app.add_route("/docs", page, include_in_schema=False)
    app.mount("/docs", PageFiles(directory=folder))
