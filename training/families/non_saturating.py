"""Losses that adversarial families have in common: the non-saturating ones, as cross-entropy.

Non-saturating losses (Goodfellow et al., 2014, arXiv:1406.2661) with one-sided label smoothing (Salimans
et al., 2016, arXiv:1606.03498). Logits are taken to float32 first: under autocast they come in bfloat16.
"""

__all__ = ["decision_logit", "generator_loss", "scorer_loss"]

import math

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def scorer_loss(real: Tensor, drawn: Tensor, real_label: float) -> Tensor:
    """Discriminator's loss: cross-entropy in nats on data plus that on drawings, each a mean over the batch.

    Args:
        real: Logits of data, shape (B,).
        drawn: Logits of drawings, shape (B,).
        real_label: Target for data, in (0, 1]; the target for drawings is 0.

    Returns:
        A scalar.
    """
    real, drawn = real.float(), drawn.float()
    return binary_cross_entropy_with_logits(
        real, torch.full_like(real, real_label)
    ) + binary_cross_entropy_with_logits(drawn, torch.zeros_like(drawn))


def generator_loss(drawn: Tensor) -> Tensor:
    """Generator's loss: mean of -log D(drawing), in nats, where D is the probability of being data.

    Args:
        drawn: The discriminator's logits of drawings, shape (B,).

    Returns:
        A scalar.
    """
    drawn = drawn.float()
    return binary_cross_entropy_with_logits(drawn, torch.ones_like(drawn))


def decision_logit(real_label: float) -> float:
    """The logit above which a discriminator says "data": 0 without label smoothing.

    With the target a for data the best discriminator says D = a * p / (p + q), for densities p of data and q
    of drawings, so that an image is as likely one as the other where D = a / 2.
    """
    return math.log(real_label / (2 - real_label))
