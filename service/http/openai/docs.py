"""What the OpenAPI page says of the API's routes; the rest is in their types and docstrings."""

__all__ = ["EDITS", "GENERATIONS", "MODEL", "MODELS", "SCHEMAS", "TAG", "in_the_words_of_the_api"]

from typing import Any

from pydantic import BaseModel

from pentimento.service.http.docs import DRAWING_HEADERS, problems, ref
from pentimento.service.http.openai.answers import ImagesAnswer
from pentimento.service.http.openai.errors import ErrorAnswer
from pentimento.service.http.openai.events import CompletedEvent, ErrorEvent, Kind, PartialEvent
from pentimento.service.http.openai.schemas import EditForm, GenerationBody

TAG = {"name": "openai", "description": "The OpenAI Images API, for clients that speak it."}

SCHEMAS: tuple[type[BaseModel], ...] = (
    ErrorAnswer,
    GenerationBody,
    EditForm,
    ImagesAnswer,
    PartialEvent,
    CompletedEvent,
    ErrorEvent,
)


def _draws(kind: Kind, body: dict[str, Any]) -> dict[str, Any]:
    events = {
        f"{kind}.partial_image": ref(PartialEvent),
        f"{kind}.completed": ref(CompletedEvent),
        "error": ref(ErrorEvent),
    }
    return {
        "tags": ["openai"],
        "response_model": None,
        "openapi_extra": {"requestBody": {"required": True, "content": body}},
        "responses": {
            200: {
                "description": "The drawing, whole or, with `stream`, in events.",
                "headers": DRAWING_HEADERS,
                "content": {
                    "application/json": {"schema": ref(ImagesAnswer)},
                    "text/event-stream": {
                        "schema": {  # of an event
                            "type": "object",
                            "description": "Partial images as they are drawn, then each image, or one error.",
                            "properties": {
                                "event": {"enum": list(events)},
                                "data": {"type": "string", "contentMediaType": "application/json"},
                            },
                        },
                        "x-events": events,
                    },
                },
            },
            **problems(400, 404, 413, 415, 422, 429, 500, 503, 504),
        },
    }


GENERATIONS = _draws("image_generation", {"application/json": {"schema": ref(GenerationBody)}})
EDITS = _draws(
    "image_edit",
    {
        "multipart/form-data": {
            "schema": ref(EditForm),
        }
    },
)
MODELS: dict[str, Any] = {"tags": ["openai"]}
MODEL: dict[str, Any] = {"tags": ["openai"], "responses": problems(404)}


def in_the_words_of_the_api(schema: dict[str, Any]) -> None:
    """Says of the API's routes in an OpenAPI document, in place, that errors are in its own form."""
    for path, calls in schema["paths"].items():
        if not path.startswith("/v1/"):
            continue
        for call in calls.values():
            for status, answer in call["responses"].items():
                if int(status) >= 400:
                    answer["content"] = {"application/json": {"schema": ref(ErrorAnswer)}}
