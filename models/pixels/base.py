"""The interface of pixel-by-pixel models: a likelihood in one pass, and slow but plain samplers.

An autoregressive model gives the logits of all pixels in one parallel pass over a known image; the logits of
a pixel depend on the pixels before it in raster order and on nothing else of the image. Drawing has no such
pass. `draw_naive` makes a full pass for each pixel and is the definition of a drawing. `draw_jacobi` finds
the same picture as the fixed point of drawing all pixels at once from the same noise (Song et al., 2021,
arXiv:2002.03629); the tests use it as a second opinion. The sampler that is served is in
`models.pixels.incremental`.

Shapes: B batch, H = height, W = width, N levels, D condition, M map channels.
"""

__all__ = ["AutoregressiveModel"]

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from pentimento.models.shared.likelihoods import draw_pixels, pixel_log_likelihood


class AutoregressiveModel(nn.Module, ABC):
    """A distribution over grey images that draws pixel after pixel, in raster order.

    Attributes:
        height: H.
        width: W.
        levels: N, the values that a pixel can take: 2 or 256, evenly spread over [0, 1].
    """

    height: int
    width: int
    levels: int

    @abstractmethod
    def forward(
        self, image: Tensor, condition: Tensor | None = None, condition_map: Tensor | None = None
    ) -> Tensor:
        """Logits of every pixel given the pixels before it.

        Args:
            image: In [0, 1], shape (B, 1, H, W).
            condition: What every pixel may depend on, a latent or a class, shape (B, D); None if D is 0.
            condition_map: The same with a value for every place, shape (B, M, H, W); None if M is 0.

        Returns:
            Shape (B, 1, H, W) for binary pixels, else (B, N, H, W).
        """

    def log_likelihood_map(
        self, image: Tensor, condition: Tensor | None = None, condition_map: Tensor | None = None
    ) -> Tensor:
        """Log-probability of every pixel given those before it, in nats, shape (B, 1, H, W)."""
        return pixel_log_likelihood(self(image, condition, condition_map), image, self.levels)

    def log_likelihood(
        self, image: Tensor, condition: Tensor | None = None, condition_map: Tensor | None = None
    ) -> Tensor:
        """Exact log-likelihood of images in nats, shape (B,)."""
        return self.log_likelihood_map(image, condition, condition_map).sum((1, 2, 3))

    @torch.no_grad()
    def draw_naive(
        self, noise: Tensor, condition: Tensor | None = None, condition_map: Tensor | None = None
    ) -> Tensor:
        """Draws images with one full pass a pixel.

        Args:
            noise: Uniform in (0, 1), one number for each pixel, shape (B, H, W).
            condition: As for `forward`.
            condition_map: As for `forward`.

        Returns:
            Images in [0, 1], shape (B, 1, H, W).
        """
        image = torch.zeros_like(noise).unsqueeze(1)
        for i in range(self.height):
            for j in range(self.width):
                logits = self(image, condition, condition_map)[:, :, i, j]
                image[:, :, i, j] = draw_pixels(logits, noise[:, None, i, j], self.levels)
        return image

    @torch.no_grad()
    def draw_jacobi(
        self, noise: Tensor, condition: Tensor | None = None, condition_map: Tensor | None = None
    ) -> tuple[Tensor, int]:
        """Draws the images of `draw_naive` by redrawing all pixels at once until nothing changes.

        After k passes at least the first k pixels are final, so it ends; usually far earlier.

        Returns:
            Images in [0, 1], shape (B, 1, H, W), and the number of passes.
        """
        image = torch.zeros_like(noise).unsqueeze(1)
        for passes in range(1, self.height * self.width + 2):
            drawn = draw_pixels(self(image, condition, condition_map), noise[:, None], self.levels)
            if torch.equal(drawn, image):
                return image, passes
            image = drawn
        raise RuntimeError("redrawing did not settle: a pixel depends on itself or on a later one")
