"""What the OpenAPI page says of the protocol's routes; the rest is in their types and docstrings."""

__all__ = [
    "INDEX",
    "INFER",
    "LIVE",
    "LOAD",
    "MODEL",
    "MODEL_READY",
    "PROBE",
    "SCHEMAS",
    "SERVER",
    "TAG",
    "UNLOAD",
    "in_the_words_of_the_protocol",
]

from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from pentimento.service.http.docs import problems, ref
from pentimento.service.http.open_inference.errors import InferenceError
from pentimento.service.http.open_inference.schemas import InferAnswer, InferBody, RepositoryQuery

TAG = {"name": "open inference", "description": "The Open Inference Protocol, for clients that speak it."}

SCHEMAS: tuple[type[BaseModel], ...] = (InferenceError, RepositoryQuery, InferBody, InferAnswer)

_TAGS = ["open inference"]
_BYTES = {"schema": {"type": "string", "format": "binary"}}

# Answers without a body: their status says it.
LIVE: dict[str, Any] = {"tags": _TAGS, "response_model": None, "response_class": Response}
PROBE: dict[str, Any] = {**LIVE, "responses": problems(503)}
SERVER: dict[str, Any] = {"tags": _TAGS}
MODEL: dict[str, Any] = {"tags": _TAGS, "responses": problems(404)}
MODEL_READY: dict[str, Any] = {**LIVE, "responses": problems(404, 503)}
INFER: dict[str, Any] = {
    "tags": _TAGS,
    "response_model": None,
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": ref(InferBody)}},
        }
    },
    "responses": {
        200: {
            "description": "The outputs, in JSON or behind it.",
            "content": {"application/json": {"schema": ref(InferAnswer)}, "application/octet-stream": _BYTES},
        },
        **problems(400, 404, 413, 415, 422, 429, 500, 503, 504),
    },
}


INDEX: dict[str, Any] = {
    "tags": _TAGS,
    "openapi_extra": {"requestBody": {"content": {"application/json": {"schema": ref(RepositoryQuery)}}}},
    "responses": problems(400, 413, 415, 429),
}
LOAD: dict[str, Any] = {
    **LIVE,
    "responses": problems(400, 401, 403, 404, 413, 415, 429, 503),
}
UNLOAD: dict[str, Any] = {**LOAD, "responses": problems(401, 403, 404, 422, 429)}


def in_the_words_of_the_protocol(schema: dict[str, Any]) -> None:
    """Says of the protocol's routes in an OpenAPI document, in place, that errors are in its own form."""
    for path, calls in schema["paths"].items():
        if not path.startswith("/v2"):
            continue
        for call in calls.values():
            for status, answer in call["responses"].items():
                if int(status) >= 400:
                    answer["content"] = {"application/json": {"schema": ref(InferenceError)}}
