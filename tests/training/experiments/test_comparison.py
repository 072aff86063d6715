"""Comparing drawings: data are at the ideal, noise is not, intervals cover, and the command says so."""

from functools import partial

import numpy as np
import pytest
import torch

from pentimento.training.experiments.comparison import (
    compare_drawings,
    comparison_table,
    save_comparison_picture,
)
from pentimento.training.judging.classifier import ReportingClassifier
from pentimento.training.judging.frechet import frechet_distance
from pentimento.training.judging.measures import MEASURES


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)
    return ReportingClassifier(1, 28, 10).eval()


def chunked(images):
    return iter(images.split(30))


@pytest.fixture(scope="module")
def compared(dataset, classifier):
    data = torch.from_numpy(dataset.train.images[100:200]).float() / 255
    noise = torch.rand(100, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    sets = {"data": partial(chunked, data), "noise": partial(chunked, noise)}
    return compare_drawings(sets, dataset, classifier, rows=25, parts=4)


def test_noise_is_worse_than_data_by_every_distance(compared):
    for key in ("mmd", "mmd_squared", "frechet", "neighbour_drawn"):
        assert compared.verdict("noise", key) == "worse", key
        assert compared.verdict("training images", key) in ("undecided", "better", "worse")
    assert compared.figures["noise"]["neighbour_drawn"].mean == 0
    assert all(compared.differences["data"][key] == (0, 0) for key in MEASURES)


def test_the_interval_is_students_over_the_parts(compared, dataset, classifier):
    data = torch.from_numpy(dataset.train.images[100:200]).float() / 255
    test = torch.from_numpy(dataset.test.images[:100]).float() / 255
    values = [
        frechet_distance(classifier.features(a).numpy(), classifier.features(b).numpy())
        for a, b in zip(test.split(25), data.split(25), strict=True)
    ]
    found = compared.figures["data"]["frechet"]
    assert found.mean == pytest.approx(np.mean(values), rel=1e-4)
    assert found.half == pytest.approx(3.182 * np.std(values, ddof=1) / 2, rel=1e-3)


def test_the_table_and_the_picture_have_all(compared, tmp_path):
    table = comparison_table(compared)
    assert table.splitlines()[0] == "| measure | data | noise | training images |"
    assert len(table.splitlines()) == 2 + len(MEASURES) and "worse" in table
    save_comparison_picture(tmp_path / "a" / "comparison.png", compared)
    assert (tmp_path / "a" / "comparison.png").read_bytes()[:4] == b"\x89PNG"


def test_some_measures_are_left_out(dataset, classifier, tmp_path):
    data = torch.from_numpy(dataset.train.images[:40]).float() / 255
    few = compare_drawings(
        {"data": partial(chunked, data)}, dataset, classifier, rows=20, parts=2, names=["recall", "frechet"]
    )
    assert [line.split(" (")[0] for line in comparison_table(few).splitlines()[2:]] == [
        "| Fréchet distance",
        "| recall",
    ]
    save_comparison_picture(tmp_path / "few.png", few)


@pytest.mark.parametrize(
    ("rows", "parts", "sentence"),
    [
        (1000, 2, "2 parts of 1000 need 2000 test images"),
        (25, 1, "need at least 2 parts of at least 4 images, got 1 of 25"),
        (25, 4, "4 parts of 25 need 100 drawings, few has 30"),
        (15, 2, "classifier_score needs at least 20 images of data, got 15"),
    ],
)
def test_too_few_images_are_refused(dataset, classifier, rows, parts, sentence):
    few = {"few": partial(chunked, torch.rand(30, 1, 28, 28))}
    with pytest.raises(ValueError, match=sentence):
        compare_drawings(few, dataset, classifier, rows=rows, parts=parts)
