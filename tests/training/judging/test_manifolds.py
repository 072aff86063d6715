"""Precision, recall, density and coverage: by hand, as papers expect them, and by scikit-learn."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from pentimento.training.judging.manifolds import Manifold, manifold, manifold_errors


def line(*places):
    return np.array(places, dtype=float)[:, None]


def test_four_figures_by_hand():
    """Balls of one neighbour: data 0 (1), 1 (1), 3 (2), so up to 5; drawings 0.5 (1.5), 2 (1.5), 9 (7)."""
    found = manifold(line(0, 1, 3), line(0.5, 2, 9), ball_neighbours=1, count_neighbours=1)
    assert found.precision == pytest.approx(2 / 3)  # 9 lies in no ball
    assert found.recall == 1  # 0 and 1 lie around 0.5, 3 around 2
    # 0.5 lies in the balls of 0 and 1; 2 in that of 3, and on 1's surface, which does not count; 9 in none.
    assert found.density == pytest.approx(3 / 3)
    assert found.coverage == 1  # 0.5 is near 0 and 1, 2 is near 3


def test_drawings_of_one_kind_are_precise_without_recall():
    draw = np.random.default_rng(5).standard_normal
    real = np.concatenate([draw((200, 2)), draw((200, 2)) + 20])
    narrow = manifold(real, draw((400, 2)))
    assert narrow.precision > 0.95 and narrow.recall < 0.55 and narrow.coverage < 0.55
    wide = manifold(real, np.concatenate([real[::2] + 1e-3, draw((200, 2)) + 100]))
    assert wide.precision == 0.5 and wide.recall > 0.95 and wide.density < 0.7
    assert manifold(real, real + 1000) == (0, 0, 0, 0)


def test_copies_of_the_data_have_every_figure_at_its_ideal():
    real = np.random.default_rng(1).standard_normal((50, 3))
    assert manifold(real, real.copy()) == Manifold(precision=1, recall=1, density=1, coverage=1)


def test_an_outlier_makes_precision_high_and_density_low():
    """Its ball holds all drawings, which are far from everything else."""
    draw = np.random.default_rng(2).standard_normal
    real = np.concatenate([0.1 * draw((100, 2)), [[10.0, 0.0]]])
    found = manifold(real, 0.1 * draw((100, 2)) + [5.0, 5.0])
    assert found.precision == 1 and found.density == pytest.approx(1 / 5) and found.coverage < 0.05


def test_equal_distributions_have_the_expected_density_and_coverage():
    """Density 1; coverage 1 - (N - 1)...(N - k) / (M + N - 1)...(M + N - k) (Naeem et al., 2020)."""
    draw = np.random.default_rng(3).standard_normal
    found = np.mean([manifold(draw((60, 4)), draw((80, 4))) for _ in range(300)], axis=0)
    k = np.arange(1, 6)
    assert found[2] == pytest.approx(1, abs=0.02)
    assert found[3] == pytest.approx(1 - np.prod((60 - k) / (140 - k)), abs=0.005)


def test_the_figures_are_those_of_neighbour_trees():
    draw = np.random.default_rng(4).standard_normal
    real, drawn = draw((80, 5)), 0.8 * draw((70, 5)) + 0.3

    def radii(of, k):
        return NearestNeighbors(n_neighbors=k + 1).fit(of).kneighbors(of)[0][:, k]

    between = np.linalg.norm(real[:, None] - drawn[None], axis=-1)
    found = manifold(real, drawn)
    assert found.precision == (between <= radii(real, 3)[:, None]).any(0).mean()
    assert found.recall == (between <= radii(drawn, 3)).any(1).mean()
    inside = between < radii(real, 5)[:, None]
    assert found.density == pytest.approx(inside.sum() / (5 * 70))
    assert found.coverage == inside.any(1).mean()


def test_too_few_rows_are_refused():
    draw = np.random.default_rng(0).standard_normal
    with pytest.raises(ValueError, match=r"neighbours must be 1\.\.4 for so many images, got 5"):
        manifold(draw((9, 2)), draw((5, 2)))
    with pytest.raises(ValueError, match=r"as many features of both, got \(9, 2\) and \(9, 3\)"):
        manifold(draw((9, 2)), draw((9, 3)))
    with pytest.raises(ValueError, match="at least 12 rows of each set, got 11"):
        manifold_errors(draw((20, 2)), draw((11, 2)), replicates=5, seed=0)
