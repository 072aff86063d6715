"""POST /generate: every format holds the same drawing, and it is the drawing that numpy works out."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from pentimento.bundle.noise import draw
from pentimento.service.operations.codec import GAP, to_uint8
from tests.service.live import sse_events
from tests.service.toys import LOGIT_GAIN, steps_canvases

GREY = (1, 6, 8)


def expected(seed: int, n: int, steps: int, shape=GREY) -> np.ndarray:
    latent = draw(seed, "latent", shape, rows=range(n))
    z = draw(seed, "z", (steps, *shape), rows=range(n))
    return steps_canvases(latent, z)


def pixels(png: str) -> np.ndarray:
    with Image.open(io.BytesIO(base64.b64decode(png, validate=True))) as picture:
        return np.asarray(picture)


def problem(response, status: int) -> dict:
    assert response.status_code == status, response.text[:500]
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["request_id"] == response.headers["x-request-id"]
    return body


def test_json_is_the_default(http):
    response = http.post("/generate", params={"steps": 3, "n": 2, "seed": 7})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert list(body) == ["model", "version", "seed", "n", "steps", "frames", "timing"]
    assert (body["model"], body["version"], body["seed"], body["steps"]) == ("toy-steps", "1.0.0", 7, 3)
    assert [frame["step"] for frame in body["frames"]] == [1, 2, 3]
    drawn = np.array([[pixels(png) for png in frame["images"]] for frame in body["frames"]])
    assert np.array_equal(drawn, to_uint8(expected(7, 2, 3))[:, :, 0].transpose(1, 0, 2, 3))
    assert "scores" not in body["frames"][0]
    assert 0 <= body["timing"]["queue_us"] <= body["timing"]["total_us"]


def test_seed_is_returned_and_repeats_the_drawing(http):
    first = http.post("/generate").json()
    again = http.post("/generate", params={"seed": first["seed"]}).json()
    assert [frame["images"] for frame in first["frames"]] == [frame["images"] for frame in again["frames"]]
    assert http.post("/generate").json()["seed"] != first["seed"]


def test_npy_holds_float32(http):
    response = http.post(
        "/generate", params={"steps": 4, "n": 3, "seed": 11}, headers={"Accept": "application/x-npy"}
    )
    assert response.headers["content-type"] == "application/x-npy"
    drawn = np.load(io.BytesIO(response.content), allow_pickle=False)
    assert np.array_equal(drawn, expected(11, 3, 4))


@pytest.mark.parametrize("kind", ["image/png", "image/gif", "image/apng"])
def test_pictures(http, kind):
    params = {"steps": 4, "n": 3, "seed": 11, "scale": 3, "model": "toy-color"}
    response = http.post("/generate", params=params, headers={"Accept": kind})
    assert response.headers["content-type"] == kind
    for name, value in {"Model": "toy-color", "Version": "1.0.0", "Seed": "11", "Steps": "4"}.items():
        assert response.headers[f"Pentimento-{name}"] == value
    with Image.open(io.BytesIO(response.content)) as picture:
        columns, rows = (4, 3) if kind == "image/png" else (2, 2)
        assert picture.size == ((columns * (5 + GAP) - GAP) * 3, (rows * (4 + GAP) - GAP) * 3)
        assert getattr(picture, "n_frames", 1) == (1 if kind == "image/png" else 4)
        first = np.asarray(picture.convert("RGB"))[: 4 * 3 : 3, : 5 * 3 : 3]
    exact = to_uint8(expected(11, 3, 4, (3, 4, 5))[0, 0]).transpose(1, 2, 0)
    assert np.abs(first.astype(int) - exact).max() <= (64 if kind == "image/gif" else 0)


@pytest.mark.parametrize("kind", ["text/event-stream", "application/x-ndjson"])
def test_streams_carry_the_frames_of_the_json_answer(http, kind):
    params = {"steps": 3, "n": 2, "seed": 7, "score": "true"}
    whole = http.post("/generate", params=params).json()
    response = http.post("/generate", params=params, headers={"Accept": kind})
    assert response.headers["content-type"].partition(";")[0] == kind
    assert response.headers["Pentimento-Seed"] == "7"
    if kind == "text/event-stream":
        events = list(sse_events(response.text.split("\n")))
    else:
        lines = [json.loads(line) for line in response.text.splitlines()]
        events = [(line.pop("type"), line) for line in lines]
    assert [name for name, _ in events] == ["frame", "frame", "frame", "done"]
    for (_, event), frame in zip(events, whole["frames"], strict=False):
        assert event["elapsed_us"] >= 0
        assert {k: v for k, v in event.items() if k != "elapsed_us"} == {
            k: v for k, v in frame.items() if k != "elapsed_us"
        }
    done = events[-1][1]
    assert {k: done[k] for k in ("model", "version", "seed", "n", "steps")} == {
        k: whole[k] for k in ("model", "version", "seed", "n", "steps")
    }
    assert set(done["timing"]) == {"queue_us", "total_us"}


def test_scores_of_a_discriminator_have_a_probability(http):
    body = http.post("/generate", params={"steps": 2, "n": 2, "seed": 3, "score": "true"}).json()
    canvases = expected(3, 2, 2)
    for frame in body["frames"]:
        means = canvases[:, frame["step"] - 1].mean(axis=(1, 2, 3))
        for score, mean in zip(frame["scores"], means, strict=True):
            assert score["logit"] == pytest.approx(LOGIT_GAIN * (mean - 0.5), abs=1e-5)
            assert score["probability"] == pytest.approx(1 / (1 + np.exp(-score["logit"])), abs=1e-6)


def test_scores_of_a_critic_have_none(http):
    body = http.post("/generate", params={"model": "toy-color", "steps": 1, "score": "true"}).json()
    assert set(body["frames"][0]["scores"][0]) == {"logit"}


def test_one_shot_rows_and_labels(http):
    assert len(http.post("/generate", params={"model": "toy-once"}).json()["frames"]) == 1
    rows = http.post("/generate", params={"model": "toy-rows", "steps": 3}).json()["frames"]
    drawn = [np.flatnonzero(pixels(frame["images"][0]).any(axis=1)).tolist() for frame in rows]
    assert drawn == [[0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4, 5]]
    white = http.post("/generate", params={"model": "toy-labels", "label": 2}).json()["frames"][0]
    assert (pixels(white["images"][0]) == 255).all()


def test_body_may_carry_every_field_and_explicit_latents(http):
    latent, z = np.zeros((2, *GREY)), np.full((2, 3, *GREY), 0.25)
    body = {"steps": 3, "seed": 5, "latents": {"latent": latent.tolist(), "z": z.tolist()}}
    answer = http.post("/generate", json=body, headers={"Accept": "application/x-npy"})
    drawn = np.load(io.BytesIO(answer.content))
    assert np.array_equal(drawn, steps_canvases(latent, z.astype(np.float32)))
    assert answer.headers["Pentimento-Seed"] == "5"


def test_query_and_body_may_agree_but_not_differ(http):
    assert http.post("/generate", params={"steps": 2}, json={"steps": 2, "score": True}).status_code == 200
    body = problem(http.post("/generate", params={"steps": 2}, json={"steps": 3}), 400)
    assert body["detail"] == "steps is given twice: 2 in the query and 3 in the body"


def test_request_id_is_taken_when_sane_and_made_otherwise(http):
    assert (
        http.post("/generate", headers={"X-Request-Id": "abc-1.2/3"}).headers["x-request-id"] == "abc-1.2/3"
    )
    for bad in ("x" * 129, "a b", 'a"b', ""):
        made = http.post("/generate", headers={"X-Request-Id": bad}).headers["x-request-id"]
        assert made != bad and len(made) == 16
