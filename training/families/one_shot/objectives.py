"""Adversarial objectives: the losses of scorer and generator, apart from any architecture.

    gan      non-saturating (Goodfellow et al., 2014, arXiv:1406.2661; DCGAN: Radford et al., 2015,
             arXiv:1511.06434), with one-sided label smoothing (Salimans et al., 2016, arXiv:1606.03498)
    lsgan    least squares (Mao et al., 2016, arXiv:1611.04076)
    wgan     Wasserstein, the critic's weights clipped (Arjovsky et al., 2017, arXiv:1701.07875)
    wgan_gp  Wasserstein, the critic's gradient penalised (Gulrajani et al., 2017, arXiv:1704.00028)

The last two share their losses: what keeps the critic smooth is a setting, as the optimiser is. Any objective
can be had with any of them.

Shapes: B batch. Scores are taken to float32 first: under autocast they come in bfloat16.
"""

__all__ = ["OBJECTIVES", "Objective"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from pentimento.training.families.non_saturating import decision_logit, generator_loss, scorer_loss


@dataclass(frozen=True, kw_only=True, slots=True)
class Objective:
    """An adversarial objective: losses of scores, how to read a score, and the paper's settings."""

    scorer_loss: Callable[[Tensor, Tensor, float], Tensor]  # scores of data and of drawings, (B,); real label
    generator_loss: Callable[[Tensor], Tensor]  # scores of drawings, (B,)
    score_kind: Literal["discriminator", "critic"]  # as in a bundle's manifest
    # The score above which it says "data", by the target for data; None where only differences count.
    decision: Callable[[float], float] | None
    settings: Mapping[str, Any]  # fields of OneShotTrainConfig, as the paper has them


def _squares_scorer(real: Tensor, drawn: Tensor, real_label: float) -> Tensor:
    return ((real.float() - real_label).square().mean() + drawn.float().square().mean()) / 2


def _squares_generator(drawn: Tensor) -> Tensor:
    return (drawn.float() - 1).square().mean() / 2


def _wasserstein_scorer(real: Tensor, drawn: Tensor, real_label: float) -> Tensor:
    return drawn.float().mean() - real.float().mean()  # there is no label to smooth


def _wasserstein_generator(drawn: Tensor) -> Tensor:
    return -drawn.float().mean()


_ADAM_DCGAN = {"optimizer": "adam", "generator_rate": 2e-4, "scorer_rate": 2e-4, "beta1": 0.5, "beta2": 0.999}
# LSGAN's rate is not its authors': a search in the WGAN-GP thesis chose it of 1e-3, 2e-4 and 1e-4.
_RMSPROP_LSGAN = {"optimizer": "rmsprop", "generator_rate": 1e-4, "scorer_rate": 1e-4}
_RMSPROP_WGAN = {"optimizer": "rmsprop", "generator_rate": 5e-5, "scorer_rate": 5e-5}
_ADAM_WGAN_GP = {"optimizer": "adam", "generator_rate": 1e-4, "scorer_rate": 1e-4, "beta1": 0.5, "beta2": 0.9}

OBJECTIVES: dict[str, Objective] = {
    "gan": Objective(
        scorer_loss=scorer_loss,
        generator_loss=generator_loss,
        score_kind="discriminator",
        decision=decision_logit,
        settings=_ADAM_DCGAN | {"scorer_updates": 1},
    ),
    "lsgan": Objective(
        scorer_loss=_squares_scorer,
        generator_loss=_squares_generator,
        score_kind="critic",  # near 1 for data and near 0 for drawings; the sigmoid of that means nothing
        decision=lambda real_label: real_label / 2,
        settings=_RMSPROP_LSGAN | {"scorer_updates": 1},
    ),
    "wgan": Objective(
        scorer_loss=_wasserstein_scorer,
        generator_loss=_wasserstein_generator,
        score_kind="critic",
        decision=None,
        settings=_RMSPROP_WGAN | {"scorer_updates": 5, "weight_clip": 0.01},
    ),
    "wgan_gp": Objective(
        scorer_loss=_wasserstein_scorer,
        generator_loss=_wasserstein_generator,
        score_kind="critic",
        decision=None,
        settings=_ADAM_WGAN_GP | {"scorer_updates": 5, "gradient_penalty": 10.0},
    ),
}
