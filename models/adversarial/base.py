"""Interfaces of generators that draw in one step, and of the scorers that judge their images.

A generator turns a latent, and a label if it is conditional, into an image. A scorer gives each image one
number. What that number means is the objective's affair: the logit of a discriminator, or a critic's score.

Shapes: B batch, C channels, H = W image size, Z latent, K classes, F features.
"""

__all__ = ["Judgement", "OneShotGenerator", "OneShotScorer"]

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Judgement(NamedTuple):
    """A scorer's output for a batch of images."""

    score: Tensor  # logit or critic's score, (B,)
    features: Tensor  # of the last hidden layer, (B, F), for feature matching
    class_logits: Tensor | None  # of an auxiliary classifier, (B, K)


class OneShotGenerator(nn.Module, ABC):
    """Interface of a generator that draws an image in one step.

    Attributes:
        latent_dim: Z.
        class_count: K; 0 for an unconditional generator.
        image_shape: (C, H, W).
    """

    latent_dim: int
    class_count: int
    image_shape: tuple[int, int, int]

    @abstractmethod
    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """Draws images.

        Args:
            latent: Standard normal, shape (B, Z).
            label: Class of each image, int64, shape (B,); None if K is 0.

        Returns:
            In [0, 1], shape (B, C, H, W).
        """

    def latents(self, rows: int, device: torch.device) -> Tensor:
        """Draws standard normal latents, shape (B, Z) with B = rows, from torch's global generator."""
        return torch.randn(rows, self.latent_dim, device=device)


class OneShotScorer(nn.Module, ABC):
    """Interface of a discriminator or critic.

    Attributes:
        class_count: K, of the labels that `forward` takes or that the auxiliary classifier tells apart.
    """

    class_count: int

    @abstractmethod
    def forward(self, image: Tensor, label: Tensor | None = None) -> Judgement:
        """Scores images.

        Args:
            image: In [0, 1], shape (B, C, H, W).
            label: int64, shape (B,), for a scorer that is told the class (cGAN); else None.

        Returns:
            Score, features and, of an auxiliary classifier, class logits.
        """
