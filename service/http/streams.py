"""A drawing as an HTTP stream, in the words of whichever protocol was asked.

After the first byte of a stream its status cannot change; so it ends with exactly one end, or one error.
"""

__all__ = ["DrawingStream", "Events", "PlainEvents"]

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pentimento.service.errors import PentimentoError
from pentimento.service.http.drawing_json import drawing_headers, frames_json, head, tail, to_json_bytes
from pentimento.service.http.events import EventIds, ndjson, sse
from pentimento.service.http.exchange import Exchange
from pentimento.service.http.negotiation import Answer
from pentimento.service.http.problems import INTERNAL, problem
from pentimento.service.http.watching import ClientWatch
from pentimento.service.messages import Frame
from pentimento.service.operations.codec import AT_ONCE
from pentimento.service.operations.operations import Drawing
from pentimento.service.telemetry.metrics import Metrics

_log = logging.getLogger(__name__)


class Events(Protocol):
    """What a stream says of a drawing."""

    @property
    def media_type(self) -> str:
        """Content-Type of the stream."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the answer."""
        ...

    async def frame(self, frame: Frame) -> bytes:
        """The events of a step; empty where nothing is said of it."""
        ...

    def done(self) -> bytes:
        """The event after the last step; empty where that step's events are the end."""
        ...

    def error(self, error: PentimentoError, step: int, request_id: str) -> bytes:
        """The event that ends a stream that failed after a step; 0: before the first."""
        ...


class DrawingStream(Response):
    """Answers with the events of each frame as it is drawn, and closes the drawing however that ends.

    FastAPI's own SSE routes serve one format. Starlette's StreamingResponse would watch for the client's
    departure with a group of tasks for each answer; one does.

    Args:
        drawing: What is drawn.
        events: Says what is sent of it.
        exchange: Of the request.
        metrics: Told when the first canvas was sent.
    """

    def __init__(self, drawing: Drawing, events: Events, exchange: Exchange, metrics: Metrics) -> None:
        headers = {**events.headers, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(headers=headers, media_type=events.media_type)
        del self.headers["content-length"]
        self._drawing, self._events, self._exchange, self._metrics = drawing, events, exchange, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the head, what there is to say of each step, and one end unless the client has left."""
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        async with self._drawing as drawing:
            with ClientWatch(receive, drawing, self._exchange) as client:
                await send(start)
                end = await self._send_frames(send)
                if not client.gone:
                    await send({"type": "http.response.body", "body": end})

    async def _send_frames(self, send: Send) -> bytes:
        """Sends all frames, and returns what is to end the stream."""
        drawing, exchange, events = self._drawing, self._exchange, self._events
        exchange.outcome = "cancelled"  # unless it comes to an end below
        step, shown = 0, False
        try:
            async for frame in drawing:
                if said := await events.frame(frame):
                    await send({"type": "http.response.body", "body": said, "more_body": True})
                    if not shown:
                        self._metrics.first_canvas("http", exchange.seconds)
                    shown = True
                step = frame.step
        except PentimentoError as error:
            exchange.outcome = error.outcome
            return events.error(error, step, exchange.id)
        except Exception:
            _log.exception("request %s failed after step %d", exchange.id, step)
            exchange.outcome = "internal"
            return events.error(INTERNAL, step, exchange.id)
        if step == drawing.header.steps:  # else the client has left
            exchange.outcome = "ok"
        return events.done()


class PlainEvents:
    """Our own stream: a `frame` a step, then one `done` or `error`; as SSE or as lines of JSON.

    Args:
        drawing: What is drawn.
        answer: `Answer.SSE` or `Answer.NDJSON`.
        ids: Of a stream that has an address, whose events are the same each time: they have ids and no times,
            and begin after the step that the reader has.
    """

    def __init__(self, drawing: Drawing, answer: Answer, ids: EventIds | None = None) -> None:
        self._drawing, self._ids, self._timed = drawing, ids, ids is None
        self.media_type: str = answer.value
        self.headers: Mapping[str, str] = drawing_headers(drawing.header, varies=ids is None)
        self._event = sse if answer is Answer.SSE else ndjson
        self._end = None if ids is None else ids.end

    async def frame(self, frame: Frame) -> bytes:
        """`frame`: the canvases, with scores and outputs; made off the event loop where that takes long."""
        if self._ids is not None and frame.step <= self._ids.after:
            return b""  # the reader has it: it is drawn for those that follow
        encode = partial(frames_json, [frame], timed=self._timed)
        (encoded,) = await asyncio.to_thread(encode) if frame.weight > AT_ONCE else encode()
        return self._event(b"frame", encoded, None if self._ids is None else self._ids.frame(frame.step))

    def done(self) -> bytes:
        """`done`: seed and model, and times."""
        content = head(self._drawing.header) | tail(self._drawing, timed=self._timed)
        return self._event(b"done", to_json_bytes(content), self._end)

    def error(self, error: PentimentoError, step: int, request_id: str) -> bytes:
        """`error`: a problem, with the last step that was sent."""
        # Without the problem's own `type`, which would hide that of an NDJSON line.
        fault = problem(error, request_id).model_dump(exclude={"type"}, exclude_none=True)
        # Who is to come back later has no id of the end, by which a browser would stay away.
        end = None if error.retry_after_s else self._end
        return self._event(b"error", to_json_bytes(fault | {"step": step}), end)
