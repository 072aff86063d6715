"""Drawings over REST with the real client: the numbers of /generate, in tensors."""

import asyncio

import numpy as np
import pytest
import tritonclient.http
import tritonclient.http.aio

from pentimento.service.operations.codec import encode_png
from tests.service.http.open_inference.conftest import drawn, input_of, wanted
from tests.service.live import wait_until


def test_the_same_seed_gives_the_same_bytes_as_generate(client, own):
    asked = {"model": "toy-steps", "seed": 7, "steps": 4, "n": 3}
    canvases = drawn(own, params=asked)
    answer = client.infer("toy-steps", [], parameters={"seed": 7, "steps": 4, "n": 3})
    assert answer.as_numpy("canvas").tobytes() == canvases[:, -1].tobytes()
    said = answer.get_response()
    assert (said["model_name"], said["model_version"]) == ("toy-steps", "1.0.0")
    assert said["parameters"] == {"seed": 7, "step": 4, "steps": 4}


def test_all_steps_are_an_output_that_is_asked_for(client, own):
    canvases = drawn(own, params={"model": "toy-steps", "seed": 7, "n": 2})
    parameters = {"seed": 7, "n": 2}
    answer = client.infer("toy-steps", [], outputs=wanted("canvases", "canvas"), parameters=parameters)
    assert [output["name"] for output in answer.get_response()["outputs"]] == ["canvases", "canvas"]
    assert answer.as_numpy("canvases").tobytes() == canvases.tobytes()
    assert np.array_equal(answer.as_numpy("canvas"), canvases[:, -1])


@pytest.mark.parametrize("binary", [True, False])
def test_numbers_may_be_tensors(client, own, binary):
    inputs = [
        input_of(name, np.array([value], np.int64), "INT64", binary=binary)
        for name, value in {"seed": 2**62 + 1, "steps": 3, "n": 2}.items()
    ]
    answer = client.infer("toy-steps", inputs, outputs=wanted("canvas", binary=binary), request_id="mine")
    same = client.infer("toy-steps", [], parameters={"seed": 2**62 + 1, "steps": 3, "n": 2})
    assert answer.get_response()["id"] == "mine"
    assert np.array_equal(answer.as_numpy("canvas"), same.as_numpy("canvas"))
    assert answer.get_response()["parameters"]["seed"] == 2**62 + 1


@pytest.mark.parametrize("binary", [True, False])
def test_latents_are_tensors(client, own, binary):
    latent = np.linspace(-2, 2, 96, dtype=np.float32).reshape(2, 1, 6, 8)
    body = {"model": "toy-steps", "seed": 3, "latents": {"latent": latent.tolist()}}
    inputs = [input_of("latents.latent", latent, "FP32", binary=binary)]
    answer = client.infer("toy-steps", inputs, parameters={"seed": 3})
    assert answer.as_numpy("canvas").tobytes() == drawn(own, json=body)[:, -1].tobytes()


def test_each_noise_may_have_a_seed(client, own):
    answer = client.infer("toy-steps", [], parameters={"seed": 3, "seeds.z": 4})
    body = {"model": "toy-steps", "seed": 3, "seeds": {"z": 4}}
    assert answer.as_numpy("canvas").tobytes() == drawn(own, json=body)[:, -1].tobytes()


@pytest.mark.parametrize(
    "labels",
    [
        input_of("label", np.array([2, 0], np.int64), "INT64"),
        input_of("label", np.array([2, 0], np.int64), "INT64", binary=False),
        input_of("label", np.array([b"white", b"0"], object), "BYTES"),
        input_of("label", np.array([b"white", b"0"], object), "BYTES", binary=False),
    ],
)
def test_each_image_may_have_a_label(client, own, labels):
    answer = client.infer("toy-labels", [labels], parameters={"seed": 5})
    body = {"model": "toy-labels", "seed": 5, "labels": [2, 0]}
    assert answer.as_numpy("canvas").tobytes() == drawn(own, json=body)[:, -1].tobytes()


@pytest.mark.parametrize("label", ["white", 2])
def test_a_label_may_be_a_parameter(client, own, label):
    answer = client.infer("toy-labels", [], parameters={"seed": 5, "label": label})
    assert np.array_equal(
        answer.as_numpy("canvas"), drawn(own, params={"model": "toy-labels", "seed": 5, "label": 2})[:, -1]
    )


def test_controls_are_the_models_own(client, own):
    same = drawn(own, params={"model": "toy-guided", "seed": 5, "tilt": -1.1})[:, -1]
    answer = client.infer("toy-guided", [], parameters={"seed": 5, "tilt": -1.1})
    assert np.array_equal(answer.as_numpy("canvas"), same)
    tilt = input_of("tilt", np.array([-1.1], np.float32), "FP32")
    answer = client.infer("toy-guided", [tilt], parameters={"seed": 5})
    assert np.array_equal(answer.as_numpy("canvas"), same)


def test_scores_come_where_they_are_asked_for(client, own):
    frames = own.post("/generate", params={"model": "toy-steps", "seed": 7, "score": True}).json()["frames"]
    by_parameter = client.infer("toy-steps", [], parameters={"seed": 7, "score": True})
    by_name = client.infer("toy-steps", [], parameters={"seed": 7}, outputs=wanted("probability", "logit"))
    for answer in (by_parameter, by_name):
        assert answer.as_numpy("logit")[0] == np.float32(frames[-1]["scores"][0]["logit"])
        assert 0 < answer.as_numpy("probability")[0] < 1
    assert by_name.as_numpy("canvas") is None


def test_a_picture_is_drawn_again(client, own):
    levels = np.arange(48, dtype=np.uint8).reshape(1, 1, 6, 8) * 5
    png = encode_png(levels[0].astype(np.float32) / 255)
    same = drawn(
        own,
        "/autoencode",
        params={"model": "toy-code", "seed": 3, "samples": 2},
        content=png,
    )[:, -1]
    for tensor in (
        input_of("image", levels, "UINT8"),
        input_of("image", levels.astype(np.float32) / 255, "FP32"),
        input_of("image", np.array([png], object), "BYTES"),
    ):
        answer = client.infer("toy-code:autoencode", [tensor], parameters={"seed": 3, "samples": 2})
        assert answer.as_numpy("canvas").tobytes() == same.tobytes()


def test_a_part_of_a_picture_is_drawn(client, own):
    picture = np.zeros((1, 1, 6, 8), np.float32)
    picture[..., 2:4, :] = 1
    mask = np.zeros((1, 1, 6, 8), np.float32)
    mask[..., :3, :] = 1
    files = {"image": encode_png(picture[0]), "mask": encode_png(mask[0])}
    same = drawn(own, "/complete", params={"model": "toy-black", "seed": 4}, files=files)[:, -1]
    for given in (input_of("mask", mask, "FP32"), input_of("mask", mask > 0, "BOOL")):
        inputs = [input_of("image", picture, "FP32"), given]
        answer = client.infer("toy-black:complete", inputs, parameters={"seed": 4})
        assert answer.as_numpy("canvas").tobytes() == same.tobytes()
        assert answer.get_response()["parameters"]["conditioning"]


async def test_the_client_of_event_loops(served, own):
    address = served.http.removeprefix("http://")
    async with tritonclient.http.aio.InferenceServerClient(address) as client:
        answer = await client.infer("toy-steps", [], parameters={"seed": 7})
        assert np.array_equal(answer.as_numpy("canvas"), drawn(own, params={"seed": 7})[:, -1])


def test_what_plain_http_sees(own):
    answer = own.post("/v2/models/toy-steps/infer/", json={"parameters": {"seed": 7}})  # a slash too many
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    (output,) = answer.json()["outputs"]
    assert (output["name"], output["shape"], output["datatype"]) == ("canvas", [1, 1, 6, 8], "FP32")
    assert np.array_equal(np.array(output["data"], np.float32), drawn(own, params={"seed": 7})[:, -1].ravel())
    escaped = own.post("/v2/models/toy-code%3Aencode/infer", json={})
    assert escaped.status_code == 400 and escaped.json()["error"].startswith("image is needed by model")


def test_a_version_may_be_asked_for(client):
    plain = client.infer("toy-steps", [], parameters={"seed": 1})
    version = client.infer("toy-steps", [], model_version="1.0.0", parameters={"seed": 1})
    assert np.array_equal(plain.as_numpy("canvas"), version.as_numpy("canvas"))


async def test_leaving_frees_the_rows(served, idle):
    """A drawing whose client stops waiting is not drawn to its end."""
    address = served.http.removeprefix("http://")
    async with tritonclient.http.aio.InferenceServerClient(address) as client:
        asking = asyncio.create_task(client.infer("toy-slow", [], parameters={"steps": 1000}))
        assert await asyncio.to_thread(wait_until, lambda: served.rows == 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    assert await asyncio.to_thread(wait_until, lambda: served.rows == 0)


def test_a_deadline_may_be_given_in_microseconds(client, idle):
    with pytest.raises(tritonclient.utils.InferenceServerException, match="deadline") as caught:
        client.infer("toy-slow", [], parameters={"steps": 1000}, timeout=100_000)
    assert caught.value.status() == "504"


def test_no_effect_is_taken(client):
    plain = client.infer("toy-steps", [], parameters={"seed": 1})
    other = client.infer("toy-steps", [], parameters={"seed": 1}, priority=3, timeout=0)
    assert np.array_equal(plain.as_numpy("canvas"), other.as_numpy("canvas"))
