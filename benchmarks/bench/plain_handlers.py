"""The plain way: FastAPI handlers that a good engineer writes in an afternoon, to be measured against.

    PENTIMENTO_BENCH_BUNDLES=zoo uvicorn --factory benchmarks.bench.plain_handlers:whole --workers 2

They have the server's own sessions, sampler and PNG encoder, FastAPI without telemetry, and answer the same
JSON. What they lack is what is measured: a scheduler that batches steps of different drawings.
"""

__all__ = ["BUNDLES", "LANES", "batched", "inline", "whole"]

import asyncio
import os
import secrets
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from pydantic_core import to_json

from benchmarks.bench.painting import Floats, Painter, encode, read_painters

BUNDLES = "PENTIMENTO_BENCH_BUNDLES"
"""Environment variable: folder of bundles."""

LANES = "PENTIMENTO_BENCH_LANES"
"""Environment variable: threads that draw in each process of `batched`."""

_MAX_BATCH_ROWS = 32  # where the bare loop is fastest


class Wish(BaseModel):
    """The body of a request for drawings."""

    model: str
    n: Annotated[int, Field(ge=1, le=64)] = 1
    steps: Annotated[int, Field(ge=1, le=64)] = 5


def whole() -> FastAPI:
    """The application that draws each request by itself: `/generate`, and frame by frame `/stream`."""
    painters = read_painters(Path(os.environ[BUNDLES]))
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})

    @app.post("/generate")
    def generate(wish: Wish) -> Response:  # in a thread: the event loop stays free, and every CPU finds work
        return _drawn_alone(painters[wish.model], wish)

    @app.post("/stream")
    def stream(wish: Wish) -> StreamingResponse:
        return StreamingResponse(_lines(painters[wish.model], wish), media_type="application/x-ndjson")

    return app


def inline() -> FastAPI:
    """The application that draws each request on the event loop itself: `/generate`, and `/stream`.

    No thread and no queue: nothing is handed over, and while a graph computes its process does nothing else.
    """
    painters = read_painters(Path(os.environ[BUNDLES]))
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})

    @app.post("/generate")
    async def generate(wish: Wish) -> Response:
        return _drawn_alone(painters[wish.model], wish)

    @app.post("/stream")
    async def stream(wish: Wish) -> StreamingResponse:
        lines = _lines_in_turns(painters[wish.model], wish)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    return app


def batched() -> FastAPI:
    """The application that draws waiting requests together: `/generate`; `/constant` draws nothing."""
    painters = read_painters(Path(os.environ[BUNDLES]))
    count = int(os.environ[LANES])
    batcher = Batcher(painters, count)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        lanes = [asyncio.create_task(batcher.lane()) for _ in range(count)]
        yield
        for lane in lanes:
            lane.cancel()

    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False}, lifespan=lifespan)
    constant = _constant(painters)

    @app.post("/generate")
    async def generate(wish: Wish) -> Response:
        return await batcher.draw(wish)

    @app.post("/constant")
    async def same(wish: Wish) -> Response:
        return Response(constant, media_type="application/json")

    return app


def _drawn_alone(painter: Painter, wish: Wish) -> Response:
    """Draws and encodes one request, where it is called."""
    seed = secrets.randbits(63)
    canvases = list(painter.draw(painter.noise(wish.n, wish.steps, seed), wish.steps))
    return _answer(wish, seed, encode(canvases))


async def _lines_in_turns(painter: Painter, wish: Wish) -> AsyncIterator[bytes]:
    """Yields the same lines on the event loop, which has a turn after each: it leaves, and others draw."""
    for line in _lines(painter, wish):
        yield line
        await asyncio.sleep(0)


def _lines(painter: Painter, wish: Wish) -> Iterator[bytes]:
    """Yields a line of NDJSON a frame, and a last one; Starlette makes each in a thread of its pool."""
    seed = secrets.randbits(63)
    noise = painter.noise(wish.n, wish.steps, seed)
    for step, canvas in enumerate(painter.draw(noise, wish.steps), 1):
        (files,) = encode([canvas])
        yield to_json({"type": "frame", **_frame(step, files)}) + b"\n"
    yield to_json({"type": "done", "model": wish.model, "seed": seed}) + b"\n"


def _answer(wish: Wish, seed: int, files: Sequence[Sequence[bytes]]) -> Response:
    content: dict[str, Any] = {"model": wish.model, "seed": seed, "n": wish.n, "steps": wish.steps}
    content["frames"] = [_frame(step, pngs) for step, pngs in enumerate(files, 1)]
    return Response(to_json(content), media_type="application/json")


def _frame(step: int, pngs: Sequence[bytes]) -> dict[str, Any]:
    return {"step": step, "images": [b64encode(png).decode() for png in pngs]}


@dataclass(frozen=True, eq=False)
class _Waiting:
    wish: Wish
    answer: asyncio.Future[Response]


class Batcher:
    """Draws requests for the same model and steps together: all that wait when a thread becomes free."""

    def __init__(self, painters: dict[str, Painter], lanes: int) -> None:
        self._painters = painters
        self._queues: dict[tuple[str, int], deque[_Waiting]] = {}  # longest waiting first
        self._work = asyncio.Condition()
        self._threads = ThreadPoolExecutor(max_workers=lanes)

    async def draw(self, wish: Wish) -> Response:
        """Queues a request, and returns its answer once it is drawn."""
        waiting = _Waiting(wish, asyncio.get_running_loop().create_future())
        async with self._work:
            self._queues.setdefault((wish.model, wish.steps), deque()).append(waiting)
            self._work.notify()
        return await waiting.answer

    async def lane(self) -> None:
        """Takes batches from the queues and has them drawn in a thread, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            async with self._work:
                await self._work.wait_for(lambda: self._queues)
                batch = self._take()
            answers = await loop.run_in_executor(self._threads, self._drawn, [one.wish for one in batch])
            for one, answer in zip(batch, answers, strict=True):
                if not one.answer.done():
                    one.answer.set_result(answer)

    def _take(self) -> list[_Waiting]:
        """Takes the request that has waited longest from the queues, and those that can be drawn with it."""
        key, queue = next(iter(self._queues.items()))
        batch = [queue.popleft()]
        rows = batch[0].wish.n
        while queue and rows + queue[0].wish.n <= _MAX_BATCH_ROWS:
            rows += queue[0].wish.n
            batch.append(queue.popleft())
        del self._queues[key]
        if queue:
            self._queues[key] = queue  # to the end: another model's turn
        return batch

    def _drawn(self, wishes: Sequence[Wish]) -> list[Response]:
        """Draws and encodes a batch, in a thread; returns the answers in the order of the requests."""
        first = wishes[0]
        painter = self._painters[first.model]
        seeds = [secrets.randbits(63) for _ in wishes]
        noises = [painter.noise(wish.n, wish.steps, seed) for wish, seed in zip(wishes, seeds, strict=True)]
        noise: dict[str, Floats] = {name: np.concatenate([one[name] for one in noises]) for name in noises[0]}
        files = encode(list(painter.draw(noise, first.steps)))
        answers, start = [], 0
        for wish, seed in zip(wishes, seeds, strict=True):
            answers.append(_answer(wish, seed, [pngs[start : start + wish.n] for pngs in files]))
            start += wish.n
        return answers


def _constant(painters: dict[str, Painter]) -> bytes:
    """A JSON answer with as many bytes as that to five steps of the first model."""
    name, painter = next(iter(painters.items()))
    canvases = list(painter.draw(painter.noise(1, 5, seed=1), 5))
    return bytes(_answer(Wish(model=name), 1, encode(canvases)).body)
