"""Nested lists of numbers: read as numpy would, refused by what they are, and no further than needed."""

import numpy as np
import pytest

from pentimento.service.errors import PentimentoError
from pentimento.service.operations import numbers
from pentimento.service.operations.numbers import read_numbers


@pytest.mark.parametrize("shape", [(1, 1), (3, 4), (2, 1, 6, 8), (5,), (1, 40_000), (700, 1, 30)])
@pytest.mark.parametrize("at_once", [1 << 14, 7])
def test_numbers_are_read_as_they_are(shape, at_once, monkeypatch):
    monkeypatch.setattr(numbers, "_AT_ONCE", at_once)
    array = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    for given in (array.tolist(), array, array.astype(np.float64), tuple(array.tolist())):
        read = read_numbers(given, shape, "latents.z")
        assert read.dtype == np.float32 and np.array_equal(read, array)


def test_whole_numbers_are_read_and_what_is_too_large_is_infinite():
    assert read_numbers([[1, 2.5], [-3, 10**30]], (2, 2), "z").tolist() == [[1, 2.5], [-3, np.float32(1e30)]]
    assert np.isinf(read_numbers([1, 10**39], (2,), "z")[1])
    assert np.isinf(read_numbers([[10**400]], (1, 1), "z")).all()


@pytest.mark.parametrize(
    "given",
    ["word", {}, None, True, [["a"]], [[True]], [[0.5, None]], [[{}]], [[1], [2, 3]], [1, [2]], [[1], "a"],
     np.array([["a"]]), np.array([[True]]), np.array([[None]])],
)  # fmt: skip
def test_what_is_no_number_is_refused(given):
    with pytest.raises(PentimentoError, match=r"latents\.z must be numbers in nested lists of even lengths"):
        read_numbers(given, (2, 2), "latents.z")


@pytest.mark.parametrize(
    ("given", "got"),
    [
        ([], (0,)),
        (5, ()),
        ([1, 2], (2,)),
        ([[[]]], (1, 1, 0)),
        (np.ones((2, 3)), (2, 3)),
        (np.float32(1), ()),
    ],
)
def test_another_shape_is_refused(given, got):
    with pytest.raises(PentimentoError) as error:
        read_numbers(given, (2, 2), "z")
    assert error.value.message == f"z must have shape (2, 2), got {got}"


class Unread(list):
    """Long, and of no use: who looks beyond its first entry has too much to do."""

    def __iter__(self):
        pytest.fail("it was looked through")

    def __getitem__(self, index):
        return super().__getitem__(index) if index == 0 else pytest.fail("it was looked through")


@pytest.mark.parametrize(
    ("many", "got"),
    [
        (Unread(["word"] * 1000), (1000,)),
        (Unread([[1.0]] * 1000), (1000, 1)),
        (Unread([[]] * 1000), (1000, 0)),
        ([[1.0] * 1000], (1, 1000)),
        ([[[]] * 1000], (1, 1000, 0)),
    ],
)
def test_of_more_than_the_shape_has_nothing_is_looked_at(many, got, monkeypatch):
    monkeypatch.setattr(np, "asarray", lambda *_, **__: pytest.fail("numpy saw it"))
    with pytest.raises(PentimentoError) as error:
        read_numbers(many, (1, 60), "z")
    assert error.value.message == f"z must have shape (1, 60), got {got}"
