"""One-shot conditional bundles: a drawing of one step with a label, or one for each image."""

import io

import grpc
import numpy as np
import pytest
from PIL import Image

from pentimento.bundle.noise import draw
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from pentimento.service.operations.codec import GAP, encode_png, to_uint8
from tests.service.http.test_generate import pixels
from tests.service.judging_toys import DIGITS, one_shot
from tests.service.toys import LOGIT_GAIN

LABELS = [7, 0, 9, 3]


@pytest.fixture
def http(judging):
    with judging.client() as client:
        yield client


@pytest.fixture
def stub(judging):
    with grpc.insecure_channel(judging.grpc) as channel:
        yield pb_grpc.CanvasServiceStub(channel)


def expected(seed: int, n: int, labels) -> np.ndarray:
    return one_shot(draw(seed, "latent", (4,), rows=range(n)), np.asarray(labels))


def test_a_class_is_drawn_sixteen_times(http):
    query = {"model": "toy-digits", "label": 7, "n": 16, "seed": 3}
    body = http.post("/generate", params=query).json()
    assert (body["n"], body["steps"]) == (16, 1)
    (frame,) = body["frames"]
    want = to_uint8(expected(3, 16, 7))[:, 0]
    np.testing.assert_array_equal([pixels(png) for png in frame["images"]], want)
    strip = http.post("/generate", params=query, headers={"Accept": "image/png"})
    with Image.open(io.BytesIO(strip.content)) as image:
        assert image.size == (4 * (8 + GAP) - GAP, 4 * (6 + GAP) - GAP), "a grid: there is one step only"
        np.testing.assert_array_equal(np.asarray(image)[:6, :8], want[0])


def test_a_label_of_each_image(http):
    body = {"model": "toy-digits", "labels": LABELS, "seed": 5}
    answer = http.post("/generate", json=body, headers={"Accept": "application/x-npy"})
    canvases = np.load(io.BytesIO(answer.content))
    np.testing.assert_allclose(canvases[:, 0], expected(5, 4, LABELS), atol=1e-6)
    (frame,) = http.post("/generate?n=4&seed=5&model=toy-digits", json={"labels": LABELS}).json()["frames"]
    want = to_uint8(expected(5, 4, LABELS))[:, 0]
    np.testing.assert_array_equal([pixels(png) for png in frame["images"]], want)


def test_image_i_of_a_label_is_the_same_picture_whatever_the_others_are(http):
    mixed = http.post("/generate", json={"model": "toy-digits", "labels": LABELS, "seed": 5}).json()
    alike = http.post("/generate?model=toy-digits&label=9&n=4&seed=5").json()
    assert mixed["frames"][0]["images"][2] == alike["frames"][0]["images"][2]


def test_grpc_draws_the_same(stub):
    for given, labels in (({"label": 7, "image_count": 4}, 7), ({"labels": LABELS}, LABELS)):
        spec = pb.DrawingSpec(model="toy-digits", seed=3, **given)
        answer = stub.Generate(pb.GenerateRequest(drawing=spec))
        assert (answer.header.image_count, answer.header.step_count) == (4, 1)
        (frame,) = answer.frames
        assert list(frame.images) == [encode_png(canvas) for canvas in expected(3, 4, labels)]


def test_labels_of_a_drawing_with_more_rows_than_a_call_takes(http):
    labels = [i % 10 for i in range(64)]
    body = {"model": "toy-digits", "labels": labels, "seed": 2}
    answer = http.post("/generate", json=body, headers={"Accept": "application/x-npy"})
    canvases = np.load(io.BytesIO(answer.content))
    np.testing.assert_allclose(canvases[:, 0], expected(2, 64, labels), atol=1e-6)


def test_labels_of_a_recurrent_drawing(http):
    body = {"model": "toy-labels", "labels": [0, 2, 1], "steps": 1, "seed": 1}
    answer = http.post("/generate", json=body, headers={"Accept": "application/x-npy"})
    black, white, grey = np.load(io.BytesIO(answer.content)).mean(axis=(1, 2, 3, 4))
    assert black < grey < white


@pytest.mark.parametrize("judge", ["score=true", "score_by=toy-aware"])
def test_a_scorer_of_classes_hears_which_class_was_drawn(http, judge):
    body = {"model": "toy-aware", "labels": LABELS, "seed": 5}
    answer = http.post(f"/generate?{judge}", json=body).json()
    want = LOGIT_GAIN * (expected(5, 4, LABELS).mean(axis=(1, 2, 3)) - 0.5) + LABELS
    got = [score["logit"] for score in answer["frames"][0]["scores"]]
    np.testing.assert_allclose(got, want, atol=1e-4)


def test_it_judges_another_bundle_of_as_many_classes(http):
    answer = http.post("/generate?model=toy-digits&label=4&score_by=toy-aware").json()
    assert answer["scored_by"]["model"] == "toy-aware"
    assert answer["frames"][0]["scores"][0]["logit"] > 0


def test_given_images_have_the_class_that_is_said(http, stub):
    image = encode_png(np.full((1, 6, 8), 0.5, np.float32))
    bare = LOGIT_GAIN * (128 / 255 - 0.5)
    answer = http.post(
        "/score?model=toy-aware&label=6", content=image, headers={"Content-Type": "image/png"}
    ).json()
    assert answer["scores"][0]["logit"] == pytest.approx(6 + bare, abs=1e-4)
    scores = stub.Score(pb.ScoreRequest(model="toy-aware", images=[image], label=6)).scores
    assert scores.logits[0] == pytest.approx(6 + bare, abs=1e-4)


def test_models_tell_classes_and_the_kind_of_scorer(http, stub):
    models = {model["name"]: model for model in http.get("/models").json()["models"]}
    assert models["toy-digits"]["labels"] == list(DIGITS)
    kinds = {name: models[name]["score_kind"] for name in ("toy-digits", "toy-critic", "toy-once")}
    assert kinds == {"toy-digits": "discriminator", "toy-critic": "critic", "toy-once": None}
    for name in ("toy-group", "toy-moody"):
        assert "score" not in models[name]["operations"], "it cannot judge single images"
    described = stub.GetModel(pb.GetModelRequest(name="toy-digits")).model
    assert tuple(described.label_names) == DIGITS
    assert described.score_kind == pb.SCORE_KIND_DISCRIMINATOR
    listed = {model.name: model for model in stub.ListModels(pb.ListModelsRequest()).models}
    assert listed["toy-critic"].score_kind == pb.SCORE_KIND_CRITIC
