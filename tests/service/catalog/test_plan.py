"""Plans: a manifest's drawing, which is data, as a sequence of graph calls."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentimento.bundle.store import read_manifest
from pentimento.service.catalog.kept_plans import KeptPlans
from pentimento.service.catalog.plan import Judge, plan_drawing, plan_score, shown_calls


class Named:
    max_rows = 8

    def __init__(self, label):
        self.label = label

    def run(self, feeds):
        raise AssertionError


def plan(toys, name, steps, judge=None):
    manifest = read_manifest(toys / name)
    graphs = {graph: Named(graph) for graph in manifest.graphs}
    return plan_drawing(manifest, graphs, steps=steps, judge=judge)


@given(calls=st.integers(1, 64), data=st.data())
def test_shown_calls_reveal_even_parts(calls, data):
    steps = data.draw(st.integers(1, calls))
    shown = shown_calls(calls, steps)
    assert list(shown.values()) == list(range(1, steps + 1))
    ends = [-1, *shown]
    assert ends[-1] == calls - 1
    sizes = [b - a for a, b in itertools.pairwise(ends)]
    assert max(sizes) - min(sizes) <= 1


def test_a_recurrent_drawing_calls_its_step_once_a_canvas(toys):
    calls = plan(toys, "toy-steps", 3)
    assert [(c.graph.label, c.t, c.step, c.emits) for c in calls] == [
        ("init", 0, 0, ()),
        ("step", 0, 1, ("canvas",)),
        ("step", 1, 2, ("canvas",)),
        ("step", 2, 3, ("canvas",)),
    ]
    assert calls[0].keeps == {"next.canvas": "state.canvas"}
    assert calls[2].feeds["z"].index == 1  # noise per call: the slice of this call
    assert calls[0].feeds["latent"].index is None


def test_a_one_shot_generator_is_a_drawing_of_one_step(toys):
    (call,) = plan(toys, "toy-once", 1)
    assert (call.step, call.emits, call.takes_t) == (1, ("canvas",), False)


@pytest.mark.parametrize(("steps", "shown"), [(1, [5]), (2, [2, 5]), (3, [1, 3, 5]), (4, [1, 2, 4, 5])])
def test_a_row_model_makes_all_its_calls_and_shows_some(toys, steps, shown):
    calls = [call for call in plan(toys, "toy-rows", steps) if call.graph.label == "step"]
    assert len(calls) == 6
    assert [call.t for call in calls if call.emits] == shown


def test_scores_follow_every_shown_canvas_and_leave_with_it(toys):
    calls = plan(toys, "toy-steps", 2, judge=Judge(graph=Named("other/score")))
    assert [(c.graph.label, c.step, c.emits) for c in calls[1:]] == [
        ("step", 1, ()),
        ("other/score", 1, ("canvas", "logit")),
        ("step", 2, ()),
        ("other/score", 2, ("canvas", "logit")),
    ]


def test_given_images_are_scored_in_one_call():
    (call,) = plan_score(Judge(graph=Named("score")))
    assert call.feeds["image"].tensor == "image" and call.emits == ("logit",)


def test_a_judge_of_classes_is_fed_the_label_beside_the_canvas(toys):
    judge = Judge(graph=Named("other/score"), takes=("label",))
    call = plan(toys, "toy-labels", 1, judge=judge)[-1]
    assert {name: feed.tensor for name, feed in call.feeds.items()} == {"image": "canvas", "label": "label"}
    assert plan_score(judge)[0].feeds["label"].tensor == "label"


def test_plans_that_are_kept_are_bounded_in_calls(toys, monkeypatch):
    monkeypatch.setattr("pentimento.service.catalog.kept_plans.MOST_CALLS", 60)
    plans = KeptPlans()
    for steps in range(1, 17):
        made = plans.get(steps, None, lambda steps=steps: plan(toys, "toy-steps", steps))
        assert plans.calls <= 60
        assert plans.get(steps, None, not_again) is made
    assert plans.get(15, None, not_again)
    assert plans.get(1, None, lambda: plan(toys, "toy-steps", 1)), "it was forgotten"
    assert plans.get(15, None, not_again), "it was used of late"


def test_a_plan_that_is_longer_than_all_that_may_be_kept_is_kept_alone(toys, monkeypatch):
    monkeypatch.setattr("pentimento.service.catalog.kept_plans.MOST_CALLS", 3)
    plans = KeptPlans()
    for steps in (1, 8):
        made = plans.get(steps, None, lambda steps=steps: plan(toys, "toy-steps", steps))
        assert plans.get(steps, None, not_again) is made
    assert plans.calls == len(made)


def not_again():
    raise AssertionError("it was kept")
