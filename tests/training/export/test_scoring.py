"""A scorer about pictures of others: what it says, as its data were, and why some cannot judge them."""

import re

import numpy as np
import pytest

from pentimento.bundle.noise import draw
from pentimento.training.export.scoring import PictureScorer, reason_against
from tests.training.experiments.battle_toys import CLASSES, write_toy


@pytest.mark.parametrize(
    ("changes", "classes", "words"),
    [
        ({"kind": None}, None, "bundle 'toy' has no scorer, so it judges nobody"),
        ({"kind": "critic"}, None, "is a critic, whose numbers have no zero"),
        (
            {"takes": ("latent",)},
            None,
            "together with 'latent', which pictures of others do not have",
        ),
        ({"takes": ("t", "latent")}, None, "together with 't' and 'latent'"),
        ({"takes": ("label",), "labels": CLASSES}, None, "with its class, and drawings of B have none"),
        (
            {"takes": ("label",), "labels": CLASSES},
            CLASSES[:4],
            "knows 10 classes, and drawings of B have 4",
        ),
        (
            {"takes": ("label",), "labels": ("a", "b")},
            ("a", "c"),
            "a class 'b', which drawings of B call 'c'",
        ),
    ],
)
def test_who_cannot_judge_others_is_said_in_a_sentence(tmp_path, changes, classes, words):
    bundle = write_toy(tmp_path / "toy", **changes)
    reason = reason_against(bundle.manifest, classes, "drawings of B")
    assert re.search(words, reason), reason
    assert reason.count(".") == 0


@pytest.mark.parametrize(
    ("changes", "classes"),
    [
        ({}, None),
        ({}, ("others",)),
        ({"labels": CLASSES}, None),  # it draws classes, and judges a picture without
        ({"takes": ("label",), "labels": CLASSES}, CLASSES),
    ],
)
def test_the_others_can(tmp_path, changes, classes):
    assert reason_against(write_toy(tmp_path / "toy", **changes).manifest, classes, "drawings") is None


def test_it_says_what_the_graph_says_in_chunks_of_any_number(tmp_path):
    scorer = PictureScorer(write_toy(tmp_path / "toy", takes=("label",), labels=CLASSES))
    images = np.random.default_rng(0).random((513, 1, 8, 8), np.float32)
    labels = np.arange(513) % 10
    wanted = 20 * (images.mean((1, 2, 3)) - 0.5) + labels
    assert scorer.logits(images, labels) == pytest.approx(wanted, abs=1e-4)


def test_pictures_are_shown_as_the_data_of_the_scorer_were(tmp_path):
    images = np.random.default_rng(0).random((300, 1, 8, 8), np.float32)
    labels = np.zeros(300, np.int64)
    cut = PictureScorer(write_toy(tmp_path / "cut", binarisation="threshold")).logits(images, labels)
    assert cut == pytest.approx(20 * ((images >= 0.5).mean((1, 2, 3)) - 0.5), abs=1e-4)
    drawn = PictureScorer(write_toy(tmp_path / "drawn", binarisation="sample")).logits(images, labels)
    levels = draw(1, "binarisation", (1, 8, 8), rows=range(300), prior="uniform")
    assert drawn == pytest.approx(20 * ((levels < images).mean((1, 2, 3)) - 0.5), abs=1e-4)


def test_a_score_that_is_no_number_is_refused(tmp_path):
    scorer = PictureScorer(write_toy(tmp_path / "toy", gain=float("nan")))
    with pytest.raises(ValueError, match="the scorer of 'toy' says nan of picture 0"):
        scorer.logits(np.zeros((2, 1, 8, 8), np.float32), np.zeros(2, np.int64))
