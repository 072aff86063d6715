"""The files of pages, which are no Python: where they lie, and how they are served."""

__all__ = ["FRESH", "PageFiles", "find_folder"]

import gzip
import os
from functools import lru_cache
from pathlib import Path

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

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """A file with its type by `_KINDS`, not by the machine's table: browsers refuse a wrong one.

        Text is packed for those who take it so.
        """
        response = super().file_response(full_path, stat_result, scope, status_code)
        kind = Path(full_path).suffix
        response.headers.update(FRESH)
        if kind in _KINDS:
            response.headers["Content-Type"] = _KINDS[kind]
        if kind in _PACKED:
            response.headers["Vary"] = "Accept-Encoding"
            if isinstance(response, FileResponse) and _takes_gzip(scope):
                packed = _packed(os.fspath(full_path), stat_result.st_mtime_ns)
                headers = dict(response.headers) | {
                    "content-encoding": "gzip",
                    "content-length": str(len(packed)),
                    "etag": f"W/{response.headers['etag']}",  # the same file in other bytes
                }
                return Response(packed, status_code, headers=headers)
        return response


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
