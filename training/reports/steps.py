"""How the measures change as a drawing grows: every canvas is judged as if it were the last."""

__all__ = ["STEPS", "step_figures"]

from typing import Any

import numpy as np

from pentimento.training.judging.evaluation import class_divergence
from pentimento.training.judging.features import Described, describe
from pentimento.training.judging.measures import MEASURES
from pentimento.training.judging.measuring import left_out, measure_drawings
from pentimento.training.reports.drawings import STEP_ROWS
from pentimento.training.reports.examiner import Examiner

STEPS = "steps"  # as --without takes it
_NOT_STEPWISE = ("mmd", "birthday")  # MMD² says the same without a bias; near-duplicates need all drawings


def step_figures(examiner: Examiner) -> dict[str, Any]:
    """Figures of the canvases after each step, and of test images, of up to 1,000 of each.

    Nothing for a bundle that draws at once. Intervals are left away: those of the last step stand in the
    table, and of each step they would take as long as there.

    Returns:
        `at`, the steps from 1; `rows`; `drawings`, figures by name, a number a step; `test_images`, a number
        by name.
    """
    if examiner.drawings.step_count < 2 or STEPS in examiner.plan.without:
        return {}
    rows = min(examiner.half, STEP_ROWS)
    without = {*_NOT_STEPWISE, *examiner.plan.without}
    names = [name for name in MEASURES if name not in without and left_out(name, rows, rows) is None]
    return examiner.part(
        "steps",
        "Measuring step by step",
        lambda: _measure(examiner, rows, names),
        names=names,
        space=examiner.space,
    )


def _measure(examiner: Examiner, rows: int, names: list[str]) -> dict[str, Any]:
    steps = examiner.drawings.shown_steps
    canvases = examiner.drawings.stepwise[:rows]
    figures: dict[str, list[float]] = {}
    for place, step in enumerate(steps):
        examiner.progress(f"Measuring canvas {step + 1} of {steps[-1] + 1}")
        drawn = describe(canvases[:, place], examiner.reporter, examiner.space)
        for name, value in _figures(examiner, drawn, rows, names).items():
            figures.setdefault(name, []).append(value)
    return {
        "at": [step + 1 for step in steps],
        "rows": rows,
        "drawings": figures,
        "test_images": _figures(examiner, examiner.others[:rows], rows, names),
    }


def _figures(examiner: Examiner, images: Described, rows: int, names: list[str]) -> dict[str, float]:
    seen = np.bincount(images.probabilities.argmax(1), minlength=images.probabilities.shape[1]) / len(images)
    measured = measure_drawings(examiner.data[:rows], images, names, replicates=0, seed=examiner.plan.seed)
    return {
        "confidence": float(images.probabilities.max(1).mean()),
        "kl_to_data": class_divergence(seen, examiner.dataset.class_shares),
        **{name: figure.value for name, figure in measured.items()},
    }
