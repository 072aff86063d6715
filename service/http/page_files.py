"""The files of pages, which are no Python: where they lie, and how they are served."""

__all__ = ["FRESH", "PageFiles", "find_folder"]

import asyncio
import gzip
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Scope

_SERVICE = Path(__file__).resolve().parents[1]
# Asked again each time, and answered with 304 if unchanged: a page never mixes files of two versions.
FRESH = {"Cache-Control": "no-cache"}
"""Headers of a page and its files."""
_KINDS = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2", ".svg": "image/svg+xml"}
_PACKED = {".js", ".css", ".svg"}  # to a third and less; fonts are packed as they are
_MOST_PACKED = 256  # files that are kept packed, a megabyte together


class PageFiles(StaticFiles):
    """An ASGI application that serves the files of a folder."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file; text is packed for those who take it so."""
        response = await super().get_response(path, scope)
        if not isinstance(response, FileResponse) or not _is_packed(response.path) or not _takes_gzip(scope):
            return response
        changed_ns = os.stat(response.path).st_mtime_ns
        packed = await asyncio.to_thread(_packed, os.fspath(response.path), changed_ns)  # up to 65 ms
        headers = dict(response.headers) | {
            "content-encoding": "gzip",
            "content-length": str(len(packed)),
            "accept-ranges": "none",
            "etag": f"W/{response.headers['etag']}",  # the same file in other bytes
        }
        return Response(packed, response.status_code, headers=headers)

    def file_response(self, full_path: PathLike, *args: Any, **options: Any) -> Response:  # noqa: ANN401
        """A file with its type by `_KINDS`, not by the machine's table: browsers refuse a wrong one."""
        response = super().file_response(full_path, *args, **options)
        response.headers.update(FRESH)
        kind = _KINDS.get(Path(full_path).suffix)
        if kind is not None:
            response.headers["Content-Type"] = kind
        if _is_packed(full_path):
            response.headers["Vary"] = "Accept-Encoding"
        return response


def _is_packed(path: PathLike) -> bool:
    return Path(path).suffix in _PACKED


def _takes_gzip(scope: Scope) -> bool:
    """Whether a client says so; one that is particular about it gets the file as it is."""
    taken = Headers(scope=scope).get("accept-encoding", "").lower().split(",")
    return "gzip" in [each.strip() for each in taken]


@lru_cache(_MOST_PACKED)
def _packed(path: str, _changed_ns: int) -> bytes:
    """The bytes of a file, packed once for each time that it was changed."""
    return gzip.compress(Path(path).read_bytes(), compresslevel=6, mtime=0)


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
