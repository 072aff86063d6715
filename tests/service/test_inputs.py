"""How a request becomes jobs: in parts that fit a call, and that all lanes can draw at once."""

import numpy as np
import pytest

from service.inputs import Inputs
from service.job import Call


class Graph:
    label = "toy/step"

    def __init__(self, efficient_rows, max_rows):
        self.efficient_rows, self.max_rows = efficient_rows, max_rows


@pytest.mark.parametrize(
    ("n", "lanes", "limits", "parts"),
    [
        (1, 2, [(8, 32)], [1]),
        (15, 2, [(8, 32)], [15]),  # two parts would be less efficient
        (16, 2, [(8, 32)], [8, 8]),
        (64, 2, [(8, 32)], [32, 32]),
        (65, 2, [(8, 32)], [21, 22, 22]),  # 32 is all that a call may take
        (16, 1, [(8, 32)], [16]),
        (
            16,
            4,
            [(64, 64), (8, 64), (8, 64)],
            [8, 8],
        ),  # one call counts less than two
        (16, 4, [(64, 64), (4, 32)], [4] * 4),
        (7, 4, [(1, 1)], [1] * 7),
    ],
)
def test_parts(n, lanes, limits, parts):
    graphs = {each: Graph(*each) for each in limits}
    plan = [Call(graph=graphs[each]) for each in limits]
    label = np.arange(n)
    start = Inputs(n=n, given={"label": label}, noise=lambda rows: {"z": np.array(rows)})
    submissions = start.submissions(plan, lanes)
    assert [each.rows for each in submissions] == parts
    for name in ("label", "z"):
        np.testing.assert_array_equal(np.concatenate([each.tensors[name] for each in submissions]), label)
