"""Densities and draws that several papers share: pixels of two or 256 levels, Gaussian latents, bounds.

All randomness is an argument: `noise` is uniform in (0, 1), `eps` is standard normal.

Shapes: B batch, H = height, W = width, N levels of a pixel.
"""

__all__ = [
    "Gaussian",
    "check_levels",
    "draw_pixels",
    "gaussian_kl",
    "gaussian_log_density",
    "importance_bound",
    "keep_known",
    "logit_count",
    "pixel_log_likelihood",
    "standard_normal",
    "widened",
]

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

LEVELS = (2, 256)


class Gaussian(NamedTuple):
    """A diagonal Gaussian; both parts have the shape of the variable."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, eps: Tensor) -> Tensor:
        """The draw that standard normal `eps` gives: mean + standard deviation * eps."""
        return self.mean + torch.exp(0.5 * self.log_variance) * eps


def standard_normal(like: Tensor) -> Gaussian:
    """N(0, I) of the shape of `like`."""
    return Gaussian(torch.zeros_like(like), torch.zeros_like(like))


def check_levels(levels: int) -> None:
    """Raises ValueError unless a pixel has 2 or 256 levels."""
    if levels not in LEVELS:
        raise ValueError(f"levels must be 2 or 256, got {levels}")


def logit_count(levels: int) -> int:
    """Outputs of a network per pixel: one logit for a binary pixel, else one for each level."""
    return 1 if levels == 2 else levels


def widened(x: Tensor) -> Tensor:
    """Casts half precision to single, as sums of hundreds of terms need it; other types stay."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def pixel_log_likelihood(logits: Tensor, image: Tensor, levels: int) -> Tensor:
    """Log-probability of every pixel, in nats.

    Args:
        logits: Shape (B, 1, H, W) for binary pixels, else (B, N, H, W).
        image: In [0, 1], shape (B, 1, H, W); of 256 levels, pixel k / 255 is level k.
        levels: N.

    Returns:
        Shape (B, 1, H, W). For binary pixels that are neither 0 nor 1, the expectation over a pixel that is
        1 with that probability.
    """
    logits = widened(logits)
    if levels == 2:
        # Not by the logarithm of a sigmoid: ONNX Runtime's has an absolute error, which at a probability of
        # 1e-5 makes a thousandth of a nat.
        return image * logits - F.softplus(logits)
    target = torch.round(image * (levels - 1)).long()  # (B, 1, H, W)
    return torch.log_softmax(logits, dim=1).gather(1, target)


def draw_pixels(logits: Tensor, noise: Tensor, levels: int) -> Tensor:
    """Draws pixels by inverting their distribution function, the same from the same noise everywhere.

    Args:
        logits: Along axis 1, shape (B, 1, ...) for binary pixels, else (B, N, ...).
        noise: Uniform in (0, 1), shape (B, 1, ...); for given pixels, see `keep_known`.
        levels: N.

    Returns:
        Values in [0, 1], shape (B, 1, ...): of two levels, 1 where noise < sigmoid(logit).
    """
    if levels == 2:
        return (noise < torch.sigmoid(logits)).to(logits.dtype)
    # The last level takes the rest, so a sum that rounding leaves below the noise cannot point beyond it.
    below = torch.softmax(logits, dim=1).cumsum(1)[:, :-1]
    drawn = (noise >= below).to(logits.dtype).sum(1, keepdim=True) / (levels - 1)
    forced = torch.round((noise - 2) * (levels - 1)) / (levels - 1)  # see `keep_known`
    return torch.where(noise > 1, forced, drawn)


def gaussian_kl(q: Gaussian, p: Gaussian) -> Tensor:
    """KL(q || p) of each element, in nats, in the shape of the variable."""
    difference = (q.mean - p.mean) ** 2
    ratio = (torch.exp(q.log_variance) + difference) * torch.exp(-p.log_variance)
    return 0.5 * (p.log_variance - q.log_variance + ratio - 1)


def gaussian_log_density(value: Tensor, p: Gaussian) -> Tensor:
    """Log-density of each element of `value`, in nats, in its shape."""
    distance = (value - p.mean) ** 2 * torch.exp(-p.log_variance)
    return -0.5 * (math.log(2 * math.pi) + p.log_variance + distance)


def importance_bound(log_weights: Tensor) -> Tensor:
    """Bound on the log-likelihood from K importance samples of each image (Burda et al., 2015).

    Args:
        log_weights: log p(x, z) - log q(z | x) for independent z from q, shape (K, B).

    Returns:
        log of their mean weight, image by image, shape (B,). With K = 1 its mean is the evidence lower bound;
        in expectation it grows with K towards log p(x).
    """
    return torch.logsumexp(log_weights, dim=0) - math.log(len(log_weights))


def keep_known(noise: Tensor, known: Tensor, known_mask: Tensor, levels: int) -> Tensor:
    """Noise from which `draw_pixels` draws given pixels: numbers outside of (0, 1), which leave no choice.

    Args:
        noise: Uniform in (0, 1).
        known: Given pixels in [0, 1], in the shape of the noise.
        known_mask: 1 where they are given, else 0.
        levels: N.
    """
    # Two levels: -1 is below every probability, 2 above. More: the pixel itself, moved up by 2.
    forced = 2 - 3 * known if levels == 2 else known + 2
    return torch.where(known_mask > 0.5, forced, noise)
