"""The client, labels, and whose scorer judges of which kind: blocking and asyncio, over HTTP and gRPC."""

import numpy as np
import pytest
from pentimento_client import Code, PentimentoError, ScoredBy

from pentimento.bundle.noise import draw
from pentimento.service.operations import codec
from tests.clients.conftest import Face, url_of
from tests.service.judging_toys import CRITIC_GAIN, DIGITS, one_shot, write_judging_toys
from tests.service.live import LiveServer
from tests.service.reading_toys import write_reading_toys
from tests.service.toys import LOGIT_GAIN, write_toys

PICTURE = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
UPPER = np.arange(6)[:, None].repeat(8, axis=1) < 3
CRITIC = ScoredBy(model="toy-critic", version="2.3.0")


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    bundles = tmp_path_factory.mktemp("judging")
    for write in (write_toys, write_reading_toys, write_judging_toys):
        write(bundles)
    server = LiveServer(bundles, default_model="toy-steps")
    yield server
    server.close()


@pytest.fixture(params=["http", "grpc"])
def url(request, live):
    return url_of(live, request.param)


@pytest.fixture(params=["sync", "async"])
def face(request, url):
    return Face(url, request.param)


def test_another_models_critic_judges_every_canvas(face):
    drawing = face.generate(n=3, steps=2, seed=4, score_by="toy-critic")
    assert (drawing.header.model, drawing.header.score_kind) == ("toy-steps", "critic")
    assert drawing.header.scored_by == CRITIC
    for frame in drawing.frames:
        assert (frame.scores.kind, frame.scores.probabilities) == ("critic", None)
        want = CRITIC_GAIN * (frame.arrays.mean(axis=(1, 2, 3)) - 0.5)
        np.testing.assert_allclose(frame.scores.logits, want, atol=CRITIC_GAIN * 0.5 / 255)


def test_the_own_scorer_says_who_it_is_and_nobody_does_when_not_asked(face):
    own = face.generate(seed=4, score=True)
    assert own.header.scored_by == ScoredBy(model="toy-steps", version="1.0.0")
    assert own.header.score_kind == own.frames[0].scores.kind == "discriminator"
    named = face.generate(seed=4, score_by="toy-steps")
    for frame, other in zip(own.frames, named.frames, strict=True):
        np.testing.assert_array_equal(frame.scores.logits, other.scores.logits)
        np.testing.assert_array_equal(frame.scores.probabilities, other.scores.probabilities)
    plain = face.generate(seed=4)
    assert (plain.header.score_kind, plain.header.scored_by, plain.frames[0].scores) == (None, None, None)


def test_pictures_that_are_drawn_again_are_judged_too(face):
    for drawing in (
        face.call("autoencode", PICTURE, "toy-code", samples=2, score_by="toy-critic"),
        face.call("complete", PICTURE, UPPER, "toy-black", n=2, score_by="toy-critic"),
    ):
        assert (drawing.header.scored_by, drawing.header.score_kind) == (CRITIC, "critic")
        assert all(frame.scores.logits.shape == (2,) for frame in drawing.frames)


@pytest.mark.parametrize("labels", [[7, 0, 9], (7, 0, 9), np.array([7, 0, 9])])
def test_a_class_for_each_image(face, labels):
    drawing = face.generate("toy-digits", seed=3, labels=labels)
    want = one_shot(draw(3, "latent", (4,), rows=range(3)), np.asarray(labels))
    np.testing.assert_array_equal(
        drawing.arrays[:, 0], codec.to_uint8(want).astype(np.float32) / np.float32(255)
    )
    again = face.generate("toy-digits", seed=3, label=0, n=3)
    np.testing.assert_array_equal(again.arrays[1], drawing.arrays[1])
    assert face.call("model", "toy-digits").labels == DIGITS


def test_a_critic_is_told_from_a_discriminator(face):
    critic = face.call("score", [PICTURE], "toy-critic")
    assert (critic.scores.kind, critic.scores.probabilities) == ("critic", None)
    kinds = {model.name: model.score_kind for model in face.call("models")}
    assert (kinds["toy-critic"], kinds["toy-steps"], kinds["toy-once"]) == ("critic", "discriminator", None)
    bare = LOGIT_GAIN * (PICTURE.mean() / 255 - 0.5)
    aware = face.call("score", [PICTURE], "toy-aware", label=6)
    assert aware.scores.kind == "discriminator"
    np.testing.assert_allclose(aware.scores.logits, [6 + bare], atol=1e-4)
    np.testing.assert_allclose(aware.scores.probabilities, 1 / (1 + np.exp(-aware.scores.logits)), atol=1e-6)


ERRORS = [
    ({"score_by": "nobody"}, Code.NOT_FOUND, "score_by", "'nobody' is not served here"),
    ({"score_by": ""}, Code.NOT_FOUND, "score_by", "'' is not served here"),
    ({"score_by": "toy-once"}, Code.UNSUPPORTED, "score_by", "cannot score; models that can: toy-aware"),
    ({"score_by": "toy-color"}, Code.INVALID_ARGUMENT, "score_by", "shape (3, 4, 5)"),
    ({"labels": [1]}, Code.INVALID_ARGUMENT, "labels", "is not conditional"),
    ({"model": "toy-digits", "labels": [1, 10]}, Code.INVALID_ARGUMENT, "labels[1]", "must be 0..9"),
    ({"model": "toy-digits", "labels": [1], "n": 2}, Code.INVALID_ARGUMENT, "labels", "must have 2 entries"),
    ({"model": "toy-digits", "labels": [1.5]}, Code.INVALID_ARGUMENT, "labels", "whole numbers"),
    ({"model": "toy-digits", "labels": []}, Code.INVALID_ARGUMENT, "labels", "one for each image"),
    ({"model": "toy-digits"}, Code.INVALID_ARGUMENT, "label", "0..9, one of 10 classes"),
    ({"model": "toy-critic", "steps": 5}, Code.INVALID_ARGUMENT, "steps", "draws in one step, got 5"),
]


@pytest.mark.parametrize(("options", "code", "field", "says"), ERRORS)
def test_errors_are_the_same_everywhere(face, options, code, field, says):
    with pytest.raises(PentimentoError) as caught:
        face.generate(**options)
    assert (caught.value.code, caught.value.field) == (code, field), caught.value.message
    assert says in caught.value.message
