"""gRPC and bad input for what starts from a picture: a status that names field, limit and value."""

import grpc
import numpy as np
import pytest
import pytest_asyncio

from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.operations.codec import encode_png
from tests.service.grpc.serving import serve_grpc
from tests.service.reading_toys import write_reading_toys

pytestmark = pytest.mark.asyncio(loop_scope="module")

INVALID, UNABLE = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reading")
    write_reading_toys(folder)
    options = {"default_model": "toy-code", "max_images": 16, "max_importance_samples": 50}
    async with serve_grpc(folder, **options) as serving:
        yield serving
        assert serving.engine.rows_in_flight == 0
        answer = await serving.stub.Encode(pb.EncodeRequest(images=[PICTURE]))
        assert answer.output.tensors, "the server lives on"


def grey(height, width):
    return encode_png(np.zeros((1, height, width), np.float32))


GREY = (1, 6, 8)
PICTURE = encode_png(np.linspace(0, 0.9, 48, dtype=np.float32).reshape(GREY))
HALF = encode_png(np.repeat([1.0, 0.0], 24).reshape(GREY).astype(np.float32))
BLACK, WHITE = grey(6, 8), encode_png(np.ones(GREY, np.float32))
COMPLETE = {"model": "toy-black", "image": PICTURE, "mask": HALF}


@pytest.mark.parametrize(
    ("rpc", "fields", "status", "field", "says"),
    [
        (
            "Autoencode",
            {"image": grey(5, 5)},
            INVALID,
            "image",
            "must be 8x6 pixels (width x height), got 5x5",
        ),
        ("Autoencode", {}, INVALID, "image", "got 0 bytes"),
        ("Autoencode", {"image": PICTURE, "model": "toy-black"}, UNABLE, "model", "that can: toy-code"),
        (
            "Autoencode",
            {"image": PICTURE, "sample_count": 0},
            INVALID,
            "sample_count",
            "must be 1..16, got 0",
        ),
        ("Autoencode", {"image": PICTURE, "sample_count": 17}, INVALID, "sample_count", "1..16, got 17"),
        ("Autoencode", {"image": PICTURE, "step_count": 9}, INVALID, "step_count", "must be 1..8"),
        ("Autoencode", {"image": PICTURE, "seed": -1}, INVALID, "seed", "got -1"),
        ("Autoencode", {"image": PICTURE, "label": 1}, INVALID, "label", "not conditional"),
        ("Autoencode", {"image": PICTURE, "with_scores": True}, UNABLE, "model", "cannot score"),
        ("Autoencode", {"image": PICTURE, "timeout_ms": 0}, INVALID, "timeout_ms", "got 0"),
        ("Autoencode", {"image": PICTURE, "fit": 9}, INVALID, "fit", "IMAGE_FIT_RESIZE, got 9"),
        ("Autoencode", {"image": PICTURE, "encoding": 9}, INVALID, "encoding", "got 9"),
        ("Complete", COMPLETE | {"model": "toy-code"}, UNABLE, "model", "cannot complete"),
        ("Complete", COMPLETE | {"mask": WHITE}, INVALID, "mask", "nothing is left to draw"),
        ("Complete", COMPLETE | {"mask": BLACK}, INVALID, "mask", "nothing is given"),
        ("Complete", COMPLETE | {"mask": grey(4, 4)}, INVALID, "mask", "must be 8x6 pixels"),
        ("Complete", COMPLETE | {"mask": PICTURE}, INVALID, "mask", "black and white only"),
        ("Complete", COMPLETE | {"mask": b""}, INVALID, "mask", "got 0 bytes"),
        ("Complete", COMPLETE | {"image": grey(7, 8)}, INVALID, "image", "must be 8x6 pixels"),
        ("Complete", COMPLETE | {"image_count": 0}, INVALID, "image_count", "must be 1..16, got 0"),
        ("Encode", {"images": []}, INVALID, "images", "must be 1..16, got 0"),
        ("Encode", {"images": [PICTURE] * 17}, INVALID, "images", "must be 1..16, got 17"),
        ("Encode", {"images": [PICTURE, grey(7, 8)]}, INVALID, "images[1]", "must be 8x6 pixels"),
        ("Encode", {"images": [PICTURE], "model": "toy-black"}, UNABLE, "model", "that can: toy-code"),
        ("Encode", {"images": [PICTURE], "model": "nobody"}, grpc.StatusCode.NOT_FOUND, "model", "'nobody'"),
        ("EstimateLikelihood", {"images": [b"x"]}, INVALID, "images[0]", "must be a PNG or JPEG"),
        (
            "EstimateLikelihood",
            {"images": [PICTURE], "importance_sample_count": 0},
            INVALID,
            "importance_sample_count",
            "importance_sample_count must be 1..50, got 0",
        ),
        (
            "EstimateLikelihood",
            {"images": [PICTURE], "importance_sample_count": 51},
            INVALID,
            "importance_sample_count",
            "must be 1..50, got 51",
        ),
        (
            "EstimateLikelihood",
            {"images": [PICTURE], "importance_sample_count": 2, "model": "toy-black"},
            INVALID,
            "importance_sample_count",
            "is exact, got 2",
        ),
        (
            "EstimateLikelihood",
            {"images": [PICTURE], "with_pixels": True},
            INVALID,
            "with_pixels",
            "with_pixels cannot be had",
        ),
        (
            "StreamCanvas",
            {"drawing": pb.DrawingSpec(model="toy-black", seeds={"v": 1})},
            INVALID,
            "seeds.v",
            "it draws: u",
        ),
        (
            "Generate",
            {"drawing": pb.DrawingSpec(model="toy-black", seeds={"u": -1})},
            INVALID,
            "seeds.u",
            "got -1",
        ),
    ],
)
async def test_what_makes_no_sense_is_refused(serving, rpc, fields, status, field, says):
    error = await refused(serving, rpc, **fields)
    assert (error.code(), says in error.details()) == (status, True), error.details()
    assert dict(error.trailing_metadata())["pentimento-field"] == field


@pytest.mark.parametrize(
    ("rpc", "fields", "field"),
    [
        ("Encode", {"images": [PICTURE] * 4}, "images"),
        (
            "EstimateLikelihood",
            {"images": [PICTURE] * 4, "model": "toy-black", "with_pixels": True},
            "images",
        ),
        ("Autoencode", {"image": PICTURE, "sample_count": 4}, "sample_count"),
    ],
)
async def test_an_answer_over_the_limit_is_refused_before_it_is_made(
    serving, monkeypatch, rpc, fields, field
):
    monkeypatch.setattr("pentimento.service.grpc.sizes.MAX_SEND_BYTES", 1_200)
    error = await refused(serving, rpc, encoding=pb.IMAGE_ENCODING_UINT8, **fields)
    assert (error.code(), "the limit is 1200" in error.details()) == (INVALID, True), error.details()
    assert dict(error.trailing_metadata())["pentimento-field"] == field


async def refused(serving, rpc, **fields):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        call = getattr(serving.stub, rpc)(getattr(pb, f"{rpc}Request")(**fields))
        if hasattr(call, "__aiter__"):
            [_ async for _ in call]
        else:
            await call
    return caught.value
