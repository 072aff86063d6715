"""Calls that start from a picture, over HTTP on a real socket."""

import base64
import io
import json
import threading

import numpy as np
import pytest
from PIL import Image

from pentimento.bundle.noise import draw
from pentimento.service.http import readings
from tests.service.live import LiveServer, sse_events, wait_until
from tests.service.reading_toys import write_reading_toys

LEVELS = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
HALF = np.repeat([[255], [0]], 3, axis=0).astype(np.uint8) * np.ones((1, 8), np.uint8)


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reading")
    write_reading_toys(folder)
    server = LiveServer(folder, max_images=16, max_importance_samples=50)
    yield server
    server.close()


@pytest.fixture(scope="module")
def plenty(tmp_path_factory):
    """A server of the same that takes many pictures at once."""
    folder = tmp_path_factory.mktemp("plenty")
    write_reading_toys(folder)
    server = LiveServer(folder, max_images=256, max_body_bytes=1 << 22)
    yield server
    server.close()


@pytest.fixture
def http(reading):
    with reading.client() as client:
        yield client


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def pixels_of(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def encoded(data):
    return base64.b64encode(data).decode()


RAW = {"Content-Type": "image/png"}


def autoencode(http, params, headers=RAW, content=None):
    return http.post(
        "/autoencode",
        params={"model": "toy-code"} | params,
        headers=headers,
        content=png(LEVELS) if content is None else content,
    )


def test_an_image_is_drawn_again(http):
    answer = autoencode(http, {"samples": 3, "steps": 2, "seed": 5}).json()
    assert [frame["step"] for frame in answer["frames"]] == [1, 2]
    assert all(len(frame["images"]) == 3 for frame in answer["frames"])
    assert np.array_equal(pixels_of(base64.b64decode(answer["input"])), LEVELS)
    eps = draw(5, "eps", (1, 6, 8), rows=range(3))
    expected = 4 * (LEVELS.astype(np.float32) / 255 - 0.5) + eps * np.float32(0.1)
    np.testing.assert_allclose(answer["encoding"]["latent"], expected, atol=1e-5)
    assert "conditioning" not in answer


def test_the_film_strip_begins_with_the_input(http):
    answer = autoencode(http, {"samples": 2, "steps": 3}, RAW | {"Accept": "image/png"})
    strip = pixels_of(answer.content)
    assert strip.shape == (2 * 6 + 2, 4 * 8 + 3 * 2)
    for row in (0, 8):
        assert np.array_equal(strip[row : row + 6, :8], LEVELS)


def test_streams_end_with_the_encoding(http):
    with http.stream(
        "POST",
        "/autoencode",
        params={"model": "toy-code", "steps": 3},
        headers=RAW | {"Accept": "text/event-stream"},
        content=png(LEVELS),
    ) as answer:
        events = list(sse_events(answer.iter_lines()))
    assert [name for name, _ in events] == ["frame"] * 3 + ["done"]
    assert np.shape(events[-1][1]["encoding"]["mean"]) == (1, 1, 6, 8)
    assert np.array_equal(pixels_of(base64.b64decode(events[-1][1]["input"])), LEVELS)


@pytest.mark.parametrize(
    "body",
    [
        {"files": [("image", ("digit.png", png(LEVELS), "image/png"))]},
        {"json": {"image": encoded(png(LEVELS))}},
        {"content": png(LEVELS), "headers": {"Content-Type": "application/octet-stream"}},
    ],
)
def test_the_picture_can_come_in_three_ways(http, body):
    answer = http.post("/autoencode", params={"model": "toy-code", "seed": 1}, **body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["frames"] and answer.json()["seed"] == 1


def test_encodings(http):
    body = {"images": [encoded(png(LEVELS)), encoded(png(LEVELS * 0))]}
    answer = http.post("/encode", params={"model": "toy-code", "seed": 2}, json=body).json()
    assert np.shape(answer["encoding"]["latent"]) == (2, 1, 6, 8)
    assert len(answer["inputs"]) == 2 and answer["seed"] == 2
    again = http.post(
        "/generate", params={"model": "toy-code", "steps": 1}, json={"latents": answer["encoding"]}
    )
    assert again.status_code == 400  # `mean` is no latent; the message says so
    latents = {"latent": answer["encoding"]["latent"]}
    again = http.post("/generate", params={"model": "toy-code", "steps": 1}, json={"latents": latents})
    assert len(again.json()["frames"][0]["images"]) == 2


def test_likelihoods(http):
    params = {"model": "toy-code", "importance_samples": 10, "seed": 4}
    answer = http.post("/likelihood", params=params, content=png(LEVELS), headers=RAW).json()
    totals = draw(4, "eps", (10, 2), rows=range(1)).astype(np.float64).sum(axis=2)[0]
    nats = np.log(np.exp(totals).mean()) - LEVELS.mean() / 255
    assert answer["likelihoods"][0]["nats"] == pytest.approx(nats, abs=1e-4)
    assert answer["likelihoods"][0]["bits_per_dim"] == pytest.approx(-nats / 48 / np.log(2), abs=1e-4)
    assert (answer["kind"], answer["importance_samples"]) == ("bound", 10)
    assert "pixels" not in answer
    params = {"model": "toy-black", "pixels": "true"}
    answer = http.post("/likelihood", params=params, content=png(HALF), headers=RAW).json()
    assert answer["likelihoods"][0]["nats"] == -24 and answer["kind"] == "exact"
    assert np.array_equal(np.array(answer["pixels"])[0, 0], -(HALF / 255))


@pytest.mark.parametrize(("count", "thread"), [(2, False), (200, True)])
@pytest.mark.parametrize("path", ["/encode?model=toy-code&seed=3", "/likelihood?model=toy-black&pixels=true"])
def test_large_answers_are_encoded_off_the_event_loop_and_say_the_same(
    plenty, monkeypatch, path, count, thread
):
    """Lists of half a million numbers take the time of a thousand drawings."""
    threads, array_json = [], readings.array_json

    def noted(values):
        threads.append(threading.current_thread().name)
        return array_json(values)

    monkeypatch.setattr(readings, "array_json", noted)
    pictures = [png(np.roll(HALF, i % 6, axis=0)) for i in range(count)]
    with plenty.client() as client:
        many = client.post(path, json={"images": [encoded(each) for each in pictures]}).raise_for_status()
        first = client.post(path, json={"images": [encoded(pictures[0])]}).raise_for_status().json()
    half = len(threads) // 2  # arrays of an answer
    assert [name.startswith("answer") for name in threads] == [thread] * half + [False] * half and half
    answer = many.json()
    assert many.headers["Content-Type"] == "application/json" and set(answer) == set(first)
    assert len(answer["inputs"]) == count and answer["inputs"][0] == first["inputs"][0]
    for numbers in (of.get("pixels") or of["encoding"]["latent"] for of in (answer, first)):
        assert np.shape(numbers)[1:] == (1, 6, 8)
        np.testing.assert_array_equal(numbers[0], (first.get("pixels") or first["encoding"]["latent"])[0])


@pytest.mark.parametrize(
    "body",
    [
        {"files": {"image": ("i.png", png(HALF), "image/png"), "mask": ("m.png", png(HALF), "image/png")}},
        {"json": {"image": encoded(png(HALF)), "mask": encoded(png(HALF))}},
    ],
)
def test_completions_keep_what_is_given(http, body):
    params = {"model": "toy-black", "n": 4, "steps": 2, "seed": 3}
    answer = http.post("/complete", params=params, **body).json()
    last = [pixels_of(base64.b64decode(image)) for image in answer["frames"][-1]["images"]]
    drawn = draw(3, "u", (6, 8), rows=range(4), prior="uniform") < 0.5
    for picture, own in zip(last, drawn, strict=True):
        assert (picture[:3] == 255).all()
        assert np.array_equal(picture[3:] == 255, own[3:])
    assert "each drawn pixel saw the given" in answer["conditioning"]


def test_a_noise_can_have_a_seed_of_its_own(http):
    def last(body, seed):
        answer = http.post("/generate", params={"model": "toy-black", "seed": seed}, json=body)
        return answer.json()["frames"][-1]["images"]

    assert last({"seeds": {"u": 9}}, 1) == last({}, 9)
    answer = http.post("/generate", params={"model": "toy-black"}, json={"seeds": {"u": "nine"}})
    assert answer.status_code == 400 and answer.json()["field"].startswith("seeds")


def test_hanging_up_frees_the_rows(http, reading):
    with http.stream(
        "POST",
        "/autoencode",
        params={"model": "toy-code", "samples": 16, "steps": 8},
        headers=RAW | {"Accept": "application/x-ndjson"},
        content=png(LEVELS),
    ) as answer:
        line = next(answer.iter_lines())
        assert json.loads(line)["type"] == "frame"
    wait_until(lambda: reading.rows == 0)


MASK_ERRORS = [
    (np.full((6, 8), 255, np.uint8), "nothing is left to draw"),
    (np.zeros((6, 8), np.uint8), "nothing is given"),
    (np.zeros((4, 4), np.uint8), "mask must be 8x6 pixels"),
    (LEVELS, "mask must be black and white only"),
]


@pytest.mark.parametrize(("mask", "sentence"), MASK_ERRORS)
def test_masks_that_leave_no_question_are_refused(http, mask, sentence):
    body = {"image": encoded(png(HALF)), "mask": encoded(png(mask))}
    answer = http.post("/complete", params={"model": "toy-black"}, json=body)
    assert answer.status_code == 400 and sentence in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "params", "options", "status", "sentence"),
    [
        ("/autoencode", {"model": "toy-black"}, {}, 422, "cannot autoencode; models that can: toy-code"),
        ("/encode", {"model": "toy-black"}, {}, 422, "cannot encode; models that can: toy-code"),
        ("/autoencode", {"samples": "0"}, {}, 400, "samples must be 1..16, got 0"),
        ("/autoencode", {"samples": "many"}, {}, 400, "samples must be a whole number"),
        ("/autoencode", {"steps": "99"}, {}, 400, "steps must be 1..8"),
        ("/autoencode", {"sample": "2"}, {}, 400, "sample"),
        ("/autoencode", {}, {"content": png(LEVELS[:3])}, 400, "fit=resize would scale it"),
        ("/autoencode", {}, {"content": b"hello"}, 400, "image must be a PNG or JPEG picture"),
        ("/autoencode", {}, {"content": png(LEVELS)[:45]}, 400, "truncated or damaged"),
        ("/autoencode", {}, {"headers": {"Content-Type": "text/plain"}}, 415, "Content-Type must be"),
        ("/autoencode", {}, {"headers": RAW | {"Accept": "text/html"}}, 406, "Accept must allow"),
        ("/likelihood", {"importance_samples": "0"}, {}, 400, "importance_samples must be 1..50, got 0"),
        ("/likelihood", {"importance_samples": "51"}, {}, 400, "importance_samples must be 1..50, got 51"),
        ("/likelihood", {"pixels": "true"}, {}, 400, "has no likelihood for each pixel"),
        ("/complete", {"model": "toy-black"}, {}, 415, "multipart/form-data or application/json"),
    ],
)
def test_bad_requests(http, path, params, options, status, sentence):
    request = {"params": {"model": "toy-code"} | params, "headers": RAW, "content": png(LEVELS)} | options
    answer = http.post(path, **request)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert sentence in answer.json()["detail"]
    assert http.get("/readyz").status_code == 200


def test_a_missing_part_is_named(http):
    files = {"image": ("i.png", png(HALF), "image/png")}
    answer = http.post("/complete", params={"model": "toy-black"}, files=files)
    assert answer.json()["detail"] == "mask is needed, as a multipart file of that name"


def test_the_models_say_what_they_can_do(http):
    able = {model["name"]: model["operations"] for model in http.get("/models").json()["models"]}
    assert able["toy-code"] == ["generate", "encode", "autoencode", "likelihood"]
    assert able["toy-black"] == ["generate", "likelihood", "complete"]


def test_requests_are_counted_by_operation(http):
    http.post("/encode", params={"model": "toy-code"}, content=png(LEVELS), headers=RAW)
    text = http.get("/metrics").text
    assert 'pentimento_requests_total{operation="encode",outcome="ok",transport="http"}' in text
