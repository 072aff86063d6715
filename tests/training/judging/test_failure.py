"""Failure detection on made-up drawings and figures."""

from dataclasses import replace

import pytest
import torch

from pentimento.training.judging.evaluation import Evaluation, summarise
from pentimento.training.judging.failure import inspect_epoch, inspect_evaluation, should_stop


def evaluation(collapsed=False, **changes):
    shares = [0.9, 0.1] + [0.0] * 8 if collapsed else [0.1] * 10
    sound = Evaluation(
        rows=100,
        step_count=2,
        class_shares=shares,
        data_shares=[0.1] * 10,
        kl_to_data=1.98 if collapsed else 0.0,
        confidence=0.9,
        canvas_means=[0.1, 0.1],
        canvas_deviations=[0.1, 0.1],
        step_changes=[0.1, 0.1],
    )
    return replace(sound, **changes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"class_shares": [1 / 7] * 7 + [0.0] * 3}, "only 7 of 10 classes are drawn"),
        ({"class_shares": [0.37] + [0.07] * 9}, "class 0 makes up 37% of the drawings"),
        ({"kl_to_data": 0.31}, "the class shares are 0.31 nats from the data's"),
    ],
)
def test_mode_collapse_is_told_in_a_sentence(changes, sentence):
    finding = inspect_evaluation(evaluation(**changes))
    assert finding is not None and finding.kind == "mode_collapse"
    assert finding.message == sentence


def test_sound_drawings_are_left_alone():
    assert inspect_evaluation(evaluation()) is None
    assert inspect_evaluation(evaluation(class_shares=[0.2, 0.05] + [0.09375] * 8, kl_to_data=0.08)) is None


def test_the_scorer_has_won_when_it_is_always_right_and_the_loss_rises():
    finding = inspect_epoch(0.99, 6.0, 5.0)
    assert finding is not None and finding.kind == "scorer_won"
    assert inspect_epoch(0.99, 5.0, 6.0) is None
    assert inspect_epoch(0.99, 5.0, None) is None
    assert inspect_epoch(0.80, 6.0, 5.0) is None


def test_late_collapse_needs_sound_drawings_before_and_two_bad_evaluations_in_a_row():
    sound, bad = evaluation(), evaluation(collapsed=True)
    assert should_stop([bad, bad, bad]) is None  # never was sound: still learning
    assert should_stop([sound, bad]) is None
    assert should_stop([sound, bad, sound]) is None
    finding = should_stop([bad, sound, bad, bad])
    assert finding is not None and finding.kind == "late_collapse"


def test_drawings_of_one_digit_only_are_found(dataset, shared_cache):
    """The whole way: pictures, classifier, histogram, finding."""
    from pentimento.training.judging.classifier import load_classifier

    classifier = load_classifier(dataset, torch.device("cpu"), shared_cache / "pentimento")
    images = torch.from_numpy(dataset.train.images).float() / 255
    labels = torch.from_numpy(dataset.train.labels)

    def judge(chosen):
        return summarise(iter([chosen[:, None]]), classifier, dataset)

    assert inspect_evaluation(judge(images)) is None
    finding = inspect_evaluation(judge(images[labels == 1]))
    assert finding is not None and finding.kind == "mode_collapse"
