"""Rows of a batch: put below each other with as little copying as can be, and let go of when they must."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pentimento.service.engine.rows import Rows, stack

BASES = [np.arange(20, dtype=np.float32).reshape(10, 2) + 100 * k for k in range(3)]
part = st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(1, 4)).map(
    lambda t: Rows(BASES[t[0]], t[1], min(t[1] + t[2], 10))
)


@given(st.lists(part, min_size=1, max_size=8))
def test_stacking_is_concatenation(parts):
    stacked = stack(parts)
    assert stacked.tobytes() == np.concatenate([part.values for part in parts]).tobytes()
    assert stacked.flags.c_contiguous


def test_neighbours_in_one_array_are_not_copied():
    parts = [Rows(BASES[0], 2, 3), Rows(BASES[0], 3, 7), Rows(BASES[0], 7, 8)]
    assert np.shares_memory(stack(parts), BASES[0])
    assert not np.shares_memory(stack([*parts, Rows(BASES[0], 2, 3)]), BASES[0])


def test_owned_rows_keep_no_larger_array_alive():
    assert Rows(BASES[0], 2, 3).owned().base is None
    assert np.shares_memory(Rows.of(BASES[0].copy()).owned(), BASES[0]) is False
    whole = np.zeros((4, 2), np.float32)
    assert np.shares_memory(Rows.of(whole).owned(), whole)
    assert not np.shares_memory(Rows.of(whole[1:3]).owned(), whole)
