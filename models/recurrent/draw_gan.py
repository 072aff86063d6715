"""DRAW-GAN: DRAW as the generator of a GAN that compares pictures by features (Renkila et al.).

A discriminator D sees data x, reconstructions x_r, which a DRAW draws from latents z ~ q(z | x), and drawings
x_p from z ~ N(0, I). With D_l the features of its l-th layer, after VAE-GAN (Larsen et al., 2015,
arXiv:1512.09300):

    D minimises        -log D(x) - (log(1 - D(x_r)) + log(1 - D(x_p))) / 2
    DRAW minimises     sum_t KL(q(z_t | .) || N(0, I)) + gamma |D_l(x) - D_l(x_r)|^2 / 2 + L_adv
    L_adv            = -log D(x_r) - log D(x_p)

The distance of features takes the place of the pixels' likelihood: minus the log-density of a Gaussian of
variance 1 / gamma, but for a constant. So a training by it has no bound on log p(x).

Who learns from what: the adversarial loss does not reach the encoder, as x_r is drawn anew from latents that
are given; the distance of features does not reach the discriminator, which could make it small by seeing
nothing.

What differs from the paper, and why:
- Taken literally, its equations have both players minimise minus what they should; here D minimises its
  cross-entropy, and the generator's loss is the non-saturating one.
- The paper names no sizes: not T, nor the networks, nor the layer l, gamma or the optimiser. Here D has two
  convolutions, l is the second, and all is in the configuration.
- Its two kinds of drawings count half each in D's loss, as in VAE-GAN's code: else "drawn" outweighs "real".
- Pictures are grey, as D sees them, where DRAW's are black and white: by its grey a canvas of probabilities
  would be told from a binary picture at once.

Shapes: B batch, T steps, Z latents a step, S = H = W image side, F features of a convolution.
"""

__all__ = ["DRAWGAN", "DRAWGANConfig", "FeatureDiscriminator"]

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pentimento.models.recurrent.draw import DRAW, DRAWConfig
from pentimento.models.shared.blocks import KERNEL


@dataclass(frozen=True, kw_only=True, slots=True)
class DRAWGANConfig(DRAWConfig):
    """Sizes of a DRAW-GAN: its DRAW's, and its discriminator's."""

    step_count: int = 10
    hidden: int = 128
    scorer_widths: tuple[int, int] = (16, 32)  # F of the two convolutions
    scorer_hidden: int = 256  # outputs of the linear layer before the last

    def __post_init__(self) -> None:
        """Raises ValueError for sizes that cannot be built; the message names field, limit and value."""
        DRAWConfig.__post_init__(self)
        if len(self.scorer_widths) != 2 or min(self.scorer_widths) < 1:
            raise ValueError(f"scorer_widths must be two numbers of at least 1, got {self.scorer_widths}")
        if self.scorer_hidden < 1:
            raise ValueError(f"scorer_hidden must be at least 1, got {self.scorer_hidden}")


class FeatureDiscriminator(nn.Module):
    """D: two strided convolutions, whose outputs are the features, and two linear layers.

    Without normalisation across the batch, so that the score of a picture is its own.
    """

    def __init__(self, config: DRAWGANConfig) -> None:
        super().__init__()
        first, second = config.scorer_widths
        side = math.ceil(config.image_size / 4)  # each convolution halves it, rounded up
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, KERNEL, stride=2, padding=2) for a, b in ((1, first), (first, second))
        )
        self.hidden = nn.Linear(second * side**2, config.scorer_hidden)
        self.out = nn.Linear(config.scorer_hidden, 1)

    def features(self, image: Tensor) -> Tensor:
        """D_l: images in [0, 1], (B, 1, S, S) -> (B, F * side^2)."""
        for conv in self.convs:
            image = F.leaky_relu(conv(image), 0.2)
        return image.flatten(1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits of being data, shape (B,), of images in [0, 1], (B, 1, S, S)."""
        hidden: Tensor = self.hidden(self.features(image))
        logit: Tensor = self.out(F.leaky_relu(hidden, 0.2))
        return logit.squeeze(1)


class DRAWGAN(nn.Module):
    """A DRAW and the discriminator of its pictures.

    Attributes:
        draw: The DRAW; its canvases are grey pictures.
        discriminator: D.
    """

    def __init__(self, config: DRAWGANConfig) -> None:
        super().__init__()
        self.config = config
        self.draw = DRAW(config)
        self.discriminator = FeatureDiscriminator(config)

    def encoder_parameters(self) -> Iterator[nn.Parameter]:
        """Weights that name the posterior of a given image and canvas: what reads, and the encoder."""
        for part in (self.draw.reader, self.draw.encoder, self.draw.q_numbers):
            yield from part.parameters()

    def decoder_parameters(self) -> Iterator[nn.Parameter]:
        """Weights that draw from latents, and the first states of both LSTMs."""
        yield self.draw.first_states
        yield self.draw.first_canvas
        for part in (self.draw.decoder, self.draw.writer):
            yield from part.parameters()

    def redraw_and_draw(self, latent: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """x_r and x_p: pictures in [0, 1] of given latents and of noise, (B, T Z) each, in one pass.

        No gradient reaches what the latents came from.
        """
        canvas = torch.sigmoid(self.draw.last_canvas(torch.cat([latent.detach(), noise])))
        redrawn, drawn = canvas.chunk(2)
        return redrawn, drawn
