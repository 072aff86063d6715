"""The interface of adversarial models that also encode: a discriminator judges pairs of image and latent.

An encoder E turns data into latents, a generator G latents into drawings, and the discriminator tells the
pairs (x, E(x)) from (G(z), z). If it cannot, E inverts G (Donahue et al., 2016, arXiv:1605.09782; Dumoulin et
al., 2016, arXiv:1606.00704).

A drawing may have several steps, each with a latent of its own, and the discriminator may judge a group of
samples together: position (j, s) of its answer is about the first j samples of a group up to step s.

Shapes: B batch, T steps, Z latent of a step, m samples in a group, C channels, H x W pixels.
"""

__all__ = ["BidirectionalGAN"]

from abc import ABC, abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn


class BidirectionalGAN(nn.Module, ABC):
    """Encoder, generator and discriminator of one model.

    Attributes:
        encoder: Its parameters are updated together with the generator's.
        generator: Draws.
        discriminator: Judges pairs.
        prior: What latents are drawn from: N(0, 1), or uniform on [-1, 1].
        step_count: T.
        latent_dim: Z.
        group_size: m; 1 where each pair is judged by itself.
    """

    encoder: nn.Module
    generator: nn.Module
    discriminator: nn.Module
    prior: Literal["normal", "uniform"]
    step_count: int
    latent_dim: int
    group_size: int

    @abstractmethod
    def encode(self, image: Tensor, eps: Tensor) -> Tensor:
        """Latents of images in [0, 1], (B, C, H, W): (B, T, Z).

        Args:
            image: Data.
            eps: Standard normal, (B, T, Z); a deterministic encoder does not use it.
        """

    @abstractmethod
    def draw(self, latent: Tensor) -> Tensor:
        """The canvas after every step in [0, 1], (B, T, C, H, W), from latents, (B, T, Z)."""

    @abstractmethod
    def judge(self, images: Tensor, latent: Tensor, group_size: int | None = None) -> Tensor:
        """Logits of pairs; above 0 means data with its encoding.

        Args:
            images: What each step shows, (B, T, C, H, W), or the same at all, (B, 1, C, H, W). Rows are in
                groups of m, one after the other.
            latent: (B, T, Z).
            group_size: m, by default the model's own.

        Returns:
            Shape (B / m, m, T).
        """

    def draw_prior(self, rows: int, device: torch.device | None = None) -> Tensor:
        """Latents from the prior, (B, T, Z), from torch's generator."""
        shape = (rows, self.step_count, self.latent_dim)
        if self.prior == "normal":
            return torch.randn(shape, device=device)
        return 2 * torch.rand(shape, device=device) - 1
