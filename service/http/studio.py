"""The studio: the page that browsers get at `/`, and the files that it loads under `/studio`.

They are the folders `clients/web` and `clients/js/src` of a checkout; the wheel brings them along.
"""

__all__ = ["Studio"]

from pathlib import Path
from typing import Any, Self

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import PathLike, StaticFiles

_SERVICE = Path(__file__).resolve().parents[1]
_PAGE, _CLIENT = "studio", "studio_client"  # what the wheel calls them; see setup.py
_CHECKOUT = {_PAGE: Path("clients/web"), _CLIENT: Path("clients/js/src")}

# Nothing from elsewhere, and no script or style but from files. Pictures are made here: blob: and data:.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
# Asked again each time, and answered with 304 if unchanged: a page never mixes files of two versions.
_FRESH = {"Cache-Control": "no-cache"}
_KINDS = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2", ".svg": "image/svg+xml"}


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
        app.mount("/studio/client", _Files(directory=client))  # before the folder around it
        app.mount("/studio", _Files(directory=page))
        return cls(page / "index.html")

    def page(self) -> Response:
        """The answer that holds the page's HTML."""
        headers = _FRESH | {"Content-Security-Policy": _POLICY, "Vary": "Accept"}
        return FileResponse(self._page, headers=headers)


class _Files(StaticFiles):
    def file_response(self, full_path: PathLike, *args: Any, **options: Any) -> Response:  # noqa: ANN401
        """A file with its type by `_KINDS`, not by the machine's table: browsers refuse a wrong one."""
        response = super().file_response(full_path, *args, **options)
        response.headers.update(_FRESH)
        kind = _KINDS.get(Path(full_path).suffix)
        if kind is not None:
            response.headers["Content-Type"] = kind
        return response


def _folder(name: str, first: str) -> Path:
    for folder in (_SERVICE / name, _SERVICE.parent / _CHECKOUT[name]):
        if (folder / first).is_file():
            return folder
    raise RuntimeError(
        f"the studio's file {_CHECKOUT[name] / first} is missing; serve without it by --no-studio"
    )
