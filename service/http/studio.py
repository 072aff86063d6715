"""The studio: the page that browsers get at `/`, and the files that it loads under `/studio`.

They are the folders `clients/web` and `clients/js/src` of a checkout; the wheel brings them along.
"""

__all__ = ["Studio"]

from pathlib import Path
from typing import Self

from fastapi import FastAPI
from starlette.responses import FileResponse, Response

from pentimento.service.http.page_files import FRESH, PageFiles, find_folder

_PAGE, _CLIENT = "studio", "studio_client"  # what the wheel calls them; see setup.py
_CHECKOUT = {_PAGE: "clients/web", _CLIENT: "clients/js/src"}

# Nothing from elsewhere, and no script or style but from files. Pictures are made here: blob: and data:.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class Studio:
    """The page for browsers; `install` makes an application serve the files that it loads."""

    def __init__(self, page: Path) -> None:
        self._page = page

    @classmethod
    def install(cls, app: FastAPI) -> Self:
        """Mounts the page's files at `/studio`, and those of the JavaScript client at `/studio/client`.

        Raises:
            RuntimeError: One sentence: the files are not there.
        """
        page, client = _folder(_PAGE, "index.html"), _folder(_CLIENT, "index.js")
        app.mount("/studio/client", PageFiles(directory=client))  # before the folder around it
        app.mount("/studio", PageFiles(directory=page))
        return cls(page / "index.html")

    def page(self) -> Response:
        """The answer that holds the page's HTML."""
        headers = FRESH | {"Content-Security-Policy": _POLICY, "Vary": "Accept"}
        return FileResponse(self._page, headers=headers)


def _folder(name: str, first: str) -> Path:
    folder = find_folder(name, _CHECKOUT[name], first)
    if folder is None:
        raise RuntimeError(
            f"the studio's file {_CHECKOUT[name]}/{first} is missing; serve without it by --no-studio"
        )
    return folder
