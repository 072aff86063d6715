"""What the OpenAPI page says of each route, besides the routes' own types and docstrings."""

__all__ = [
    "AUTOENCODE",
    "CALLS",
    "COMPLETE",
    "DRAWING_HEADERS",
    "ENCODE",
    "GENERATE",
    "HEALTH",
    "INDEX",
    "LIKELIHOOD",
    "METRICS",
    "MODEL",
    "MODELS",
    "READY",
    "RELOAD",
    "SCORE",
    "TAGS",
    "TITLE",
    "complete",
    "problems",
    "ref",
]

from collections.abc import Iterable
from http import HTTPStatus
from importlib import metadata
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import PlainTextResponse

from pentimento.service.http.negotiation import Answer
from pentimento.service.http.query import query_parameters
from pentimento.service.http.reading_schemas import (
    AutoencodeQuery,
    CompleteQuery,
    PictureBody,
    PictureWithMaskBody,
    ScoreBodyIn,
    ScoreImagesBody,
)
from pentimento.service.http.schemas import (
    AddressedDoneBody,
    AddressedDrawingBody,
    AddressedFrameBody,
    DoneBody,
    DrawingBody,
    ErrorBody,
    FrameBody,
    GenerateBody,
    GenerateQuery,
    Problem,
)


def _version() -> str:
    try:
        return metadata.version("pentimento-canvases")
    except metadata.PackageNotFoundError:  # run from a checkout that was not installed
        return "0"


TITLE: dict[str, Any] = {
    "title": "Pentimento",
    "version": _version(),
    "summary": "Image generators that draw: every step of the picture can be seen.",
    "description": "Every error is a problem details answer (RFC 9457) whose `detail` is one sentence that "
    "names the field, the limit and the value given. Input is never repaired silently. gRPC offers the same "
    "operations on its own port. Below `/v1` the server speaks the OpenAI Images API, and below `/v2` "
    "the Open Inference Protocol, errors included.",
}

TAGS = [
    {"name": "drawing", "description": "Draw images, read images."},
    {"name": "models", "description": "What is served."},
    {"name": "operation", "description": "For those who run the server."},
]

CALLS = [
    "POST /generate",
    "POST /autoencode",
    "POST /complete",
    "POST /encode",
    "POST /score",
    "POST /likelihood",
    "GET /drawings/{bundle}/{picture}",
    "GET /models",
    "GET /models/{name}",
    "POST /models:reload",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "POST /v1/images/generations",
    "POST /v1/images/edits",
    "GET /v1/models",
    "GET /v1/models/{name}",
    "GET /v2",
    "GET /v2/health/live",
    "GET /v2/health/ready",
    "GET /v2/models/{name}",
    "POST /v2/models/{name}/infer",
    "POST /v2/repository/index",
    "POST /v2/repository/models/{name}/load",
]

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_EXAMPLE_LATENTS = {"seed": 7, "latents": {"latent": [[0.1, -1.2, 0.4]]}}

_REASONS = {
    400: "A field is wrong.",
    401: "Who asks is not known: an `Authorization` header is missing or wrong.",
    403: "Nobody, or not who asks, may do that here.",
    404: "No such model.",
    406: "Accept allows nothing that is served.",
    413: "The body is too large.",
    415: "The body is of a type that is not read here.",
    422: "The model cannot do that.",
    429: "Too many rows are in flight, or the client asks too often; come back after `Retry-After` seconds.",
    500: "A graph call failed, or a defect; the server's log has the reason.",
    503: "The server is starting or shutting down; come back after `Retry-After` seconds.",
    504: "The deadline passed.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors that a call may answer with, by status."""
    answers: dict[int | str, dict[str, Any]] = {
        status: {
            "description": f"{HTTPStatus(status).phrase}. {_REASONS[status]}",
            "content": {"application/problem+json": {"schema": ref(Problem)}},
        }
        for status in statuses
    }
    for status in {429, 503} & set(statuses):
        answers[status]["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}
        }
    return answers


def ref(model: type[BaseModel]) -> dict[str, str]:
    """A reference to the schema of a type."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def complete(schema: dict[str, Any], others: Iterable[type[BaseModel]] = ()) -> dict[str, Any]:
    """Corrects, in place, what FastAPI cannot know of the OpenAPI document by itself.

    It adds the schemas of problems, of a stream's events and of bodies read by hand, and takes out FastAPI's
    own validation answer, which is never given: here it is a problem of status 400.

    Args:
        schema: The document.
        others: Further types that are read or written by hand.
    """
    for calls in schema["paths"].values():
        for call in calls.values():
            answers = call["responses"]
            if "HTTPValidationError" in str(answers.get("422")):
                del answers["422"]
    schemas = schema["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas.update(_more_schemas(others))
    return schema


def _more_schemas(others: Iterable[type[BaseModel]]) -> dict[str, Any]:
    extra: tuple[type[BaseModel], ...] = (
        *others,
        Problem,
        DrawingBody,
        FrameBody,
        DoneBody,
        ErrorBody,
        AddressedDrawingBody,
        AddressedFrameBody,
        AddressedDoneBody,
        GenerateBody,
        PictureBody,
        PictureWithMaskBody,
        ScoreBodyIn,
        ScoreImagesBody,
    )
    _, schema = models_json_schema(
        [(model, "serialization") for model in extra], ref_template="#/components/schemas/{model}"
    )
    definitions: dict[str, Any] = schema["$defs"]
    return definitions


def _stream(text: str) -> dict[str, Any]:
    return {
        "schema": {"type": "string", "description": text},
        "x-events": {"frame": ref(FrameBody), "done": ref(DoneBody), "error": ref(ErrorBody)},
    }


DRAWING_HEADERS = {
    f"Pentimento-{name}": {"schema": {"type": kind}, "description": text}
    for name, kind, text in (
        ("Model", "string", "The model that drew."),
        ("Version", "string", "Its version."),
        ("Seed", "integer", "The seed used, whether it was given or not."),
        ("Steps", "integer", "Canvases shown."),
        ("Score-Kind", "string", "How scores are to be read, when they were asked for."),
        ("Scored-By", "string", "The bundle whose scorer judged, when scores were asked for."),
        ("Scored-By-Version", "string", "Its version."),
    )
}

_PICTURE_TYPES = ("image/png", "image/jpeg", "application/octet-stream")


def _draws(query: type[BaseModel], body: dict[str, Any]) -> dict[str, Any]:
    return {
        "tags": ["drawing"],
        "response_model": None,
        "openapi_extra": {"parameters": query_parameters(query), "requestBody": body},
        "responses": {
            200: {
                "description": "The drawing, in the format that Accept prefers; JSON by default.",
                "headers": DRAWING_HEADERS,
                "content": {
                    Answer.JSON.value: {"schema": ref(DrawingBody)},
                    Answer.SSE.value: _stream(
                        "Server-sent events: a `frame` a step as soon as it is drawn, then one `done` or "
                        "`error`."
                    ),
                    Answer.NDJSON.value: _stream("A line a step as it is drawn, told apart by `type`."),
                    Answer.PNG.value: _BINARY
                    | {"x-shows": "A film strip: a row an image, a column a step; of one step a grid."},
                    Answer.GIF.value: _BINARY | {"x-shows": "The drawing as an animation, 256 colours."},
                    Answer.APNG.value: _BINARY | {"x-shows": "The drawing as an animation, exact."},
                    Answer.NPY.value: _BINARY | {"x-shows": "A NumPy file: float32, (n, steps, C, H, W)."},
                },
            },
            **problems(400, 404, 406, 413, 415, 422, 429, 500, 503, 504),
        },
    }


def _reads() -> dict[str, Any]:
    return {
        "tags": ["drawing"],
        "response_model_exclude_none": True,
        "openapi_extra": {"requestBody": _pictures("image", several=True, body=ScoreImagesBody)},
        "responses": problems(400, 404, 413, 415, 422, 429, 500, 503, 504),
    }


def _pictures(*names: str, several: bool = False, body: type[BaseModel]) -> dict[str, Any]:
    """A body of pictures: raw where there is one name, multipart, or JSON."""
    file = {"type": "array", "items": _BINARY["schema"]} if several else _BINARY["schema"]
    content: dict[str, Any] = dict.fromkeys(_PICTURE_TYPES, _BINARY) if len(names) == 1 else {}
    content["multipart/form-data"] = {
        "schema": {"type": "object", "properties": dict.fromkeys(names, file), "required": list(names)}
    }
    content["application/json"] = {"schema": ref(body)}
    return {"required": True, "content": content}


GENERATE = _draws(
    GenerateQuery,
    {
        "required": False,
        "content": {"application/json": {"schema": ref(GenerateBody), "example": _EXAMPLE_LATENTS}},
    },
)
AUTOENCODE = _draws(AutoencodeQuery, _pictures("image", body=PictureBody))
COMPLETE = _draws(CompleteQuery, _pictures("image", "mask", body=PictureWithMaskBody))
SCORE = ENCODE = LIKELIHOOD = _reads()

MODELS: dict[str, Any] = {"tags": ["models"]}
MODEL: dict[str, Any] = {"tags": ["models"], "responses": problems(404)}
HEALTH: dict[str, Any] = {"tags": ["operation"]}
READY: dict[str, Any] = {"tags": ["operation"], "responses": problems(503)}
METRICS: dict[str, Any] = {
    "tags": ["operation"],
    "response_class": PlainTextResponse,
    "responses": {200: {"description": "Metrics in the text format of Prometheus."}},
}
RELOAD: dict[str, Any] = {"tags": ["operation"], "responses": problems(401, 403, 500, 503)}
INDEX: dict[str, Any] = {"include_in_schema": False}
