"""The files of pages, which are no Python: where they lie, and how they are served."""

__all__ = ["FRESH", "PageFiles", "find_folder"]

from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import PathLike, StaticFiles

_SERVICE = Path(__file__).resolve().parents[1]
# Asked again each time, and answered with 304 if unchanged: a page never mixes files of two versions.
FRESH = {"Cache-Control": "no-cache"}
"""Headers of a page and its files."""
_KINDS = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2", ".svg": "image/svg+xml"}


class PageFiles(StaticFiles):
    """An ASGI application that serves the files of a folder."""

    def file_response(self, full_path: PathLike, *args: Any, **options: Any) -> Response:  # noqa: ANN401
        """A file with its type by `_KINDS`, not by the machine's table: browsers refuse a wrong one."""
        response = super().file_response(full_path, *args, **options)
        response.headers.update(FRESH)
        kind = _KINDS.get(Path(full_path).suffix)
        if kind is not None:
            response.headers["Content-Type"] = kind
        return response


def find_folder(installed: str, checkout: str, first: str) -> Path | None:
    """Finds a folder of files that the wheel brings along.

    Args:
        installed: What the wheel calls it, in the package `service`; see setup.py.
        checkout: Where it lies in a checkout.
        first: A file that it has.

    Returns:
        The folder; None if it is in neither place.
    """
    for folder in (_SERVICE / installed, _SERVICE.parent / checkout):
        if (folder / first).is_file():
            return folder
    return None
