"""GRAN: generative recurrent adversarial network (Im, Kim, Jiang and Memisevic, 2016, arXiv:1602.05110).

Each step decodes the latent and an encoding of the previous delta into a new delta; the canvas is the
sigmoid of all deltas so far:

    h_z = tanh(BN(W z + b)),  h_c,1 = 0
    delta_t = f([h_z, h_c,t]),  h_c,t+1 = g(delta_t),  canvas_t = sigmoid(delta_1 + ... + delta_t)

g sees the last delta, not the canvas. T = 1 is a DCGAN generator with one more linear layer.

What differs from the paper or the authors' code, and why:
- The latent may be the same at all steps or fresh at each (`noise_mode`). The paper describes both; the
  authors' code always reads the first latent, whatever it is given.
- T is an argument everywhere; the authors' sampler draws three steps whatever the model was trained with.
- The kernels of f and g may be tied (`tied`), as the paper suggests and the code does not: the strided
  convolutions of g then use the kernels of f's transposed convolutions.
- Batch normalisation is frozen for drawing, with one set of statistics per step. The authors normalise
  by batch statistics even when sampling, so that an image depends on its batch mates. Steps beyond the
  trained number use the last step's set.
- The widths for 32x32 are 1024-512-256, as in the code; the 216 of the paper's table is taken for a slip.
- The deepest layer of g is normalised like the others, which the authors' 32x32 code does not do.
- The discriminator has no batch normalisation; see `GRANDiscriminator`.
- Convolutions start from N(0, 0.02^2), where the authors' start from N(0, 0.01^2).

Shapes: B batch, T steps, C channels, H = W = image_size, Z latent_dim.
"""

__all__ = ["GRAN", "GRANConfig", "GRANDiscriminator", "GRANState", "gran_config"]

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pentimento.models.recurrent.base import NoiseMode, SequentialGenerator
from pentimento.models.shared.blocks import KERNEL, ConvEncoder, DeconvDecoder, StepBatchNorm, base_size


class GRANState(NamedTuple):
    """The state between two steps of a drawing."""

    h_z: Tensor | None  # encoded latent, (B, Z); None if every step has a fresh one
    h_c: Tensor  # encoding of the previous delta, (B, Z)
    canvas_logits: Tensor  # sum of the deltas so far, (B, C, H, W)


@dataclass(frozen=True, kw_only=True, slots=True)
class GRANConfig:
    """Sizes of a GRAN; `gran_config` gives the paper's."""

    image_size: int = 28  # pixels
    channels: int = 1
    widths: tuple[int, ...] = (80, 40)  # of f, from the smallest map up; g mirrors them
    latent_dim: int = 60
    step_count: int = 5
    noise_mode: NoiseMode = "same"
    tied: bool = False  # g's kernels are f's
    scorer_dropout: float = 0.3  # training only

    def __post_init__(self) -> None:
        """Raises ValueError for sizes that cannot be built."""
        if not self.widths:
            raise ValueError("widths must name at least one layer")
        base_size(self.image_size, len(self.widths))
        if self.step_count < 1:
            raise ValueError(f"step_count must be at least 1, got {self.step_count}")
        if self.noise_mode not in ("same", "per_step"):
            raise ValueError(f"noise_mode must be same or per_step, got {self.noise_mode!r}")


def gran_config(
    image_size: int = 28, *, step_count: int = 5, noise_mode: NoiseMode = "same", width_divisor: int = 1
) -> GRANConfig:
    """The paper's sizes for 28x28 grey, 32x32 colour and 64x64 colour images.

    Args:
        image_size: 28, 32 or 64.
        step_count: T.
        noise_mode: Whether the latent is the same at all steps.
        width_divisor: Divides every layer's width, for smaller machines than the authors'.
    """
    tables = {28: ((80, 40), 1, 60), 32: ((1024, 512, 256), 3, 100), 64: ((1024, 512, 216, 128), 3, 100)}
    if image_size not in tables:
        raise ValueError(f"image_size must be 28, 32 or 64, got {image_size}")
    widths, channels, latent_dim = tables[image_size]
    return GRANConfig(
        image_size=image_size,
        channels=channels,
        widths=tuple(width // width_divisor for width in widths),
        latent_dim=latent_dim,
        step_count=step_count,
        noise_mode=noise_mode,
    )


def _init_weights(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=0.02)
    elif isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)


class GRAN(SequentialGenerator[GRANState]):
    """The generator: f, g and the encoding of the latent."""

    def __init__(self, config: GRANConfig) -> None:
        super().__init__()
        self.config = config
        self.step_count = config.step_count
        self.latent_dim = config.latent_dim
        self.noise_mode = config.noise_mode
        self.latent_linear = nn.Linear(config.latent_dim, config.latent_dim)
        self.latent_norm = StepBatchNorm(
            config.latent_dim, config.step_count if config.noise_mode == "per_step" else 1
        )
        self.decoder = DeconvDecoder(  # f
            2 * config.latent_dim, config.widths, config.channels, config.image_size, config.step_count
        )
        self.encoder = ConvEncoder(  # g
            config.channels, config.widths[::-1], config.latent_dim, config.image_size, config.step_count
        )
        self.apply(_init_weights)
        if config.tied:
            # A transposed convolution stores (in, out, k, k), a convolution (out, in, k, k): the same tensor.
            for conv, deconv in zip(self.encoder.convs, reversed(self.decoder.deconvs), strict=True):
                conv.weight = deconv.weight

    def initial_state(self, rows: int, latent: Tensor | None) -> GRANState:
        """The state before the first step: all logits are zero, so the canvas is mid-grey.

        Args:
            rows: B, the number of drawings.
            latent: Standard normal, shape (B, Z), if `noise_mode` is `same`; else None.
        """
        config = self.config
        weight = self.latent_linear.weight
        h_z = None
        if self.noise_mode == "same":
            if latent is None:
                raise ValueError("a drawing with the same latent at all steps needs that latent")
            h_z = self._encode_latent(latent, torch.zeros_like(latent[:, 0], dtype=torch.int64))
        return GRANState(
            h_z,
            weight.new_zeros(rows, config.latent_dim),
            weight.new_zeros(rows, config.channels, config.image_size, config.image_size),
        )

    def step(self, t: Tensor, noise: Tensor | None, state: GRANState) -> tuple[Tensor, GRANState]:
        """Adds one delta to the canvas.

        Args:
            t: 0-based step index of each row, int64, shape (B,); picks the row's statistics.
            noise: Standard normal, shape (B, Z), if `noise_mode` is `per_step`; else None.
            state: State after the previous step.

        Returns:
            Canvas in [0, 1], shape (B, C, H, W), and the next state.
        """
        h_z = state.h_z
        if self.noise_mode == "per_step":
            if noise is None:
                raise ValueError("a drawing with fresh noise at each step needs that noise")
            h_z = self._encode_latent(noise, t)
        assert h_z is not None
        delta = self.decoder(torch.cat([h_z, state.h_c.to(h_z.dtype)], dim=1), t)  # (B, 2Z) -> (B, C, H, W)
        h_c = self.encoder(delta, t)  # the next step sees the delta, not the canvas
        canvas_logits = state.canvas_logits + delta
        return torch.sigmoid(canvas_logits), GRANState(state.h_z, h_c, canvas_logits)

    def _encode_latent(self, latent: Tensor, t: Tensor) -> Tensor:
        return torch.tanh(self.latent_norm(self.latent_linear(latent), t))  # (B, Z)


class GRANDiscriminator(nn.Module):
    """Tells data from drawings: strided convolutions, then a small dense head.

    The layers and widths are the paper's (the first layer is the widest). Departures: layer instead of
    batch normalisation, because batch statistics differ between real and drawn batches and leave the
    score of a single image undefined; leaky instead of plain rectifiers, which the paper's text
    recommends; dropout while training.
    """

    def __init__(self, config: GRANConfig) -> None:
        super().__init__()
        widths = config.widths
        side = base_size(config.image_size, len(widths))
        self.convs = nn.ModuleList(
            nn.Conv2d(before, after, KERNEL, stride=2, padding=2)
            for before, after in zip([config.channels, *widths[:-1]], widths, strict=True)
        )
        # One group is layer normalisation over (C, H, W) with a weight per channel.
        self.norms = nn.ModuleList(nn.GroupNorm(1, width) for width in widths)
        # Whole channels of the wide maps, single features of the last: drawing a mask of every element of
        # the wide maps took more time than the convolutions.
        self.channel_dropout = nn.Dropout2d(config.scorer_dropout)
        self.dropout = nn.Dropout(config.scorer_dropout)
        self.hidden = nn.Linear(widths[-1] * side * side, 100)
        self.output = nn.Linear(100, 1, bias=False)
        self.apply(_init_weights)

    def forward(self, image: Tensor) -> Tensor:
        """Scores images.

        Args:
            image: Batch in [0, 1], shape (B, C, H, W).

        Returns:
            Logit per image, shape (B,): positive means that it takes the image for data.
        """
        x = image
        for index, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            if index:
                x = self.channel_dropout(x)
            x = nn.functional.leaky_relu(norm(conv(x)), 0.2)
        return self.output(torch.tanh(self.hidden(self.dropout(x.flatten(1))))).squeeze(1)
