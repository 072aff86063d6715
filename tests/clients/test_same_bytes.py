"""One seed, one picture: the same PNG bytes over HTTP and gRPC, alone and among many others."""

import asyncio
import base64

import grpc
import httpx
from pentimento_client.pb import canvas_service_pb2 as pb
from pentimento_client.pb import canvas_service_pb2_grpc as pb_grpc

Frames = list[list[bytes]]

SEEDS = range(40)


def options(seed: int) -> dict[str, int]:
    return {"seed": seed, "n": 1 + seed % 3, "steps": 1 + seed % 7}


async def over_http(client: httpx.AsyncClient, seed: int) -> Frames:
    answer = await client.post("/generate", json={"model": "toy-steps", **options(seed)})
    return [[base64.b64decode(image) for image in frame["images"]] for frame in answer.json()["frames"]]


async def over_grpc(channel: grpc.aio.Channel, seed: int) -> Frames:
    wanted = options(seed)
    spec = pb.DrawingSpec(model="toy-steps", seed=seed, image_count=wanted["n"], step_count=wanted["steps"])
    answer = await pb_grpc.CanvasServiceStub(channel).Generate(pb.GenerateRequest(drawing=spec))
    return [list(frame.images) for frame in answer.frames]


async def test_the_same_seed_gives_the_same_bytes(live):
    async with (
        httpx.AsyncClient(base_url=live.http, timeout=60) as client,
        grpc.aio.insecure_channel(live.grpc) as channel,
    ):
        alone = [await over_http(client, seed) for seed in SEEDS]
        assert alone == [await over_grpc(channel, seed) for seed in SEEDS]
        assert len({frames[0][0] for frames in alone}) == len(SEEDS), "other seeds draw other pictures"
        gate = asyncio.Semaphore(16)  # the server admits 64 rows

        async def one(seed: int) -> Frames:
            async with gate:
                return await (over_http(client, seed) if seed % 2 else over_grpc(channel, seed))

        assert await asyncio.gather(*(one(seed) for seed in SEEDS)) == alone
