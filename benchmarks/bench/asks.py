"""Requests of the benchmark's clients as bytes that are made once, and the check of an answer."""

__all__ = ["ACCEPT", "FORMS", "Ask", "Group"]

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pentimento.service.grpc.pb import canvas_service_pb2 as pb

ACCEPT = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "sse": "text/event-stream",
    "npy": "application/x-npy",
}
"""Accept headers of the HTTP forms, by form."""

_METHODS = {"grpc-stream": "StreamCanvas", "grpc-unary": "Generate"}

FORMS = (*ACCEPT, *_METHODS)

_PNG, _PNG_BASE64 = b"\x89PNG\r\n", b"iVBORw0KGgo"


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A request for a drawing, in one of FORMS; the server chooses the seed, so no two are the same."""

    model: str
    steps: int
    n: int = 1
    form: str = "json"
    more: Mapping[str, Any] = field(default_factory=dict)  # further fields of the JSON body

    @property
    def canvases(self) -> int:
        """Number of canvases in the answer, of all images together."""
        return self.n * self.steps

    @property
    def streams(self) -> bool:
        """Whether canvases come one after the other, each as a chunk or message of its own."""
        return self.form in ("ndjson", "sse", "grpc-stream")

    @property
    def method(self) -> str:
        """The gRPC method's full name."""
        return f"/pentimento.v1.CanvasService/{_METHODS[self.form]}"

    def http(self, path: str) -> bytes:
        """The HTTP request as bytes, head and body."""
        body = json.dumps({"model": self.model, "n": self.n, "steps": self.steps, **self.more}).encode()
        lines = (
            f"POST {path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Accept: {ACCEPT[self.form]}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        )
        return "\r\n".join((*lines, "", "")).encode() + body

    def grpc(self) -> bytes:
        """The gRPC request message as bytes."""
        spec = pb.DrawingSpec(model=self.model, image_count=self.n, step_count=self.steps)
        kind = pb.StreamCanvasRequest if self.form == "grpc-stream" else pb.GenerateRequest
        return kind(drawing=spec).SerializeToString()

    def fault(self, body: bytes, parts: int) -> str | None:
        """Checks an answer; returns what is wrong with it, or None.

        Args:
            body: The whole of it.
            parts: Number of chunks, the empty last one too, or of messages that it came in.
        """
        if self.form == "npy":
            shape = np.load(io.BytesIO(body), allow_pickle=False).shape
            return None if shape[:2] == (self.n, self.steps) else f"an array of shape {shape}"
        found = body.count(_PNG if self.form in _METHODS else _PNG_BASE64)
        if found != self.canvases:
            return f"{found} pictures instead of {self.canvases}"
        # Every part is a frame but two: over HTTP the event that says that all is well and the empty chunk at
        # the end, over gRPC the header and the summary. The time of the first canvas rests on that.
        frames = parts - 2
        return f"{frames} frames instead of {self.steps}" if self.streams and frames != self.steps else None


@dataclass(frozen=True, kw_only=True)
class Group:
    """Clients that send the same request again and again, each as soon as it has its answer."""

    ask: Ask
    clients: int
