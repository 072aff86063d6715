"""The losses that adversarial families have in common.

Non-saturating losses (Goodfellow et al., 2014, arXiv:1406.2661) with one-sided label smoothing (Salimans
et al., 2016, arXiv:1606.03498). Logits are taken to float32 first: under autocast they come in bfloat16.
"""

__all__ = ["generator_loss", "scorer_loss"]

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def scorer_loss(real: Tensor, drawn: Tensor, real_label: float) -> Tensor:
    """Cross-entropy of a discriminator.

    Args:
        real: Logits of data, shape (B,).
        drawn: Logits of drawings, shape (B,).
        real_label: Target for data, in (0, 1]; the target for drawings is 0.
    """
    real, drawn = real.float(), drawn.float()
    return binary_cross_entropy_with_logits(
        real, torch.full_like(real, real_label)
    ) + binary_cross_entropy_with_logits(drawn, torch.zeros_like(drawn))


def generator_loss(drawn: Tensor) -> Tensor:
    """How far the discriminator is from taking drawings for data; logits of shape (B,)."""
    drawn = drawn.float()
    return binary_cross_entropy_with_logits(drawn, torch.ones_like(drawn))
