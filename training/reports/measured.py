"""The measures of the table, of drawings and of test images in their place."""

__all__ = ["measures_beside_images"]

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pentimento.training.judging.instruments import Instrument
from pentimento.training.judging.measurement import Measurement
from pentimento.training.judging.measures import MEASURES
from pentimento.training.judging.measuring import left_out, measure_drawings
from pentimento.training.reports.examiner import Examiner


def measures_beside_images(examiner: Examiner) -> dict[str, Any]:
    """Measures drawings against one half of the test images, and the other half in the same way.

    What one instrument measures is kept together, whether all of it is asked for or not.

    Returns:
        By name, figures of `drawings` and of `test_images`, and why a measure is `left_out`.
    """
    rows, without = examiner.half, examiner.plan.without
    reasons = {name: reason for name in MEASURES if (reason := left_out(name, rows, rows))}
    asked = [name for name in MEASURES if name not in reasons]
    reasons |= {name: "--without" for name in MEASURES if name in without}
    together: dict[Instrument, list[str]] = {}
    for name in asked:
        together.setdefault(MEASURES[name].instrument, []).append(name)
    found: dict[str, dict[str, Any]] = {"drawings": {}, "test_images": {}}
    for names in together.values():
        if any(name not in reasons for name in names):
            measured = _both(examiner, names)
            for kind, figures in found.items():
                figures |= measured[kind]
    return {
        kind: {name: figures[name] for name in MEASURES if name in figures and name not in reasons}
        for kind, figures in found.items()
    } | {"left_out": reasons}


def _both(examiner: Examiner, names: list[str]) -> dict[str, Any]:
    words = f"Measuring {', '.join(MEASURES[name].title for name in names)}"

    def measure() -> dict[str, Any]:
        drawn = measure_drawings(examiner.data, examiner.drawn, names, seed=examiner.plan.seed)
        examiner.progress(f"{words} of test images")
        images = measure_drawings(examiner.data, examiner.others, names, seed=examiner.plan.seed)
        return {"drawings": _plain(drawn), "test_images": _plain(images)}

    return examiner.part("measures", words, measure, names=names, space=examiner.space)


def _plain(figures: Mapping[str, Measurement]) -> dict[str, Any]:
    return {name: asdict(figure) for name, figure in figures.items()}
