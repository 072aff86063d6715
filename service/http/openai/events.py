"""A drawing in the API's events: `partial_image` while it is drawn, and `completed` for each image."""

__all__ = [
    "EventFacts",
    "CompletedEvent",
    "ErrorEvent",
    "ImageEvents",
    "Kind",
    "PartialEvent",
    "USAGE",
    "Usage",
    "facts",
]

import asyncio
import binascii
import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Field

from pentimento.service.errors import PentimentoError
from pentimento.service.http.drawing_json import drawing_headers, to_json_bytes
from pentimento.service.http.events import sse
from pentimento.service.http.openai.errors import ErrorAnswer, error_facts
from pentimento.service.http.openai.outputs import Output, files_of
from pentimento.service.http.problems import problem
from pentimento.service.messages import Frame, Header
from pentimento.service.operations.codec import AT_ONCE
from pentimento.service.operations.operations import Drawing

Kind: TypeAlias = Literal["image_generation", "image_edit"]


class TokenDetails(BaseModel):
    """Tokens by what they are of."""

    image_tokens: int = 0
    text_tokens: int = 0


class Usage(BaseModel):
    """Tokens of a request: none, as bundles read and write no tokens."""

    total_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    input_tokens_details: TokenDetails = TokenDetails()


USAGE: dict[str, Any] = Usage().model_dump()
_COMPLETED: dict[str, Any] = {"usage": USAGE}


class EventFacts(BaseModel):
    """What every event says besides its picture."""

    created_at: Annotated[int, Field(description="Seconds since 1970.")]
    background: Literal["opaque"]
    output_format: Literal["png"]
    quality: Literal["auto"]
    size: Annotated[str, Field(description="WIDTHxHEIGHT in pixels.")]
    image_index: Annotated[int, Field(description="Not of the API. Which of the n images, from 0.")]
    step: Annotated[int, Field(description="Not of the API. The step that drew this, from 1.")]
    steps: Annotated[int, Field(description="Not of the API. How many steps the drawing has.")]
    model: Annotated[str, Field(description="Not of the API. The bundle that draws.")]
    version: Annotated[str, Field(description="Not of the API. Its version.")]
    seed: Annotated[int, Field(description="Not of the API. Given or not, the seed of the drawing.")]


class PartialEvent(EventFacts):
    """An image after a step before the last."""

    type: Literal["image_generation.partial_image", "image_edit.partial_image"]
    b64_json: Annotated[str, Field(description="PNG as base64.")]
    partial_image_index: Annotated[int, Field(description="Of this image's partial ones, from 0.")]


class CompletedEvent(EventFacts):
    """An image after the last step; a stream ends with the n-th of these."""

    type: Literal["image_generation.completed", "image_edit.completed"]
    b64_json: Annotated[str, Field(description="PNG as base64.")]
    usage: Usage


class ErrorEvent(ErrorAnswer):
    """The end of a stream that failed."""

    type: Literal["error"] = "error"


def facts(header: Header) -> dict[str, Any]:
    """Whose drawing it is, which the API has no words for."""
    return {"model": header.model, "version": header.version, "seed": header.seed, "steps": header.steps}


class ImageEvents:
    """The events of a stream; see `http.streams.Events`.

    Args:
        kind: What events are called.
        drawing: What is drawn.
        output: What is wanted of it.
    """

    media_type = "text/event-stream"

    def __init__(self, kind: Kind, drawing: Drawing, output: Output) -> None:
        self._kind, self._output = kind, output
        self._steps = drawing.header.steps
        self.headers: Mapping[str, str] = drawing_headers(drawing.header)
        self._facts: dict[str, Any] = {
            "background": "opaque",
            "output_format": output.format,
            "quality": "auto",
            "size": output.size,
            **facts(drawing.header),
        }

    async def frame(self, frame: Frame) -> bytes:
        """An event for each image, of the steps that are wanted and of the last."""
        steps = self._output.partial_steps
        if frame.step == self._steps:
            name, more = "completed", _COMPLETED
        elif frame.step in steps:
            name, more = "partial_image", {"partial_image_index": steps.index(frame.step)}
        else:
            return b""
        if frame.canvas.size * self._output.scale**2 > AT_ONCE:
            files = await asyncio.to_thread(files_of, [frame], self._output)
        else:
            files = files_of([frame], self._output)
        said = self._facts | {"created_at": int(time.time()), "step": frame.step} | more
        return b"".join(self._event(name, file, said | {"image_index": i}) for i, file in enumerate(files))

    def done(self) -> bytes:
        """Nothing: the last step's events are the end."""
        return b""

    def error(self, error: PentimentoError, step: int, request_id: str) -> bytes:
        """`error`, which the API's clients raise."""
        event = ErrorEvent(error=error_facts(problem(error, request_id)))
        return sse(b"error", event.model_dump_json().encode())

    def _event(self, name: str, file: bytes, said: Mapping[str, Any]) -> bytes:
        kind = f"{self._kind}.{name}".encode()
        picture = binascii.b2a_base64(file, newline=False)
        rest = to_json_bytes(dict(said))[1:]
        return sse(kind, b'{"type":"%b","b64_json":"%b",%b' % (kind, picture, rest))
