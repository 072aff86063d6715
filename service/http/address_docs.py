"""What the OpenAPI page says of the addresses of drawings."""

__all__ = ["PICTURE"]

from typing import Any

from pentimento.service.http.address_query import AddressQuery
from pentimento.service.http.docs import GENERATE
from pentimento.service.http.negotiation import Answer
from pentimento.service.http.picture_path import ENDINGS
from pentimento.service.http.query import query_parameters
from pentimento.service.http.schemas import (
    AddressedDoneBody,
    AddressedDrawingBody,
    AddressedFrameBody,
    ErrorBody,
)

_PATH = [
    {
        "name": "bundle",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": r"^[a-z0-9][a-z0-9._-]{0,63}(@[0-9]+\.[0-9]+\.[0-9]+)?$"},
        "description": "A served bundle, and its version where no other will do: `gran5-mnist@1.0.0`.",
        "example": "gran5-mnist",
    },
    {
        "name": "picture",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": rf"^(0|[1-9][0-9]{{0,18}})\.({'|'.join(ENDINGS)})$"},
        "description": "The seed, and the format as its ending.",
        "example": "7.png",
    },
]

_HEADERS = [
    {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "pattern": r'^(\*|(W/)?"[0-9a-f]*"(, (W/)?"[0-9a-f]*")*)$'},
        "description": "Tags of what the client has: if it is among them, the answer is 304.",
    },
    {
        "name": "Last-Event-ID",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "pattern": r"^[0-9a-f]{32}-(end|[1-9][0-9]{0,8})$"},
        "description": "Of `.sse`: the last event that the reader has; the stream begins after it.",
    },
]


def _ref(model: type) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _content() -> dict[str, Any]:
    """The formats of `POST /generate` that addresses have, without times."""
    formats: dict[str, Any] = GENERATE["responses"][200]["content"]
    content = {answer.value: formats[answer.value] for answer in ENDINGS.values()}
    events = {
        "frame": _ref(AddressedFrameBody),
        "done": _ref(AddressedDoneBody),
        "error": _ref(ErrorBody),
    }
    stream = formats[Answer.SSE.value]
    content[Answer.JSON.value] = {"schema": _ref(AddressedDrawingBody)}
    content[Answer.SSE.value] = stream | {"x-events": events}
    return content


def _responses() -> dict[int, Any]:
    shared: dict[int, Any] = GENERATE["responses"]
    text = {"schema": {"type": "string"}}
    caching = {
        "ETag": text | {"description": "Names these bytes; weak where a GPU draws. Streams have none."},
        "Cache-Control": text | {"description": "`immutable` with a version, `no-cache` without."},
    }
    drawing = {
        "description": "The drawing, in the format of the ending.",
        "headers": shared[200]["headers"] | caching,
        "content": _content(),
    }
    return {
        200: drawing,
        204: {"description": "No Content. The reader of this stream has all of it."},
        304: {"description": "Not Modified. The client has these bytes.", "headers": caching},
        404: shared[404] | {"description": "Not Found. No such model, version or format."},
        **{status: shared[status] for status in (400, 422, 429, 500, 503, 504)},
    }


PICTURE: dict[str, Any] = {
    "tags": ["drawing"],
    "response_model": None,
    "openapi_extra": {"parameters": [*_PATH, *query_parameters(AddressQuery), *_HEADERS]},
    "responses": _responses(),
}
