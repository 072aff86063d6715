"""What was measured is kept, and found only where all that decides it is the same."""

import pytest

from pentimento.bundle.store import read_bundle
from pentimento.training.reports.drawings import shown_steps
from pentimento.training.reports.evaluation import evaluate_bundle
from pentimento.training.reports.examiner import EvaluationPlan, make_examiner
from tests.service.toys import write_steps
from tests.training.reports.conftest import SHAPE


@pytest.fixture
def evaluated(dataset, cache):
    """Evaluates a bundle, and gives what was found with what was said meanwhile."""

    def evaluate(bundle, *, fresh=False, whole=True, **plan):
        said = []
        settings = EvaluationPlan(**{"rows": 20, "seed": 1, "steps": 2, **plan})
        examiner = make_examiner(bundle, dataset, settings, fresh=fresh, progress=said.append)
        return evaluate_bundle(examiner, whole=whole), said

    return evaluate


def draws(said):
    return any("draws" in sentence for sentence in said)


def measures(said):
    return any(sentence.startswith(("Measuring", "Judging")) for sentence in said)


def test_what_is_kept_needs_no_drawing(evaluated, toy):
    first, said = evaluated(toy)
    assert "toy draws: 20 of 20" in said and measures(said)
    again, silent = evaluated(toy)
    assert again == first and not draws(silent) and not measures(silent)
    less, silent = evaluated(toy, without=frozenset({"recall", "steps"}))
    assert not draws(silent) and not measures(silent), "the rest is the same"
    assert "recall" not in less.measures["drawings"] and less.steps == {}
    assert less.measures["left_out"]["recall"] == "--without"


def test_what_decides_a_figure_decides_what_is_found(evaluated, toy, dataset, tmp_path):
    first, _ = evaluated(toy, whole=False)
    other, said = evaluated(toy, whole=False, seed=2)
    assert draws(said) and other != first
    assert draws(evaluated(toy, whole=False, rows=21)[1])
    assert draws(evaluated(toy, whole=False, steps=3)[1])
    write_steps(tmp_path / "other" / "toy", SHAPE, scorer=None, extra="fragile")
    changed = read_bundle(tmp_path / "other" / "toy")
    assert changed.manifest.name == toy.manifest.name
    assert draws(evaluated(changed, whole=False)[1]), "another graph under the same name"


def test_fresh_and_damaged_are_measured_again(evaluated, toy, cache):
    first, _ = evaluated(toy, whole=False)
    again, said = evaluated(toy, whole=False, fresh=True)
    assert draws(said) and again == first, "the same seed draws the same"
    for file in (cache / "evaluations").iterdir():
        file.write_text("{")
    again, said = evaluated(toy, whole=False)
    assert draws(said) and again == first
    assert not draws(evaluated(toy, whole=False)[1])


def test_interrupted_it_goes_on(dataset, cache, toy):
    """Parts that were measured before stay known."""
    plan, said = EvaluationPlan(rows=20, seed=1, steps=2), []

    def stop(sentence):
        said.append(sentence)
        if sentence.startswith("Measuring Fréchet"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate_bundle(make_examiner(toy, dataset, plan, fresh=False, progress=stop), whole=False)
    assert any(sentence.startswith("Measuring MMD") for sentence in said)
    later = []
    examiner = make_examiner(toy, dataset, plan, fresh=False, progress=later.append)
    evaluate_bundle(examiner, whole=False)
    assert not any(sentence.startswith(("Measuring MMD", "Judging")) for sentence in later)
    assert any(sentence.startswith("Measuring Fréchet") for sentence in later)


def test_steps_are_judged_beside_test_images(evaluated, toy):
    found, _ = evaluated(toy, steps=3)
    steps = found.steps
    assert steps["at"] == [1, 2, 3] and steps["rows"] == 20
    assert steps["drawings"].keys() == steps["test_images"].keys()
    assert {"confidence", "kl_to_data", "frechet", "precision", "coverage"} <= steps["drawings"].keys()
    assert all(len(values) == 3 for values in steps["drawings"].values())
    last = found.measures["drawings"]["frechet"]["value"]
    assert steps["drawings"]["frechet"][-1] == pytest.approx(last), "the last canvas is the drawing"
    assert steps["test_images"]["frechet"] == pytest.approx(found.measures["test_images"]["frechet"]["value"])
    once, _ = evaluated(toy, steps=1)
    assert once.steps == {} and "strips" not in once.pictures


def test_long_drawings_are_shown_at_twelve_steps():
    assert shown_steps(3) == [0, 1, 2]
    chosen = shown_steps(64)
    assert len(chosen) == 12 and chosen[0] == 0 and chosen[-1] == 63 and chosen == sorted(set(chosen))
