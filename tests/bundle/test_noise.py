"""Noise: a function of seed, name and row, and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentimento.bundle import noise
from pentimento.bundle.noise import MAX_SEED, draw

seeds = st.integers(0, MAX_SEED)


@given(seed=seeds, n=st.integers(1, 9), first=st.integers(0, 8))
@settings(max_examples=50, deadline=None)
def test_a_row_does_not_depend_on_the_batch(seed, n, first):
    whole = draw(seed, "latent", (3, 5), rows=range(first + n))
    part = draw(seed, "latent", (3, 5), rows=range(first, first + n))
    assert np.array_equal(whole[first:], part)


@given(seed=seeds, short=st.integers(1, 6), extra=st.integers(0, 6))
@settings(max_examples=50, deadline=None)
def test_a_short_drawing_starts_like_a_long_one(seed, short, extra):
    few = draw(seed, "noise", (short, 7), rows=range(2))
    many = draw(seed, "noise", (short + extra, 7), rows=range(2))
    assert np.array_equal(few, many[:, :short])


@given(
    start=st.integers(0, 300),
    size=st.integers(1, 300),
    at_once=st.integers(1, 700),
    prior=st.sampled_from(["normal", "uniform"]),
)
@settings(max_examples=100, deadline=None)
def test_a_long_row_is_the_same_in_parts(start, size, at_once, prior):
    whole = draw(7, "eps", (600,), rows=range(2, 5), prior=prior)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "_AT_ONCE", at_once)
        assert np.array_equal(draw(7, "eps", (600,), rows=range(2, 5), prior=prior), whole)
        part = draw(7, "eps", (size,), rows=range(2, 5), prior=prior, start=start)
    assert np.array_equal(part, whole[:, start : start + size])


def test_seeds_names_and_rows_are_independent():
    base = draw(1, "latent", (1000,), rows=range(2))
    others = [
        draw(2, "latent", (1000,), rows=range(1))[0],
        draw(1, "noise", (1000,), rows=range(1))[0],
        base[1],
    ]
    for other in others:
        assert abs(np.corrcoef(base[0], other)[0, 1]) < 0.12  # 4 standard errors of 1000 independent pairs


def test_normals_are_standard_normal():
    values = draw(7, "latent", (1000,), rows=range(200)).ravel().astype(np.float64)
    assert abs(values.mean()) < 5 / np.sqrt(values.size)
    assert abs(values.std() - 1) < 5 / np.sqrt(2 * values.size)
    # the share beyond two sigma is 4.55 %
    assert abs((np.abs(values) > 2).mean() - 0.0455) < 5 * np.sqrt(0.0455 * 0.9545 / values.size)
    assert np.isfinite(values).all()


def test_uniforms_lie_strictly_inside_zero_and_one():
    values = draw(7, "u", (1000,), rows=range(500), prior="uniform")
    assert values.dtype == np.float32
    assert 0 < values.min() and values.max() < 1
    assert abs(values.astype(np.float64).mean() - 0.5) < 5 / np.sqrt(12 * values.size)


def test_the_stream_is_pinned():
    """Pictures are reproduced by seed across releases: these values may never change."""
    values = draw(5, "latent", (4,), rows=range(2))
    expected = np.array(PINNED, dtype=np.float32)
    np.testing.assert_allclose(values, expected, rtol=1e-6)


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValueError, match=r"seed must be 0\.\."):
        draw(seed, "latent", (1,), rows=range(1))


PINNED = [
    [2.0089218616485596, -0.43617963790893555, -1.9489837884902954, 0.2849305272102356],
    [0.5312567353248596, 0.010305310599505901, 1.4243501424789429, -1.2977460622787476],
]
