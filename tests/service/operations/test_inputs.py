"""How a request becomes jobs: in parts that fit a call, and that all lanes can draw at once."""

import numpy as np
import pytest

from pentimento.service.engine.job import Call
from pentimento.service.operations.inputs import Inputs


class Graph:
    label = "toy/step"

    def __init__(self, max_rows):
        self.max_rows = max_rows


@pytest.mark.parametrize(
    ("n", "lanes", "limits", "parts"),
    [
        (1, 2, [32], [1]),
        (15, 2, [32], [15]),  # two parts would be too small
        (16, 2, [32], [8, 8]),
        (64, 2, [32], [32, 32]),
        (65, 2, [32], [21, 22, 22]),  # 32 is all that a call may take
        (16, 1, [32], [16]),
        (16, 4, [64, 32], [8, 8]),
        (7, 4, [1], [1] * 7),
    ],
)
def test_parts(n, lanes, limits, parts):
    plan = [Call(graph=Graph(most)) for most in limits]
    label = np.arange(n)
    start = Inputs(n=n, given={"label": label}, noise=lambda rows: {"z": np.array(rows)})
    submissions = [start.submission(plan, part) for part in start.parts(plan, lanes)]
    assert [each.rows for each in submissions] == parts
    for name in ("label", "z"):
        np.testing.assert_array_equal(np.concatenate([each.tensors[name] for each in submissions]), label)
