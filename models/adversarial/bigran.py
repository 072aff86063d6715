"""BiGRAN: bidirectional generative recurrent adversarial network (under review, 2017).

Encoder and decoder are recurrences over T steps, as in DRAW, but trained by a discriminator of pairs alone:

    encoder   LSTM fed the same x at each step:  mu_s, log sigma_s^2;  z_s = mu_s + sigma_s * eps_s
    decoder   LSTM over z_1 .. z_T; a linear map of each output is added to a sum:  image_s = sigmoid(sum)
    judged    at each step s, the pairs (x, z_1..z_s) of data and (image_s, z_1..z_s) of drawings

The discriminator has an LSTM over the latents, a network for the image, and on both together recurrent
discrimination over the m samples of a group: it answers T times m questions, of every prefix of samples and
of steps. See `recurrent_discrimination.py`.

What differs from the authors' code, and why:
- The encoder's LSTM sees the same x at each step, so its product with the weights is worked out once. The
  result is the same; it saves most of the encoder's work.
- Dropout leaves out inputs, but no recurrent connections.
- LSTMs start with open forget gates and orthogonal recurrent weights.

Shapes: B batch, T steps, Z latent of a step, m samples in a group, C channels, H = W = image_size.
"""

__all__ = ["BiGRAN", "BiGRANConfig", "BiGRANState"]

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pentimento.models.adversarial.bidirectional import BidirectionalGAN
from pentimento.models.adversarial.recurrent_discrimination import RecurrentDiscrimination
from pentimento.models.shared.lstm import LSTMCell

_LOG_VARIANCE_LIMIT = 12.0


class BiGRANState(NamedTuple):
    """What the decoder keeps between two steps of a drawing."""

    hidden: Tensor  # (B, hidden)
    cell: Tensor  # (B, hidden)
    canvas_logits: Tensor  # the sum so far, (B, C, H, W)


@dataclass(frozen=True, kw_only=True, slots=True)
class BiGRANConfig:
    """Sizes of a BiGRAN; the defaults are the authors'."""

    image_size: int = 28  # pixels
    channels: int = 1
    step_count: int = 4  # T
    latent_dim: int = 25  # Z, of each step
    hidden: int = 128  # of all LSTMs and of the discriminator's image network
    group_size: int = 4  # m
    dropout: float = 0.5  # in the discriminator, training only

    def __post_init__(self) -> None:
        """Raises ValueError for sizes that cannot be built; the message names field, limit and value."""
        for name in ("image_size", "channels", "step_count", "latent_dim", "hidden", "group_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must lie in 0..1, below 1, got {self.dropout}")

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return (self.channels, self.image_size, self.image_size)

    @property
    def pixels(self) -> int:
        """Numbers of an image."""
        return self.channels * self.image_size**2


class _Encoder(nn.Module):
    """The same image at each step, a latent of each."""

    def __init__(self, config: BiGRANConfig) -> None:
        super().__init__()
        self.step_count, self.pixels = config.step_count, config.pixels
        self.cell = LSTMCell(config.pixels, config.hidden)
        self.numbers = nn.Linear(config.hidden, 2 * config.latent_dim)  # mean and log-variance

    def forward(self, image: Tensor, eps: Tensor) -> Tensor:
        """(B, C, H, W) and (B, T, Z) -> (B, T, Z)."""
        gates = self.cell.gates
        of_image, of_hidden = gates.weight.split([self.pixels, self.cell.hidden], dim=1)
        seen = nn.functional.linear(
            image.flatten(1), of_image, gates.bias
        )  # once: x is the same at each step
        hidden = torch.zeros_like(seen[:, : self.cell.hidden])
        cell, latents = hidden, []
        for eps_s in eps.unbind(1):
            hidden, cell = self.cell.advance(seen + nn.functional.linear(hidden, of_hidden), cell)
            mean, log_variance = self.numbers(hidden).chunk(2, dim=1)
            log_variance = log_variance.clamp(-_LOG_VARIANCE_LIMIT, _LOG_VARIANCE_LIMIT)
            latents.append(mean + torch.exp(0.5 * log_variance) * eps_s)
        return torch.stack(latents, dim=1)


class _Generator(nn.Module):
    """Adds a linear map of an LSTM's output to the picture, step by step."""

    def __init__(self, config: BiGRANConfig) -> None:
        super().__init__()
        self.config = config
        self.cell = LSTMCell(config.latent_dim, config.hidden)
        self.paint = nn.Linear(config.hidden, config.pixels)

    def initial_state(self, latent: Tensor) -> BiGRANState:
        """The state before the first step, of as many rows as `latent` has, (B, ...)."""
        rows = latent.shape[0]
        weight = self.paint.weight
        hidden = weight.new_zeros(rows, self.config.hidden)
        return BiGRANState(hidden, hidden, weight.new_zeros(rows, *self.config.image_shape))

    def step(self, noise: Tensor, state: BiGRANState) -> tuple[Tensor, BiGRANState]:
        """Draws one step: from the latent z_s, (B, Z), the image in [0, 1], (B, C, H, W), and the state."""
        hidden, cell = self.cell(noise, state.hidden, state.cell)
        added = self.paint(hidden).unflatten(1, self.config.image_shape)
        canvas_logits = state.canvas_logits + added
        return torch.sigmoid(canvas_logits), BiGRANState(hidden, cell, canvas_logits)


class _Discriminator(nn.Module):
    """Judges pairs at every step, and the samples of a group one after the other."""

    def __init__(self, config: BiGRANConfig) -> None:
        super().__init__()
        self.latents = LSTMCell(config.latent_dim, config.hidden)
        self.image = nn.Sequential(
            nn.Linear(config.pixels, config.hidden),
            nn.Tanh(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.hidden),
            nn.Tanh(),
            nn.Dropout(config.dropout),
        )
        self.group = RecurrentDiscrimination(2 * config.hidden, config.hidden, dropout=config.dropout)

    def forward(self, images: Tensor, latent: Tensor, group_size: int) -> Tensor:
        """(B, T or 1, C, H, W) and (B, T, Z) -> (B / m, m, T)."""
        seen = self.image(images.flatten(2))  # (B, T or 1, hidden)
        hidden = torch.zeros_like(seen[:, 0])
        cell, answers = hidden, []
        for s, z in enumerate(latent.unbind(1)):
            hidden, cell = self.latents(z, hidden, cell)
            image = seen[:, min(s, seen.shape[1] - 1)]
            pair = torch.cat([hidden, image], dim=1).unflatten(0, (-1, group_size))  # (B / m, m, 2 hidden)
            answers.append(self.group(pair))
        return torch.stack(answers, dim=2)


class BiGRAN(BidirectionalGAN):
    """The model."""

    def __init__(self, config: BiGRANConfig) -> None:
        super().__init__()
        self.config = config
        self.prior = "normal"
        self.step_count, self.group_size = config.step_count, config.group_size
        self.latent_dim = config.latent_dim
        self.encoder = _Encoder(config)
        self.generator: _Generator = _Generator(config)
        self.discriminator = _Discriminator(config)

    def encode(self, image: Tensor, eps: Tensor) -> Tensor:
        """The latents of each image, (B, T, Z), a draw by `eps`, (B, T, Z)."""
        return self.encoder(image, eps)

    def draw(self, latent: Tensor) -> Tensor:
        """The canvas after every step, (B, T, C, H, W), from latents, (B, T, Z)."""
        state, canvases = self.generator.initial_state(latent), []
        for noise in latent.unbind(1):
            canvas, state = self.generator.step(noise, state)
            canvases.append(canvas)
        return torch.stack(canvases, dim=1)

    def judge(self, images: Tensor, latent: Tensor, group_size: int | None = None) -> Tensor:
        """Logits, (B / m, m, T): position (j, s) is about the first j samples up to step s."""
        return self.discriminator(images, latent, group_size or self.group_size)
