"""Battles of GANs by the generative adversarial metric, one by one or all against all.

Bundles come as files, and are asked in ONNX Runtime: who made them, and with what, does not matter. Those
whose scorer has an error rate on others' pictures meet in battles (`judging.battle`). Those without one are
judged by the others: every bundle has duels before the discriminators of others (`judging.standings`). A
critic has no error rate, so a bundle with one is one of these: its drawings are judged, and it judges nobody.
"""

__all__ = ["Tournament", "battle_of", "play_tournament", "refuse_battle", "refuse_entries"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pentimento.bundle.manifest import Manifest
from pentimento.bundle.store import Bundle
from pentimento.training.data.datasets import Dataset
from pentimento.training.experiments.readings import TEST, TRAINING, ReadingPlan, Readings, read_pictures
from pentimento.training.export.scoring import reason_against
from pentimento.training.judging.battle import Battle, Corner, drawing_errors, meet
from pentimento.training.judging.standings import Standing, duel_shares


@dataclass(frozen=True, kw_only=True, slots=True)
class Tournament:
    """Everybody's battles and duels.

    Attributes:
        names: All bundles, the best first; those without a duel come last.
        judges: Those whose scorer judged others, in the same order.
        passed: Judge, and a bundle or `TEST` or `TRAINING` -> share of the pictures that it took for data.
        battles: First and second judge -> their battle as the first sees it; each pair stands in both orders.
        standings: Of each bundle, and of `TEST` and `TRAINING`, which count for nobody.
        reasons: Why a bundle judges nobody, or not somebody: a sentence each.
    """

    names: tuple[str, ...]
    judges: tuple[str, ...]
    passed: Mapping[tuple[str, str], float]
    battles: Mapping[tuple[str, str], Battle]
    standings: Mapping[str, Standing]
    reasons: tuple[str, ...]


def refuse_entries(manifests: Sequence[Manifest]) -> None:
    """Raises a ValueError unless all draw, pictures of one shape, under different names."""
    seen: dict[str, Manifest] = {}
    for manifest in manifests:
        if manifest.name in seen:
            raise ValueError(f"two bundles are called {manifest.name!r}; give each another name")
        if manifest.drawing is None:
            raise ValueError(f"bundle {manifest.name!r} does not draw")
        first = next(iter(seen.values()), manifest)
        if manifest.image.shape != first.image.shape:
            shapes = ("x".join(map(str, each.image.shape)) for each in (first, manifest))
            said = ", ".join(f"{each.name} {s}" for each, s in zip((first, manifest), shapes, strict=True))
            raise ValueError(f"the bundles must draw images of one shape, got {said}")
        seen[manifest.name] = manifest


def refuse_battle(first: Manifest, second: Manifest, dataset: Dataset | None = None) -> None:
    """Raises a ValueError unless each can judge the other's drawings, and the test images of a data set."""
    for judge, rival in ((first, second), (second, first)):
        names = rival.labels.names if rival.labels else None
        reason = reason_against(judge, names, f"drawings of {rival.name}")
        if reason is None and dataset is not None:
            reason = reason_against(judge, dataset.class_names or None, TEST)
        if reason is not None:
            raise ValueError(reason)


def battle_of(first: Manifest, second: Manifest, readings: Readings, tolerance: float) -> Battle:
    """Counts the battle of two bundles.

    Args:
        first: It draws, and judges the other: see `refuse_battle`.
        second: Likewise.
        readings: Of both.
        tolerance: Of the test ratio.
    """
    corners = []
    for judge, rival in ((first, second), (second, first)):
        assert judge.scorer is not None
        corners.append(
            Corner(
                real_label=judge.scorer.real_label,
                test=readings.logits[judge.name, TEST],
                rival=readings.logits[judge.name, rival.name],
            )
        )
    return meet(*corners, tolerance=tolerance)


def play_tournament(
    bundles: Sequence[Bundle],
    dataset: Dataset,
    plan: ReadingPlan,
    *,
    tolerance: float,
    folder: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Tournament:
    """Lets all bundles meet.

    Args:
        bundles: At least two.
        dataset: Of their shape.
        plan: How many pictures.
        tolerance: Of the test ratio, see `judging.battle`.
        folder: Where readings are kept; None: nowhere.
        progress: Called with a sentence at each part of the work.

    Raises:
        ValueError: There are too few bundles or images, the bundles cannot meet, or none of them judges.
    """
    if len(bundles) < 2:
        raise ValueError(f"a tournament needs at least 2 bundles, got {len(bundles)}")
    manifests = {bundle.manifest.name: bundle.manifest for bundle in bundles}
    refuse_entries([bundle.manifest for bundle in bundles])
    against = {
        name: reason_against(manifest, dataset.class_names or None, TEST)
        for name, manifest in manifests.items()
    }
    judging = [name for name, reason in against.items() if reason is None]
    if not judging:
        said = next(iter(against.values()))
        raise ValueError(f"none of the {len(bundles)} bundles judges pictures of others: {said}")
    readings = read_pictures(bundles, dataset, plan, folder=folder, progress=progress)
    passed = _passed(manifests, readings)
    standings = _standings(list(manifests), judging, passed, plan.rows)
    # A share that is not a number comes last: there was no duel.
    order = sorted(manifests, key=lambda name: -np.nan_to_num(standings[name].share, nan=-1.0))
    judges = tuple(name for name in order if name in judging)
    return Tournament(
        names=tuple(order),
        judges=judges,
        passed=passed,
        battles=_battles(judges, manifests, readings, tolerance),
        standings=standings,
        reasons=_reasons(readings),
    )


def _passed(manifests: Mapping[str, Manifest], readings: Readings) -> dict[tuple[str, str], float]:
    passed = {}
    for (judge, pictures), logits in readings.logits.items():
        scorer = manifests[judge].scorer
        assert scorer is not None  # it said something
        passed[judge, pictures] = drawing_errors(logits, scorer.real_label).rate
    return passed


def _standings(
    names: list[str], judges: list[str], passed: Mapping[tuple[str, str], float], rows: int
) -> dict[str, Standing]:
    drawers = [*names, TEST, TRAINING]
    fooled = np.array(
        [[round(rows * passed.get((judge, name), 0)) for judge in judges] for name in drawers], np.int64
    )
    judged = np.array(
        [[name != judge and (judge, name) in passed for judge in judges] for name in drawers], bool
    )
    rivals = np.array([name in names for name in drawers], bool)
    return dict(zip(drawers, duel_shares(fooled, rows, judged, rivals), strict=True))


def _battles(
    judges: Sequence[str], manifests: Mapping[str, Manifest], readings: Readings, tolerance: float
) -> dict[tuple[str, str], Battle]:
    battles = {}
    for first in judges:
        for second in judges:
            both = (first, second) in readings.logits and (second, first) in readings.logits
            if first != second and both:
                battles[first, second] = battle_of(manifests[first], manifests[second], readings, tolerance)
    return battles


def _reasons(readings: Readings) -> tuple[str, ...]:
    """Each sentence once: a scorer that judges nobody has the same one for all pictures."""
    return tuple(dict.fromkeys(readings.reasons.values()))
