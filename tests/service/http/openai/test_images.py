"""images.generate with the real client: the pictures of /generate, in the API's words."""

import base64
import io

import numpy as np
import openai
import pytest
from PIL import Image

from tests.service.http.openai.conftest import async_client_of, client_of, levels_of, picture_of


def last_images(own, **params):
    return own.post("/generate", params=params).json()["frames"][-1]["images"]


def test_the_same_seed_gives_the_same_bytes_as_generate(client, own):
    answer = client.images.generate(model="toy-steps", prompt="", n=3, extra_body={"seed": 7, "steps": 4})
    assert [image.b64_json for image in answer.data] == last_images(own, steps=4, n=3, seed=7)
    assert (answer.size, answer.output_format, answer.background) == ("8x6", "png", "opaque")
    assert answer.model_extra == {"model": "toy-steps", "version": "1.0.0", "seed": 7, "steps": 4}
    assert answer.usage.total_tokens == 0 and answer.created > 1_700_000_000


def test_the_answer_says_which_seed(client, own):
    first = client.images.with_raw_response.generate(model="toy-steps", prompt="")
    answer = first.parse()
    assert first.headers["Pentimento-Seed"] == str(answer.seed)
    assert [image.b64_json for image in answer.data] == last_images(own, seed=answer.seed)


def test_fields_without_effect_are_taken(client):
    answer = client.images.generate(
        model="toy-steps",
        prompt=" ",
        n=1,
        size="auto",
        response_format="b64_json",
        output_format="png",
        output_compression=100,
        background="auto",
        quality="high",
        complexity="low",
        style="natural",
        moderation="low",
        user="someone",
        safety_identifier="someone",
        stream=False,
        partial_images=0,
        extra_body={"seed": 1},
    )
    plain = client.images.generate(model="toy-steps", prompt="", extra_body={"seed": 1})
    assert answer.data == plain.data


def test_whole_multiples_of_the_size_are_enlarged_pixels(client):
    small = client.images.generate(model="toy-color", prompt="", n=2, extra_body={"seed": 3})
    large = client.images.generate(model="toy-color", prompt="", n=2, size="15x12", extra_body={"seed": 3})
    assert large.size == "15x12"
    for one, other in zip(small.data, large.data, strict=True):
        pixels = levels_of(one.b64_json)
        assert np.array_equal(levels_of(other.b64_json), pixels.repeat(3, axis=0).repeat(3, axis=1))


@pytest.mark.parametrize("kind", ["gif", "apng"])
def test_animations_have_a_frame_a_step(client, kind):
    options = {"extra_body": {"seed": 3, "steps": 4}}
    answer = client.images.generate(prompt="", n=2, size="16x12", output_format=kind, **options)
    last = client.images.generate(prompt="", n=2, size="16x12", **options)
    assert answer.output_format == kind
    for moving, still in zip(answer.data, last.data, strict=True):
        picture = picture_of(moving.b64_json)
        assert (picture.format, picture.n_frames) == ("GIF" if kind == "gif" else "PNG", 4)
        picture.seek(3)
        assert np.array_equal(np.asarray(picture.convert("L")), levels_of(still.b64_json))


@pytest.mark.parametrize(("prompt", "label"), [("white", 2), (" White ", 2), ("0", 0), ("black", 0)])
def test_a_prompt_is_a_class_by_name_or_number(client, own, prompt, label):
    answer = client.images.generate(model="toy-labels", prompt=prompt, extra_body={"seed": 5})
    assert [answer.data[0].b64_json] == last_images(own, model="toy-labels", label=label, seed=5)


def test_controls_are_the_models_own(client, own):
    answer = client.images.generate(
        model="toy-guided", prompt="", extra_body={"seed": 5, "controls": {"tilt": -1.5}}
    )
    assert [answer.data[0].b64_json] == last_images(own, model="toy-guided", tilt=-1.5, seed=5)


async def test_the_client_of_event_loops(served, own):
    async with async_client_of(served) as client:
        answer = await client.images.generate(prompt="", n=2, extra_body={"seed": 7})
    assert [image.b64_json for image in answer.data] == last_images(own, n=2, seed=7)


def test_what_plain_http_sees(own):
    response = own.post("/v1/images/generations/", json={"prompt": "", "seed": 2})  # a slash too many
    assert response.status_code == 200 and response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    picture = Image.open(io.BytesIO(base64.b64decode(response.json()["data"][0]["b64_json"])))
    assert picture.size == (8, 6)


@pytest.fixture(scope="module")
def refused(served):
    """Asks for something that cannot be had, and returns the error."""
    with client_of(served) as client:

        def ask(**asked):
            with pytest.raises(openai.APIStatusError) as caught:
                client.images.generate(**({"model": "toy-steps", "prompt": ""} | asked))
            error = caught.value
            assert error.body["message"] and error.request_id
            return error

        yield ask


REFUSED = {
    "another model": ({"model": "dall-e-3"}, 404, "model", "'dall-e-3' is not served here"),
    "text": ({"prompt": "a cat"}, 400, "prompt", "must be empty: model 'toy-steps' draws one kind"),
    "no class": ({"model": "toy-labels", "prompt": ""}, 400, "prompt", "classes of model 'toy-labels' ("),
    "other class": ({"model": "toy-labels", "prompt": "nine"}, 400, "prompt", "got 'nine'"),
    "long prompt": ({"prompt": "a" * 32_001}, 400, "prompt", "at most 32000 characters, got 32001"),
    "n": ({"n": 900}, 400, "n", "n must be 1..64, got 900"),
    "no n": ({"n": 0}, 400, "n", "n must be 1..64, got 0"),
    "size": ({"size": "1024x1024"}, 400, "size", "must be auto, 8x6, which model 'toy-steps' draws"),
    "proportions": ({"size": "16x13"}, 400, "size", "a whole multiple of it such as 16x12, at most 128x96"),
    "huge": ({"size": "136x102"}, 400, "size", "got '136x102'"),
    "no size": ({"size": "large"}, 400, "size", "got 'large'"),
    "url": ({"response_format": "url"}, 400, "response_format", "must be b64_json: pictures are not kept"),
    "jpeg": ({"output_format": "jpeg"}, 400, "output_format", "must be png, or gif or apng"),
    "svg": ({"output_format": "svg"}, 400, "output_format", "got 'svg'"),
    "format": ({"output_format": "bmp"}, 400, "output_format", "must be 'png', 'gif' or 'apng', got 'bmp'"),
    "compression": ({"output_compression": 50}, 400, "output_compression", "must be 100"),
    "transparent": ({"background": "transparent"}, 400, "background", "must be opaque or auto"),
    "quality": ({"quality": "ultra"}, 400, "quality", "got 'ultra'"),
    "style": ({"style": "cubist"}, 400, "style", "must be 'vivid' or 'natural', got 'cubist'"),
    "moderation": ({"moderation": "none"}, 400, "moderation", "must be 'low' or 'auto', got 'none'"),
    "user": ({"user": "u" * 513}, 400, "user", "at most 512 characters, got 513"),
    "frames": ({"output_format": "gif", "frame_count": 4}, 400, "frame_count", "a frame for each step"),
    "frame time": ({"frame_duration_ms": 9}, 400, "frame_duration_ms", "stays 250 ms"),
    "svg model": ({"svg": {"model": "x"}}, 400, "svg", "bundles draw pixels"),
    "partial": ({"stream": True, "partial_images": 5}, 400, "partial_images", "must be 0..4 for a drawing"),
    "negative": ({"stream": True, "partial_images": -1}, 400, "partial_images", "got -1"),
    "no stream": ({"partial_images": 2}, 400, "partial_images", "must be 0 where stream is not true"),
    "gif stream": ({"stream": True, "output_format": "gif"}, 400, "output_format", "must be png in a stream"),
    "steps": ({"extra_body": {"steps": 17}}, 400, "steps", "must be 1..16 for model 'toy-steps', got 17"),
    "seed": ({"extra_body": {"seed": -1}}, 400, "seed", "got -1"),
    "control": ({"extra_body": {"controls": {"tilt": 1}}}, 400, "controls.tilt", "it has none"),
    "misspelt": ({"extra_body": {"sede": 1}}, 400, "sede", "sede is not known here; known are: background"),
    "no drawing": ({"extra_body": {"timeout_ms": 0}}, 400, "timeout_ms", "got 0"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_had_is_a_sentence(refused, what):
    asked, status, param, sentence = REFUSED[what]
    error = refused(**asked)
    assert (error.status_code, error.param, error.type) == (status, param, "invalid_request_error")
    assert error.body["message"].startswith(param) and sentence in error.body["message"]


def test_errors_are_those_that_clients_know(refused):
    assert isinstance(refused(model="none"), openai.NotFoundError)
    assert refused(model="none").code == "model_not_found"
    assert isinstance(refused(n=0), openai.BadRequestError) and refused(n=0).code == "invalid_argument"


def test_a_whole_answer_may_not_be_too_large(refused):
    asked = {"model": "toy-slow", "n": 64, "size": "128x96", "output_format": "apng"}
    error = refused(**asked, extra_body={"steps": 100})
    assert (error.status_code, error.param) == (400, "size")
    assert "64 images of 100 steps at 128x96 are" in error.body["message"]


@pytest.mark.parametrize(
    ("path", "send", "status", "code"),
    [
        ("/v1/images/generations", {"content": b"prompt=x"}, 415, "unsupported_media_type"),
        ("/v1/images/generations", {"json": [1]}, 400, "invalid_argument"),
        ("/v1/images/generations", {"json": {"prompt": 3}}, 400, "invalid_argument"),
        ("/v1/images/edits", {"json": {"prompt": ""}}, 415, "unsupported_media_type"),
        ("/v1/images/variations", {"json": {}}, 404, "not_found"),
        ("/v1/models", {"json": {}}, 405, "method_not_allowed"),
    ],
)
def test_other_errors_have_the_form_too(own, path, send, status, code):
    response = own.post(path, **send)
    assert response.status_code == status and response.headers["content-type"] == "application/json"
    (error,) = response.json().values()
    assert list(error) == ["message", "type", "param", "code"]
    assert (error["type"], error["code"]) == ("invalid_request_error", code)


def test_a_deadline_is_a_server_error(client, idle):
    with pytest.raises(openai.InternalServerError) as caught:
        client.images.generate(model="toy-slow", prompt="", extra_body={"steps": 1000, "timeout_ms": 100})
    assert (caught.value.status_code, caught.value.type) == (504, "server_error")
    assert caught.value.code == "deadline_exceeded"


def test_what_would_fail_again_is_not_tried_again(served, idle):
    """The client's usual two more tries would be two more drawings that end at their deadline."""
    answers = []
    with client_of(served).with_options(max_retries=2) as eager:
        eager._client.event_hooks = {"response": [answers.append]}
        with pytest.raises(openai.InternalServerError):
            eager.images.generate(model="toy-slow", prompt="", extra_body={"steps": 1000, "timeout_ms": 100})
    assert [(answer.status_code, answer.headers["x-should-retry"]) for answer in answers] == [(504, "false")]
