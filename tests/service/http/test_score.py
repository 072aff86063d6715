"""POST /score: three ways to send pictures, one answer; every bad picture is told what is wrong with it."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from pentimento.service.operations.codec import encode_png
from tests.service.http.test_generate import problem
from tests.service.operations.test_image_input import bomb
from tests.service.toys import LOGIT_GAIN

PNG = {"Content-Type": "image/png"}


def levels(seed: int, shape=(1, 6, 8)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.float32) / np.float32(255)


def logit(image: np.ndarray) -> float:
    return LOGIT_GAIN * (float(image.mean()) - 0.5)


def saved(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def base64_of(*files: bytes) -> dict:
    return {"images": [base64.b64encode(file).decode() for file in files]}


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream"])
def test_raw_body(http, kind):
    response = http.post("/score", content=encode_png(levels(1)), headers={"Content-Type": kind})
    assert response.status_code == 200
    body = response.json()
    assert (body["model"], body["version"], body["kind"]) == ("toy-steps", "1.0.0", "discriminator")
    (score,) = body["scores"]
    assert score["logit"] == pytest.approx(logit(levels(1)), abs=1e-5)
    assert score["probability"] == pytest.approx(1 / (1 + np.exp(-score["logit"])), abs=1e-6)
    assert set(body["timing"]) == {"queue_us", "total_us"}


def test_jpeg_body_for_a_critic(http):
    picture = Image.fromarray(np.full((4, 5, 3), 128, dtype=np.uint8))
    response = http.post(
        "/score?model=toy-color", content=saved(picture, "JPEG"), headers={"Content-Type": "image/jpeg"}
    )
    body = response.json()
    assert body["kind"] == "critic"
    assert set(body["scores"][0]) == {"logit"}
    assert body["scores"][0]["logit"] == pytest.approx(LOGIT_GAIN * (128 / 255 - 0.5), abs=1e-3)


def test_multipart_and_json_keep_the_order(http):
    pictures = [encode_png(levels(seed)) for seed in range(3)]
    parts = [("image", (f"{i}.png", data, "image/png")) for i, data in enumerate(pictures)]
    multipart = http.post("/score", files=parts)
    written = http.post("/score", json=base64_of(*pictures))
    assert multipart.status_code == written.status_code == 200
    assert multipart.json()["scores"] == written.json()["scores"]
    logits = [score["logit"] for score in written.json()["scores"]]
    assert logits == pytest.approx([logit(levels(seed)) for seed in range(3)], abs=1e-5)


def test_fit_resizes_and_converts(http):
    data = saved(Image.fromarray(np.full((20, 30, 3), 51, dtype=np.uint8)))
    assert "fit=resize" in problem(http.post("/score", content=data, headers=PNG), 400)["detail"]
    score = http.post("/score?fit=resize", content=data, headers=PNG).json()["scores"][0]
    assert score["logit"] == pytest.approx(LOGIT_GAIN * (51 / 255 - 0.5), abs=1e-4)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", ["image must be a PNG or JPEG picture, got 0 bytes"]),
        (b"not a picture", ["image must be a PNG or JPEG picture"]),
        (encode_png(levels(1))[:60], ["image is a truncated or damaged picture"]),
        (bomb(60_000, 60_000), ["16000000 pixels", "60000x60000"]),
        (encode_png(levels(1, (1, 9, 8))), ["8x6", "8x9", "fit=resize"]),
        (encode_png(levels(1, (3, 6, 8))), ["grey", "got RGB", "fit=resize"]),
    ],
)
def test_bad_pictures(http, data, words):
    body = problem(http.post("/score", content=data, headers=PNG), 400)
    assert body["field"] == "image"
    for word in words:
        assert word in body["detail"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"images": []}, "images must be 1..64, got 0"),
        ({"images": ["AAAA"] * 65}, "images must be 1..64, got 65"),
        ({"images": "AAAA"}, "images should be a valid list, got 'AAAA'"),
        ({"images": [3]}, "images.0 should be a valid string, got 3"),
        ({"images": ["not base64!"]}, "images[0] must be base64"),
        ({"images": ["AAAA"]}, "images[0] must be a PNG or JPEG picture, got something else of 3 bytes"),
        ({"image": "AAAA"}, "is needed"),
        ({}, "images is needed"),
        ([], "body must be a JSON object, got an array"),
    ],
)
def test_bad_json(http, body, detail):
    assert detail in problem(http.post("/score", json=body), 400)["detail"]


def test_bad_second_picture_is_named(http):
    body = problem(http.post("/score", json=base64_of(encode_png(levels(1)), b"junk")), 400)
    assert body["field"] == "images[1]"
    parts = [("image", ("a", encode_png(levels(1)))), ("image", ("b", b"junk"))]
    assert problem(http.post("/score", files=parts), 400)["field"] == "image[1]"


def test_bad_multipart(http):
    def post(content: bytes, kind: str = "multipart/form-data; boundary=x") -> str:
        response = http.post("/score", content=content, headers={"Content-Type": kind})
        return problem(response, 400)["detail"]

    assert "boundary" in post(b"", "multipart/form-data")
    assert "multipart" in post(b"nonsense")
    assert "got 0" in post(b"--x\r\nnonsense")
    assert "image must be in 1..64 parts, got 0" in post(b"--x--\r\n")
    field = b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\ntext\r\n--x--\r\n'
    assert "multipart" in post(field)
    named = http.post("/score", files=[("picture", ("a", b"junk"))])
    assert "picture is not known here" in problem(named, 400)["detail"]
    many = http.post("/score", files=[("image", ("a", b"junk"))] * 65)
    assert "image must be in 1..64 parts, got 65" in problem(many, 400)["detail"]


def test_content_type_and_query(http):
    assert "image/png" in problem(http.post("/score", content=b"x"), 415)["detail"]
    assert problem(http.post("/score", data={"a": "b"}), 415)["code"] == "UNSUPPORTED_MEDIA_TYPE"
    body = problem(http.post("/score?fit=stretch", content=encode_png(levels(1)), headers=PNG), 400)
    assert body["detail"] == "fit must be 'exact' or 'resize', got 'stretch'"
    assert problem(http.post("/score?model=nope", content=b"x", headers=PNG), 404)["field"] == "model"
    assert (
        problem(http.post("/score?model=toy-once", content=b"x", headers=PNG), 422)["code"] == "UNSUPPORTED"
    )
