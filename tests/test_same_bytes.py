"""Promise 1: the same seed gives the same bytes, alone or under load, over HTTP and gRPC.

200 seeds on a bundle of the zoo: one by one over HTTP, then over both transports with 32 requests in flight,
beside a mixture of other models, steps and image counts.
"""

import asyncio
import base64
import itertools
from pathlib import Path

import grpc
import httpx
import pytest

from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from tests.service.live import LiveServer

ZOO = Path(__file__).parent.parent / "zoo"
MODEL = "gran5-mnist"
SEEDS = range(200)
IN_FLIGHT = 32


@pytest.fixture(scope="module")
def live():
    server = LiveServer(ZOO)
    yield server
    server.close()


async def over_http(client, seed):
    answer = await client.post("/generate", params={"model": MODEL, "steps": 5, "seed": seed})
    assert answer.status_code == 200, answer.text
    return [base64.b64decode(frame["images"][0]) for frame in answer.json()["frames"]]


async def over_grpc(stub, seed):
    drawing = pb.DrawingSpec(model=MODEL, step_count=5, seed=seed)
    frames = [
        response.frame.images[0]
        async for response in stub.StreamCanvas(pb.StreamCanvasRequest(drawing=drawing))
        if response.HasField("frame")
    ]
    return frames


async def disturb(client, kinds):
    """Other requests, one after the other, until cancelled."""
    for model, n, steps, seed in kinds:
        answer = await client.post(
            "/generate",
            params={"model": model, "n": n, "steps": steps, "seed": seed},
            headers={"Accept": "application/x-npy"},
        )
        assert answer.status_code == 200, answer.text


def mixture(offset):
    models = itertools.cycle([("gran1-mnist", 3, 1), ("gran3-mnist", 9, 7), (MODEL, 40, 5), (MODEL, 1, 16)])
    for index, (model, n, steps) in enumerate(itertools.islice(models, offset, None)):
        yield model, n, steps, 1000 * offset + index


async def all_together(live):
    limits = httpx.Limits(max_connections=IN_FLIGHT + 8)
    async with (
        httpx.AsyncClient(base_url=live.http, timeout=60, trust_env=False, limits=limits) as client,
        grpc.aio.insecure_channel(live.grpc) as channel,
    ):
        stub = pb_grpc.CanvasServiceStub(channel)
        alone = [await over_http(client, seed) for seed in SEEDS]
        gate = asyncio.Semaphore(IN_FLIGHT)

        async def crowded(draw, where, seed):
            async with gate:
                return await draw(where, seed)

        noise = [asyncio.create_task(disturb(client, mixture(offset))) for offset in range(4)]
        try:
            http = await asyncio.gather(*(crowded(over_http, client, seed) for seed in SEEDS))
            streamed = await asyncio.gather(*(crowded(over_grpc, stub, seed) for seed in SEEDS))
        finally:
            ended = [task for task in noise if task.done()]
            for task in noise:
                task.cancel()
            await asyncio.gather(*noise, return_exceptions=True)
        assert not ended, "the other requests came to an end by themselves"
        return alone, http, streamed


def test_same_seed_same_bytes_alone_and_under_load_over_both_transports(live):
    alone, http, streamed = asyncio.run(all_together(live))
    assert all(len(frames) == 5 for frames in alone)
    assert len({frames[-1] for frames in alone}) == len(SEEDS)  # other seeds, other pictures
    assert http == alone
    assert streamed == alone
