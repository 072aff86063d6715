"""The interface of models with a Gaussian latent, and what follows from it: bound and importance weights.

A model draws from its posterior q(z | x), and names its prior p(z) and its likelihood p(x | z); all else
follows:

    bound = E_q log p(x | z) - KL(q || p),  log weight = log p(x | z) + log p(z) - log q(z | x)

A latent of several levels is one vector; `level_sizes` says where one level ends. A prior may itself be
autoregressive within the latent, in which case it is given the drawn latent and reads of it only what comes
before each element.

Shapes: B batch, H = height, W = width, Z latent.
"""

__all__ = ["Bound", "LatentModel", "OnePassLatentModel"]

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pentimento.models.shared.likelihoods import Gaussian, gaussian_kl, gaussian_log_density, standard_normal


class Bound(NamedTuple):
    """The two parts of the evidence lower bound, in nats."""

    log_likelihood: Tensor  # log p(x | z) for the drawn z, shape (B,)
    kl: Tensor  # KL of each level of the latent, shape (B, levels)

    @property
    def total(self) -> Tensor:
        """The bound on log p(x), shape (B,)."""
        return self.log_likelihood - self.kl.sum(1)


class LatentModel(nn.Module, ABC):
    """A distribution over grey images with a Gaussian latent.

    Attributes:
        latent_dim: Z, the numbers of all levels together.
        level_sizes: The numbers of each level, in the order in which they are drawn.
    """

    latent_dim: int
    level_sizes: tuple[int, ...]

    @abstractmethod
    def posterior(self, image: Tensor, eps: Tensor) -> tuple[Tensor, Gaussian]:
        """Draws a latent of each image from its posterior.

        Args:
            image: In [0, 1], shape (B, 1, H, W).
            eps: Standard normal, shape (B, Z).

        Returns:
            The latent, shape (B, Z), and the posterior of each of its elements, mean and log-variance, (B, Z)
            each. Where the latent is drawn in steps, that of an element is given those drawn before it.
        """

    @abstractmethod
    def log_likelihood_map(self, image: Tensor, latent: Tensor) -> Tensor:
        """Log-probability in nats of each pixel given the latent (and the pixels before it), (B, 1, H, W)."""

    def explain(self, image: Tensor, eps: Tensor) -> tuple[Tensor, Gaussian, Tensor]:
        """A latent of each image and its posterior as of `posterior`, and `log_likelihood_map` given it."""
        latent, posterior = self.posterior(image, eps)
        return latent, posterior, self.log_likelihood_map(image, latent)

    def prior(self, latent: Tensor) -> Gaussian:
        """The prior of each element of the latent, shape (B, Z); standard normal unless overridden."""
        return standard_normal(latent)

    def bound(self, image: Tensor, eps: Tensor) -> Bound:
        """The evidence lower bound with one sample of the latent and the KL worked out, not sampled.

        Args:
            image: In [0, 1], shape (B, 1, H, W).
            eps: Standard normal, shape (B, Z).
        """
        latent, posterior, pixels = self.explain(image, eps)
        elements = gaussian_kl(posterior, self.prior(latent))  # (B, Z)
        kl = torch.stack([level.sum(1) for level in elements.split(self.level_sizes, dim=1)], dim=1)
        return Bound(pixels.sum((1, 2, 3)), kl)

    def log_weight(self, image: Tensor, eps: Tensor) -> Tensor:
        """Log-weight of one importance sample per image, in nats, shape (B,); see `importance_bound`.

        Args:
            image: In [0, 1], shape (B, 1, H, W).
            eps: Standard normal, shape (B, Z).
        """
        return self.log_weights(image, eps)[0]

    def log_weights(self, image: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
        """As `log_weight`, and the log-probability of each pixel given the same latent, (B, 1, H, W)."""
        latent, posterior, pixels = self.explain(image, eps)
        ratio = gaussian_log_density(latent, self.prior(latent)) - gaussian_log_density(latent, posterior)
        return pixels.sum((1, 2, 3)) + ratio.sum(1), pixels


class OnePassLatentModel(LatentModel):
    """A latent model whose encoder names the posterior of the whole latent at once."""

    @abstractmethod
    def encode(self, image: Tensor) -> Gaussian:
        """The posterior of images in [0, 1], shape (B, 1, H, W): mean and log-variance, (B, Z) each."""

    def posterior(self, image: Tensor, eps: Tensor) -> tuple[Tensor, Gaussian]:
        """Draws a latent of each image; see `LatentModel.posterior`."""
        posterior = self.encode(image)
        return posterior.sample(eps), posterior
