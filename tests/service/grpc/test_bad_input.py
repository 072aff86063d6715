"""gRPC and bad input: a status that names field, limit and value, never INTERNAL; the server lives on."""

import struct
import zlib

import grpc
import numpy as np
import pytest

from pentimento.service.grpc.api import SERVICE_NAME
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.operations.codec import encode_png
from tests.service.grpc.serving import serve_grpc
from tests.service.toys import spoil_hash, write_toys

INVALID = grpc.StatusCode.INVALID_ARGUMENT
PICTURE = encode_png(np.zeros((1, 6, 8), dtype=np.float32))
RPCS = [method.name for method in pb.DESCRIPTOR.services_by_name["CanvasService"].methods]
STREAMS = ("StreamCanvas", "Autoencode", "Complete")


@pytest.fixture
async def serving(toys):
    async with serve_grpc(toys, max_body_bytes=100_000, max_images=8) as serving:
        yield serving
        answer = await serving.stub.Generate(pb.GenerateRequest(drawing=pb.DrawingSpec(seed=1)))
        assert answer.frames, "the server lives on"
        assert serving.engine.rows_in_flight == 0


def bomb() -> bytes:
    """A small PNG of 30,000 x 30,000 grey pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def latent(shape=(1, 1, 6, 8), name="latent", fill=0.0) -> pb.Tensor:
    return pb.Tensor(name=name, shape=shape, data=np.full(shape, fill, dtype="<f4").tobytes())


DRAWINGS = [
    ({"model": "nobody"}, grpc.StatusCode.NOT_FOUND, "model", "'nobody'"),
    ({"model": "../zoo"}, grpc.StatusCode.NOT_FOUND, "model", "not served"),
    ({"model": "x" * 50_000}, grpc.StatusCode.NOT_FOUND, "model", "not served"),
    ({"model": "ü\n\0"}, grpc.StatusCode.NOT_FOUND, "model", "not served"),
    ({"step_count": 0}, INVALID, "step_count", "got 0"),
    ({"step_count": -1}, INVALID, "step_count", "got -1"),
    ({"step_count": 10**9}, INVALID, "step_count", "got 1000000000"),
    ({"model": "toy-once", "step_count": 2}, INVALID, "step_count", "which draws in one step, got 2"),
    ({"image_count": 0}, INVALID, "image_count", "must be 1..8, got 0"),
    ({"image_count": -(2**31)}, INVALID, "image_count", "got -2147483648"),
    ({"image_count": 9}, INVALID, "image_count", "must be 1..8, got 9"),
    ({"seed": -1}, INVALID, "seed", "got -1"),
    ({"seed": -(2**63)}, INVALID, "seed", "got -9223372036854775808"),
    ({"label": 0}, INVALID, "label", "not conditional"),
    ({"model": "toy-labels"}, INVALID, "label", "is needed"),
    ({"model": "toy-labels", "label": -1}, INVALID, "label", "got -1"),
    ({"model": "toy-labels", "label": 10**6}, INVALID, "label", "got 1000000"),
    ({"timeout_ms": 0}, INVALID, "timeout_ms", "got 0"),
    ({"timeout_ms": -5}, INVALID, "timeout_ms", "got -5"),
    ({"timeout_ms": 2**31 - 1}, INVALID, "timeout_ms", "got 2147483647"),
    (
        {"model": "toy-rows", "with_scores": True},
        grpc.StatusCode.FAILED_PRECONDITION,
        "model",
        "cannot score",
    ),
    ({"latents": [latent(fill=np.nan)]}, INVALID, "latents.latent", "NaN"),
    ({"latents": [latent(fill=np.inf)]}, INVALID, "latents.latent", "infinity"),
    ({"latents": [latent(shape=(1, 6, 8))]}, INVALID, "latents.latent", "(1, 1, 6, 8), got (1, 6, 8)"),
    (
        {"latents": [latent(shape=(3, 1, 6, 8))], "image_count": 2},
        INVALID,
        "latents.latent",
        "got (3, 1, 6, 8)",
    ),
    ({"latents": [latent(shape=(9, 1, 6, 8))]}, INVALID, "image_count", "got 9"),
    ({"latents": [latent(shape=(0, 1, 6, 8))]}, INVALID, "image_count", "got 0"),
    ({"latents": [latent(name="nobody")]}, INVALID, "latents.nobody", "is not an input"),
    ({"latents": [latent(name="é\n\x7f" * 20_000)]}, INVALID, "latents['?", "is not an input"),
    ({"latents": [latent(), latent()]}, INVALID, "latents.latent", "given twice"),
    ({"latents": [pb.Tensor(name="latent", shape=[2**40], data=b"")]}, INVALID, "latents.latent", "got 0"),
    ({"latents": [pb.Tensor(name="latent")]}, INVALID, "latents.latent", "axes"),
    ({"latents": [pb.Tensor(name="latent", shape=[1] * 10_000)]}, INVALID, "latents.shape", "at most 8 axes"),
    ({"latents": [pb.Tensor(name="latent", shape=[1] * 9)]}, INVALID, "latents.latent", "1..8 axes"),
]


@pytest.mark.parametrize("rpc", ["StreamCanvas", "Generate"])
@pytest.mark.parametrize(("spec", "status", "field", "says"), DRAWINGS)
async def test_a_bad_drawing_is_refused(serving, rpc, spec, status, field, says):
    error = await refused(serving, rpc, drawing=pb.DrawingSpec(**spec))
    assert (error.code(), says in error.details()) == (status, True), error.details()
    metadata = dict(error.trailing_metadata())
    assert metadata["pentimento-field"].startswith(field)
    assert metadata["pentimento-code"] in {"INVALID_ARGUMENT", "NOT_FOUND", "UNSUPPORTED"}


@pytest.mark.parametrize("rpc", ["StreamCanvas", "Generate"])
@pytest.mark.parametrize("encoding", [4, -1, 2**31 - 1])
async def test_an_undefined_encoding_is_refused(serving, rpc, encoding):
    error = await refused(serving, rpc, encoding=encoding)
    assert (error.code(), f"got {encoding}" in error.details()) == (INVALID, True)


@pytest.mark.parametrize(
    ("request_", "status", "says"),
    [
        ({}, INVALID, "images must be 1..8, got 0"),
        ({"images": [PICTURE] * 9}, INVALID, "images must be 1..8, got 9"),
        ({"images": [b""]}, INVALID, "images[0]"),
        ({"images": [PICTURE, b"no picture"]}, INVALID, "images[1]"),
        ({"images": [PICTURE[:40]]}, INVALID, "images[0]"),
        ({"images": [bomb()]}, INVALID, "images[0]"),
        ({"images": [encode_png(np.zeros((1, 7, 8), np.float32))]}, INVALID, "images[0]"),
        ({"images": [encode_png(np.zeros((3, 6, 8), np.float32))]}, INVALID, "images[0]"),
        ({"images": [PICTURE], "fit": 9}, INVALID, "fit must be one of"),
        ({"images": [PICTURE], "timeout_ms": -1}, INVALID, "timeout_ms"),
        ({"images": [PICTURE], "model": "nobody"}, grpc.StatusCode.NOT_FOUND, "'nobody'"),
        ({"images": [PICTURE], "model": "toy-rows"}, grpc.StatusCode.FAILED_PRECONDITION, "cannot score"),
    ],
)
async def test_a_bad_picture_is_refused(serving, request_, status, says):
    error = await refused(serving, "Score", **request_)
    assert (error.code(), says in error.details()) == (status, True), error.details()


@pytest.mark.parametrize(("name", "status"), [("", INVALID), ("nobody", grpc.StatusCode.NOT_FOUND)])
async def test_an_unknown_model_is_not_found(serving, name, status):
    assert (await refused(serving, "GetModel", name=name)).code() is status


async def test_a_message_over_the_limit_is_refused(serving):
    error = await refused(serving, "Score", images=[b"x" * 200_000])
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "100000" in error.details()


async def test_an_answer_over_the_limit_is_refused_before_it_is_drawn(serving, monkeypatch):
    monkeypatch.setattr("pentimento.service.grpc.sizes.MAX_SEND_BYTES", 4_000)
    spec = pb.DrawingSpec(image_count=4, step_count=5)
    error = await refused(serving, "Generate", drawing=spec, encoding=pb.IMAGE_ENCODING_FLOAT32)
    assert (error.code(), "limit is 4000" in error.details()) == (INVALID, True)
    final = pb.GenerateRequest(drawing=spec, encoding=pb.IMAGE_ENCODING_FLOAT32, final_frame_only=True)
    assert len((await serving.stub.Generate(final)).frames) == 1


@pytest.mark.parametrize("rpc", RPCS)
@pytest.mark.parametrize("data", [b"\xff" * 20, b"\x0a\xff\xff\xff\xff\x7f", b"\x08"])
async def test_bytes_that_are_no_message_are_refused(serving, rpc, data):
    call = serving.channel.unary_unary if rpc not in STREAMS else serving.channel.unary_stream
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await finish(call(f"/{SERVICE_NAME}/{rpc}")(data))
    assert (caught.value.code(), "cannot be parsed" in caught.value.details()) == (INVALID, True)


async def test_an_unknown_method_is_unimplemented(serving):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await serving.channel.unary_unary(f"/{SERVICE_NAME}/Paint")(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_refused_folder_is_listed_with_its_reason(tmp_path):
    write_toys(tmp_path, ["toy-steps", "toy-once"])
    spoil_hash(tmp_path / "toy-once")
    async with serve_grpc(tmp_path) as serving:
        answer = await serving.stub.ListModels(pb.ListModelsRequest())
        assert [model.name for model in answer.models] == ["toy-steps"]
        assert [(refusal.name, "SHA-256" in refusal.reason) for refusal in answer.refusals] == [
            ("toy-once", True)
        ]


async def refused(serving, rpc: str, **fields) -> grpc.aio.AioRpcError:
    kind = getattr(pb, f"{rpc}Request")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await finish(getattr(serving.stub, rpc)(kind(**fields)))
    return caught.value


async def finish(call) -> None:
    if hasattr(call, "__aiter__"):
        async for _ in call:
            pass
    else:
        await call
