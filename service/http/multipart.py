"""Multipart bodies: files, and fields beside them where a protocol has such."""

__all__ = ["read_files", "read_parts"]

from collections.abc import Sequence

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from pentimento.service.errors import invalid, named
from pentimento.service.http.incoming import limited


async def read_files(
    request: Request, limit: int, names: Sequence[str], max_files: int
) -> list[tuple[str, bytes]]:
    """The files of a multipart body, by the name of their part, in order.

    Args:
        request: The request, its body unread.
        limit: Bytes of the body.
        names: What the parts may be called.
        max_files: How many the caller takes; one more is read, so that the message about it can be its own.

    Raises:
        PentimentoError: INVALID_ARGUMENT, and what `incoming.limited` raises.
    """
    known = " or ".join(repr(name) for name in names)
    parts = await read_parts(request, limit, f"files called {known}", max_files=max_files + 1)
    files = []
    for name, content in parts:
        if name not in names or isinstance(content, str):
            raise invalid(named(name), f"is not known here; the parts are files called {known}")
        files.append((name, content))
    return files


async def read_parts(
    request: Request,
    limit: int,
    wanted: str,
    *,
    max_files: int,
    max_fields: int = 0,
    max_field_bytes: int = 1 << 20,
) -> list[tuple[str, str | bytes]]:
    """All parts of a multipart body in order: the text of a field, the bytes of a file, each with its name.

    Args:
        request: The request, its body unread.
        limit: Bytes of the body.
        wanted: What an error says that it should have.
        max_files: Files that it may have.
        max_fields: Fields that it may have besides.
        max_field_bytes: Bytes of a field.

    Raises:
        PentimentoError: INVALID_ARGUMENT, and what `incoming.limited` raises.
    """
    parser = MultiPartParser(
        request.headers,
        limited(request, limit),
        max_files=max_files,
        max_fields=max_fields,
        max_part_size=max_field_bytes,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise invalid("body", f"must be multipart with {wanted}: {error.message}") from None
    try:
        return [
            (name, await part.read() if isinstance(part, UploadFile) else part)
            for name, part in form.multi_items()
        ]
    finally:
        await form.close()
