"""Signs that a training fails: a figure that is not finite, mode collapse, a discriminator that has won."""

__all__ = ["Finding", "inspect_epoch", "inspect_evaluation", "inspect_iteration", "should_stop"]

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pentimento.training.judging.evaluation import Evaluation

_MIN_CLASSES_SHARE = 0.8  # so many of the data's classes must be drawn
_MAX_OVERSHARE = 3.0  # no class may be drawn this many times as often as an equal share
_MAX_KL = 0.3  # nats from the data's class shares
_SCORER_WON = 0.98  # its accuracy over an epoch, in 0..1
_PATIENCE = 2  # evaluations in a row


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A warning: what is wrong, as a kind and a sentence."""

    kind: Literal["diverged", "mode_collapse", "late_collapse", "scorer_won", "posterior_collapse", "leak"]
    message: str


def inspect_iteration(figures: Mapping[str, float]) -> Finding | None:
    """Finds divergence: a figure is no longer a finite number, and neither are the weights that made it."""
    for name, value in figures.items():
        if not math.isfinite(value):
            return Finding(kind="diverged", message=f"{name} became {value}; lower the rates")
    return None


def inspect_evaluation(evaluation: Evaluation) -> Finding | None:
    """Finds mode collapse: classes missing, one class too frequent, or shares far from the data's."""
    shares = evaluation.class_shares
    wanted = sum(share > 0 for share in evaluation.data_shares)
    drawn = sum(share > 0 for share in shares)
    if drawn < _MIN_CLASSES_SHARE * wanted:
        return Finding(kind="mode_collapse", message=f"only {drawn} of {wanted} classes are drawn")
    limit = max(_MAX_OVERSHARE / wanted, 1.5 * max(evaluation.data_shares))
    if wanted > 1 and max(shares) > limit:
        return Finding(
            kind="mode_collapse",
            message=f"class {shares.index(max(shares))} makes up {max(shares):.0%} of the drawings",
        )
    if evaluation.kl_to_data > _MAX_KL:
        return Finding(
            kind="mode_collapse",
            message=f"the class shares are {evaluation.kl_to_data:.2f} nats from the data's",
        )
    return None


def inspect_epoch(
    scorer_accuracy: float, generator_loss: float, previous_generator_loss: float | None
) -> Finding | None:
    """Finds a discriminator that has won: it is right nearly always, and the generator's loss still grows.

    Args:
        scorer_accuracy: Mean over the epoch, in 0..1.
        generator_loss: Mean over the epoch.
        previous_generator_loss: Mean over the epoch before; None in the first.
    """
    rising = previous_generator_loss is not None and generator_loss > previous_generator_loss
    if scorer_accuracy > _SCORER_WON and rising:
        return Finding(
            kind="scorer_won",
            message=f"the scorer is right on {scorer_accuracy:.1%} of the images and the generator's loss "
            "is rising; lower the scorer's rate or raise its dropout",
        )
    return None


def should_stop(history: Sequence[Evaluation]) -> Finding | None:
    """Finds late collapse: drawings were sound once, and have not been for two evaluations in a row.

    Args:
        history: All evaluations so far, the latest last.
    """
    recent, earlier = history[-_PATIENCE:], history[:-_PATIENCE]
    if len(recent) < _PATIENCE or not any(inspect_evaluation(past) is None for past in earlier):
        return None
    findings = [inspect_evaluation(evaluation) for evaluation in recent]
    if all(findings) and findings[-1] is not None:
        return Finding(
            kind="late_collapse",
            message=f"the drawings were sound before, and for {_PATIENCE} evaluations have not been: "
            f"{findings[-1].message}",
        )
    return None
