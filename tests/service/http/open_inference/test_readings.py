"""Readings over REST with the real client: each is a model of its own name."""

import numpy as np
import pytest

from pentimento.service.operations.codec import encode_png
from tests.service.http.open_inference.conftest import input_of, wanted

LEVELS = np.arange(96, dtype=np.uint8).reshape(2, 1, 6, 8)
PICTURES = LEVELS.astype(np.float32) / np.float32(255)


@pytest.fixture(scope="module")
def files():
    return [("image", encode_png(picture)) for picture in PICTURES]


def test_scores_are_those_of_score(client, own, files):
    same = own.post("/score", params={"model": "toy-steps"}, files=files).json()["scores"]
    answer = client.infer("toy-steps:score", [input_of("image", PICTURES, "FP32")])
    assert [each["logit"] for each in same] == answer.as_numpy("logit").tolist()
    assert np.allclose([each["probability"] for each in same], answer.as_numpy("probability"))
    assert answer.get_response()["parameters"] == {"kind": "discriminator", "group": False}


def test_encodings_are_those_of_encode(client, own, files):
    same = own.post("/encode", params={"model": "toy-code", "seed": 3}, files=files).json()["encoding"]
    for tensor in (input_of("image", LEVELS, "UINT8"), input_of("image", LEVELS, "UINT8", binary=False)):
        answer = client.infer("toy-code:encode", [tensor], parameters={"seed": 3})
        assert {output["name"] for output in answer.get_response()["outputs"]} == set(same)
        for name, values in same.items():
            assert np.array_equal(answer.as_numpy(name), np.array(values, np.float32))


def test_an_encoding_can_be_drawn_from(client):
    """A tensor of one model is one of another, as pipelines pass them on."""
    encoded = client.infer("toy-code:encode", [input_of("image", PICTURES, "FP32")], parameters={"seed": 3})
    latent = encoded.as_numpy("latent")
    drawn = client.infer("toy-code", [input_of("latents.latent", latent, "FP32")])
    assert drawn.as_numpy("canvas").shape == (2, 1, 6, 8)


def test_likelihoods_are_those_of_likelihood(client, own, files):
    params = {"model": "toy-code", "seed": 3, "importance_samples": 5}
    same = own.post("/likelihood", params=params, files=files).json()
    parameters = {"seed": 3, "importance_samples": 5}
    answer = client.infer("toy-code:likelihood", [input_of("image", PICTURES, "FP32")], parameters=parameters)
    assert np.allclose([each["nats"] for each in same["likelihoods"]], answer.as_numpy("nats"))
    assert answer.get_response()["parameters"] == {"kind": "bound", **parameters}


def test_the_likelihood_of_each_pixel_is_asked_for_by_name(client):
    picture = np.zeros((1, 1, 6, 8), np.float32)
    picture[..., 2, 3] = 1
    tensor = input_of("image", picture, "FP32")
    usual = client.infer("toy-black:likelihood", [tensor])
    assert usual.as_numpy("nats").tolist() == [-1] and usual.as_numpy("pixels") is None
    answer = client.infer("toy-black:likelihood", [tensor], outputs=wanted("pixels"))
    assert np.array_equal(answer.as_numpy("pixels"), -picture)
