"""Detection of held-out images: the area is that of the definition, and chance gives the prevalence."""

import numpy as np
import pytest

from pentimento.training.judging.detection import detect


def exact(known, held_out):
    """Mean over positives of the precision among all scores at least as high."""
    both = np.concatenate([known, held_out])
    return np.mean([(held_out >= score).sum() / (both >= score).sum() for score in held_out])


def test_the_area_is_the_mean_precision_at_the_positives():
    draw = np.random.default_rng(3)
    known, held_out = draw.normal(size=30), draw.normal(1, 1, size=12)
    found = detect(known, held_out, seed=1)
    assert found.aupr == pytest.approx(exact(known, held_out), abs=1e-12)
    assert (found.rows, found.prevalence) == (42, pytest.approx(12 / 42))
    assert 0 <= found.low < found.aupr < found.high <= 1
    tied_known, tied_out = known.round(), held_out.round()
    assert detect(tied_known, tied_out, seed=1).aupr == pytest.approx(exact(tied_known, tied_out), abs=1e-12)


def test_what_is_known_and_what_is_chance():
    known, held_out = np.arange(90.0), np.arange(100.0, 110.0)
    assert detect(known, held_out, seed=1).aupr == pytest.approx(1)
    assert detect(np.zeros(90), np.zeros(10), seed=1).aupr == pytest.approx(0.1)
    assert detect(known, -held_out, seed=1).aupr < 0.1


def test_the_same_seed_gives_the_same_interval():
    draw = np.random.default_rng(5)
    known, held_out = draw.normal(size=50), draw.normal(1, 1, size=20)
    assert detect(known, held_out, seed=1) == detect(known, held_out, seed=1)
    assert detect(known, held_out, seed=1)[:1] == detect(known, held_out, seed=2)[:1]


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match="at least 10 rows of each set, got 9"):
        detect(np.arange(20.0), np.arange(9.0), seed=1)
    with pytest.raises(ValueError, match="scores must be finite numbers, got 1 that are not"):
        detect(np.array([*range(20), np.nan]), np.arange(10.0), seed=1)
