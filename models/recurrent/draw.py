"""DRAW: a recurrent neural network for image generation (Gregor et al., 2015, arXiv:1502.04623).

An encoder and a decoder, both LSTMs, look at the image and draw it in T steps. With h the decoder's output,
c the canvas and x the image:

    e_t = x - sigmoid(c_{t-1}),  r_t = read(x, e_t, h_{t-1}),  g_t = LSTM_enc(g_{t-1}, [r_t, h_{t-1}])
    z_t ~ q(z_t | g_t) = N(mu_t, sigma_t^2),  h_t = LSTM_dec(h_{t-1}, z_t),  c_t = c_{t-1} + write(h_t)

    bound on log p(x) = log Bernoulli(x | sigmoid(c_T)) - sum_t KL(q(z_t | g_t) || N(0, I))

To draw from nothing, z_t comes from N(0, I) at each step, and the encoder is not needed. With attention,
read and write go through a small grid of filters whose place and size h decides; see `attention.py`.

What differs from the paper, and why:
- The paper draws MNIST in 64 steps with LSTMs of 256 and 100 latents a step; the sizes here are small, so
  that a bundle is. The read grid is 5 x 5, the paper's 2 x 2.
- Without attention the paper feeds [x, e_t] straight to the encoder. Here a linear map to `read_features`
  numbers comes first: alone, the LSTM's part for 1,568 inputs would be four fifths of the model.
- The first states and the first canvas are learned; the paper learns biases of the states.
- Logarithms of variances are clamped to -12..12.

Fresh noise is drawn at each step. A widely copied implementation shares one draw among all of them, and
subtracts a half a step from the KL where a half a latent is right; neither is done here.

The latent of an image is the vector (z_1, ..., z_T). Its posterior is drawn step by step, as z_t changes what
the encoder sees next.

Shapes: B batch, T steps, Z latents a step, S = H = W image side, N filters a side.
"""

__all__ = ["DRAW", "DRAWConfig", "DRAWState"]

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pentimento.models.recurrent.attention import BOX_NUMBERS, Box, box_from, read_patch, write_patch
from pentimento.models.shared.latent_model import LatentModel
from pentimento.models.shared.likelihoods import Gaussian, pixel_log_likelihood, widened
from pentimento.models.shared.lstm import LSTMCell

_LOG_VARIANCE_LIMIT = 12.0


class DRAWState(NamedTuple):
    """What the decoder keeps between two steps of a drawing."""

    hidden: Tensor  # h, (B, hidden)
    cell: Tensor  # of the decoder's LSTM, (B, hidden)
    canvas_logits: Tensor  # c, (B, 1, S, S)


@dataclass(frozen=True, kw_only=True, slots=True)
class DRAWConfig:
    """Sizes of a DRAW."""

    image_size: int = 28  # S, pixels
    step_count: int = 16  # T
    step_latents: int = 12  # Z
    hidden: int = 176  # of each LSTM
    attention: bool = True
    read_points: int = 5  # N of the grid that reads
    write_points: int = 5  # N of the grid that writes
    read_features: int = 96  # of the linear map that reads without attention

    def __post_init__(self) -> None:
        """Raises ValueError for sizes that cannot be built; the message names field, limit and value."""
        for name in ("image_size", "step_count", "step_latents", "hidden", "read_features"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("read_points", "write_points"):
            if getattr(self, name) < 2:  # the stride is a share of the distance between two
                raise ValueError(f"{name} must be at least 2, got {getattr(self, name)}")


class _WholeReader(nn.Module):
    """Reads all of the image: a linear map of [x, x - sigmoid(c)], its part in x worked out once."""

    def __init__(self, config: DRAWConfig) -> None:
        super().__init__()
        self.pixels = config.image_size**2
        self.linear = nn.Linear(2 * self.pixels, config.read_features)
        self.features = config.read_features

    def glimpse(self, image: Tensor) -> Tensor:
        """What does not change from step to step, (B, features)."""
        of_image, of_error = self.linear.weight.split(self.pixels, dim=1)
        return nn.functional.linear(image.flatten(1), of_image + of_error, self.linear.bias)

    def read(self, glimpse: Tensor, image: Tensor, canvas: Tensor, hidden: Tensor) -> Tensor:
        """(B, features) from the canvas in [0, 1], (B, 1, S, S)."""
        of_error = self.linear.weight[:, self.pixels :]
        return glimpse - nn.functional.linear(canvas.flatten(1), of_error)


class _PatchReader(nn.Module):
    """Reads image and error image through a box, and hands on the patches as they are."""

    def __init__(self, config: DRAWConfig) -> None:
        super().__init__()
        self.side, self.points = config.image_size, config.read_points
        self.numbers = nn.Linear(config.hidden, BOX_NUMBERS)
        self.features = 2 * self.points**2

    def box(self, hidden: Tensor) -> Box:
        """Where the encoder looks after a decoder's output, (B, hidden)."""
        return box_from(self.numbers(hidden), self.side, self.points)

    def glimpse(self, image: Tensor) -> Tensor:
        """Nothing is worked out ahead: the image itself."""
        return image

    def read(self, glimpse: Tensor, image: Tensor, canvas: Tensor, hidden: Tensor) -> Tensor:
        """(B, 2 N^2) of the image and of what the canvas lacks."""
        both = torch.cat([image, image - canvas], dim=1)  # (B, 2, S, S)
        return read_patch(both, self.box(hidden), self.points).flatten(1)


class _WholeWriter(nn.Module):
    """Adds to every pixel of the canvas."""

    def __init__(self, config: DRAWConfig) -> None:
        super().__init__()
        self.side = config.image_size
        self.linear = nn.Linear(config.hidden, self.side**2)

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, hidden) -> logits to add, (B, 1, S, S)."""
        return self.linear(hidden).unflatten(1, (1, self.side, self.side))


class _PatchWriter(nn.Module):
    """Adds a patch to the canvas, through a box of its own."""

    def __init__(self, config: DRAWConfig) -> None:
        super().__init__()
        self.side, self.points = config.image_size, config.write_points
        self.numbers = nn.Linear(config.hidden, BOX_NUMBERS)
        self.patch = nn.Linear(config.hidden, self.points**2)

    def box(self, hidden: Tensor) -> Box:
        """Where a step writes, (B, hidden) being the decoder's output at that step."""
        return box_from(self.numbers(hidden), self.side, self.points)

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, hidden) -> logits to add, (B, 1, S, S)."""
        patch = self.patch(hidden).unflatten(1, (self.points, self.points))
        return write_patch(patch, self.box(hidden), self.side)[:, None]


class DRAW(LatentModel):
    """The model: `posterior` looks and draws, `step` draws from given latents."""

    def __init__(self, config: DRAWConfig) -> None:
        super().__init__()
        self.config = config
        self.step_count = config.step_count
        self.latent_dim = config.step_count * config.step_latents
        self.level_sizes = (config.step_latents,) * config.step_count
        self.reader = _PatchReader(config) if config.attention else _WholeReader(config)
        self.writer = _PatchWriter(config) if config.attention else _WholeWriter(config)
        self.encoder = LSTMCell(self.reader.features + config.hidden, config.hidden)
        self.decoder = LSTMCell(config.step_latents, config.hidden)
        self.q_numbers = nn.Linear(config.hidden, 2 * config.step_latents)
        self.first_states = nn.Parameter(
            torch.zeros(4, config.hidden)
        )  # encoder's h and c, decoder's h and c
        self.first_canvas = nn.Parameter(torch.zeros(1, config.image_size, config.image_size))

    def initial_state(self, rows: int) -> DRAWState:
        """The decoder's state before the first step of `rows` drawings."""
        _, _, hidden, cell = (state.expand(rows, -1) for state in self.first_states)
        return DRAWState(torch.tanh(hidden), cell, self.first_canvas.expand(rows, -1, -1, -1))

    def step(self, noise: Tensor, state: DRAWState) -> tuple[Tensor, DRAWState]:
        """Draws one step.

        Args:
            noise: z_t: standard normal, or of an image's posterior, shape (B, Z).
            state: After the previous step.

        Returns:
            The canvas in [0, 1], shape (B, 1, S, S), and the next state.
        """
        after = self._advance(noise, state)
        return torch.sigmoid(after.canvas_logits), after

    def boxes(self, before: DRAWState, after: DRAWState) -> dict[str, Tensor]:
        """Where a step looks, with an image before it, and where it writes; see `Box.geometry`, (B, 4).

        A model without attention has none.
        """
        if not self.config.attention:
            return {}
        assert isinstance(self.reader, _PatchReader) and isinstance(self.writer, _PatchWriter)
        return {
            "read_box": self.reader.box(before.hidden).geometry(),
            "write_box": self.writer.box(after.hidden).geometry(),
        }

    def canvases(self, latent: Tensor) -> Tensor:
        """The canvas after every step in [0, 1], shape (B, T, 1, S, S), from latents, (B, T Z)."""
        state, canvases = self.initial_state(latent.shape[0]), []
        for noise in latent.split(self.config.step_latents, dim=1):
            canvas, state = self.step(noise, state)
            canvases.append(canvas)
        return torch.stack(canvases, dim=1)

    def posterior(self, image: Tensor, eps: Tensor) -> tuple[Tensor, Gaussian]:
        """Draws the latent of images; see `LatentModel.posterior`."""
        latent, posterior, _ = self.look_and_draw(image, eps)
        return latent, posterior

    def log_likelihood_map(self, image: Tensor, latent: Tensor) -> Tensor:
        """Log-probability of every pixel given the latent, in nats, shape (B, 1, S, S)."""
        return pixel_log_likelihood(self.last_canvas(latent), image, 2)

    def last_canvas(self, latent: Tensor) -> Tensor:
        """The canvas after all steps in logits, shape (B, 1, S, S), from latents, (B, T Z)."""
        state = self.initial_state(latent.shape[0])
        for noise in latent.split(self.config.step_latents, dim=1):
            state = self._advance(noise, state)
        return state.canvas_logits

    def explain(self, image: Tensor, eps: Tensor) -> tuple[Tensor, Gaussian, Tensor]:
        """As `LatentModel.explain`, in one pass: the canvas is there when the latents have been drawn."""
        latent, posterior, canvas_logits = self.look_and_draw(image, eps)
        return latent, posterior, pixel_log_likelihood(canvas_logits, image, 2)

    def look_and_draw(self, image: Tensor, eps: Tensor) -> tuple[Tensor, Gaussian, Tensor]:
        """Draws images again, step by step, each step seeing what the canvas lacks.

        Args:
            image: In [0, 1], shape (B, 1, S, S).
            eps: Standard normal, shape (B, T Z).

        Returns:
            Latents and their posterior, (B, T Z) each, and the last canvas in logits, (B, 1, S, S).
        """
        state, glimpse = self.initial_state(image.shape[0]), self.reader.glimpse(image)
        hidden, cell, _, _ = (first.expand(image.shape[0], -1) for first in self.first_states)
        hidden = torch.tanh(hidden)
        parts = []
        for eps_t in eps.split(self.config.step_latents, dim=1):
            canvas = torch.sigmoid(state.canvas_logits)
            seen = self.reader.read(glimpse, image, canvas, state.hidden)
            hidden, cell = self.encoder(torch.cat([seen, state.hidden], dim=1), hidden, cell)
            mean, log_variance = widened(self.q_numbers(hidden)).chunk(2, dim=1)
            q = Gaussian(mean, log_variance.clamp(-_LOG_VARIANCE_LIMIT, _LOG_VARIANCE_LIMIT))
            noise = q.sample(eps_t)
            state = self._advance(noise, state)
            parts.append((noise, *q))
        latent, mean, log_variance = (torch.cat(each, dim=1) for each in zip(*parts, strict=True))
        return latent, Gaussian(mean, log_variance), state.canvas_logits

    def _advance(self, noise: Tensor, state: DRAWState) -> DRAWState:
        hidden, cell = self.decoder(noise, state.hidden, state.cell)
        return DRAWState(hidden, cell, state.canvas_logits + self.writer(hidden))
