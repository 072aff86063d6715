"""The table of measures: data are at the ideal, noise is not, and a figure says its features."""

import numpy as np
import pytest
import torch

from pentimento.training.judging.classifier import ReportingClassifier
from pentimento.training.judging.features import describe, hash_of_features
from pentimento.training.judging.measures import MEASURES
from pentimento.training.judging.measuring import left_out, measure_drawings, without


@pytest.fixture(scope="module")
def reporter():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ReportingClassifier(1, 28, 10).eval()


@pytest.fixture(scope="module")
def space(reporter, dataset):
    return hash_of_features(reporter, dataset)


@pytest.fixture(scope="module")
def data(reporter, dataset, space):
    images = torch.from_numpy(dataset.train.images).float() / 255
    return describe(images, reporter, space)


@pytest.fixture(scope="module")
def noise(reporter, space):
    images = torch.rand(60, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    return describe(images, reporter, space)


def test_images_are_described_as_the_classifier_sees_them(data, reporter, dataset):
    images = torch.from_numpy(dataset.train.images).float() / 255
    assert (data.features == reporter.features(images).numpy()).all()
    assert data.probabilities == pytest.approx(reporter.probabilities(images).numpy(), abs=1e-6)
    assert (data.pixels == images.flatten(1).numpy()).all()
    part = data[np.array([3, 1])]
    assert len(part) == 2 and (part.features == data.features[[3, 1]]).all() and part.space == data.space


def test_every_measure_says_interval_count_and_features(data, noise, space):
    found = measure_drawings(data[:60], data[60:120], replicates=20)
    worse = measure_drawings(data[:60], noise, replicates=20)
    assert list(found) == list(MEASURES) == list(worse)
    for name, figure in found.items():
        assert (figure.measure, figure.space, figure.rows, figure.data_rows) == (name, space, 60, 60)
        assert figure.low <= figure.value <= (figure.high or np.inf)
    for name in ("mmd", "mmd_squared", "frechet", "neighbour_drawn", "precision", "density", "coverage"):
        good, bad = found[name], worse[name]
        apart = bad.low > good.high if MEASURES[name].better < 0 else bad.high < good.low
        assert apart, name
    assert found["neighbour_real"].low < 0.5 < found["neighbour_real"].high


def test_every_measure_is_explained():
    for measure in MEASURES.values():
        assert measure.meaning.endswith(".") and measure.better in (-1, 1) and measure.needs >= 10


def test_a_measure_can_be_left_out_and_intervals_too(data):
    names = without(["birthday", "mmd"])
    found = measure_drawings(data[:30], data[30:60], names, replicates=0)
    assert list(found) == names and "mmd_squared" in found
    assert all(figure.low is None and figure.high is None for figure in found.values())
    again = measure_drawings(data[:30], data[30:60], names, replicates=12)
    assert [figure.value for figure in again.values()] == [figure.value for figure in found.values()]
    with pytest.raises(ValueError, match=r"measure must be one of mmd, .*, got 'inception'"):
        without(["inception"])


def test_measures_of_pairs_take_as_many_as_asked(data):
    found = measure_drawings(data[:80], data[80:150], ["mmd", "frechet"], replicates=0, paired_rows=40)
    assert (found["mmd"].rows, found["mmd"].data_rows) == (40, 40)
    assert (found["frechet"].rows, found["frechet"].data_rows) == (70, 80)
    alone = measure_drawings(data[:40], data[80:120], ["mmd"], replicates=0)
    assert alone["mmd"].value == found["mmd"].value


@pytest.mark.parametrize("name", MEASURES)
def test_fewer_images_than_a_measure_needs_are_refused(data, name):
    needs = MEASURES[name].needs
    measure_drawings(data[:needs], data[needs : 2 * needs], [name], replicates=5)
    with pytest.raises(ValueError, match=f"{name} needs at least {needs} drawings, got {needs - 1}"):
        measure_drawings(data[:needs], data[: needs - 1], [name])
    assert (
        left_out(name, needs - 1, needs) == f"{name} needs at least {needs} images of data, got {needs - 1}"
    )
    assert left_out(name, needs, needs) is None


def test_features_of_another_classifier_are_refused(data, dataset, reporter):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        other = ReportingClassifier(1, 28, 10).eval()
    space = hash_of_features(other, dataset)
    assert space != data.space == hash_of_features(reporter, dataset)
    seen = describe(torch.from_numpy(dataset.test.images).float() / 255, other, space)
    with pytest.raises(ValueError, match=f"the same features .*, got {space} and {data.space}"):
        measure_drawings(data, seen)
