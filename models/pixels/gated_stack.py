"""The gated two-stack layers of Gated PixelCNN (van den Oord et al., 2016, arXiv:1606.05328).

Layer l has a vertical input v (what is above) and a horizontal input h (what is to the left):

    P  = conv_{m x k}(v),  m = floor(k / 2) + 1 rows ending in the place's own
    v' = gate(P + a)                           gate([x, y]) = tanh(x) * sigmoid(y)
    S  = 1x1(P), one row down: a place's own row is not above it
    Q  = conv_{1 x n}(h), the first layer strictly to the left, the others with the place itself
    h' = 1x1(gate(Q + S + b)) + h              no residual in the first layer, none on v

then two gated 1x1 layers and a linear one. a and b are linear in the condition (a latent, or a class as a
one-hot vector), and so are the biases of the two gated layers at the end. A map with a value for every place
(a decoder's) enters the gates of the first layer, each place seeing its own.

Conventions that the incremental sampler relies on: the link takes P *before* the condition is added; above
the first row, P is the convolution of zeros, that is its bias; v above the first row is zero.

What differs from the paper or from PixelVAE's code, and why:
- The map is added at the first layer's gates. PixelVAE's MNIST code feeds it to the masked convolution, which
  hides the map from its own place although a decoder's map gives nothing away.
- With `place_bias` the first layer's gates also have a learned bias for every place. Convolutions know where
  they are only near a border, and with few layers most of an image is far from any.
- Weights are not normalised as in PixelVAE's code; they start so that pre-activations have about unit
  variance. A gate passes on a tenth of the variance it is given, and v has no residual, so that the usual
  start leaves deep layers without a signal.

Shapes: B batch, H = height, W = width, I inputs, O outputs, C features, D condition, M map channels.
"""

__all__ = ["HEAD_LAYERS", "GatedLayer", "GatedStack", "GatedStackConfig", "gate"]

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEAD_LAYERS = 2
GATE_VARIANCE = 0.115  # E[gate(x)^2] for standard normal x


@dataclass(frozen=True, kw_only=True, slots=True)
class GatedStackConfig:
    """Sizes of the gated layers and of what they are conditioned on."""

    height: int
    width: int
    inputs: int = 1  # I, channels of the image
    outputs: int = 1  # O, numbers per place
    features: int = 16  # C
    layers: int = 6  # gated layers, the first one included
    first_kernel: int = 7
    kernel: int = 3
    condition_dim: int = 0  # D; 0 for none
    map_channels: int = 0  # M; 0 for none
    place_bias: bool = False  # whether the first layer's gates have a bias for every place

    def __post_init__(self) -> None:
        """Raises ValueError for sizes that cannot be built."""
        if self.layers < 1:
            raise ValueError(f"layers must be at least 1, got {self.layers}")
        for name in ("first_kernel", "kernel"):
            if getattr(self, name) % 2 == 0 or getattr(self, name) < 3:
                raise ValueError(f"{name} must be odd and at least 3, got {getattr(self, name)}")


def gate(x: Tensor) -> Tensor:
    """(B, 2C, ...) -> (B, C, ...): the tanh of the first half, let through by the sigmoid of the second."""
    signal, passing = x.chunk(2, dim=1)
    return torch.tanh(signal) * torch.sigmoid(passing)


class GatedLayer(nn.Module):
    """The convolutions of one layer; `GatedStack` and the incremental sampler put them together."""

    def __init__(self, inputs: int, features: int, kernel: int, *, first: bool) -> None:
        super().__init__()
        self.side = kernel // 2
        self.rows = self.side + 1  # m
        self.taps = self.side if first else self.side + 1  # n
        self.first = first
        self.vertical = nn.Conv2d(inputs, 2 * features, (self.rows, kernel))
        self.link = nn.Conv2d(2 * features, 2 * features, 1)
        self.horizontal = nn.Conv2d(inputs, 2 * features, (1, self.taps), bias=False)  # the link has one
        self.output = nn.Conv2d(features, features, 1)

    def above(self, v: Tensor) -> Tensor:
        """P one row down: row i holds P of row i - 1, so row 0 the convolution of zeros.

        Args:
            v: Rows 0 .. H - 2 of the vertical input, shape (B, inputs, H - 1, W).

        Returns:
            Shape (B, 2C, H, W).
        """
        return self.vertical(F.pad(v, (self.side, self.side, self.rows, 0)))

    def left(self, h: Tensor) -> Tensor:
        """Q, shape (B, 2C, H, W), of the horizontal input, shape (B, inputs, H, W)."""
        if self.first:
            h = h[..., :-1]
        return self.horizontal(F.pad(h, (self.taps - 1 + self.first, 0)))


class GatedStack(nn.Module):
    """Both stacks of gated layers, and the head: two gated 1x1 layers and a linear one."""

    def __init__(self, config: GatedStackConfig) -> None:
        super().__init__()
        self.config = config
        features = config.features
        self.layers = nn.ModuleList(
            GatedLayer(
                features if index else config.inputs,
                features,
                config.kernel if index else config.first_kernel,
                first=not index,
            )
            for index in range(config.layers)
        )
        self.head = nn.ModuleList(nn.Conv2d(features, 2 * features, 1) for _ in range(HEAD_LAYERS))
        self.outputs = nn.Conv2d(features, config.outputs, 1)
        self.condition = (
            nn.Linear(config.condition_dim, (2 * config.layers + HEAD_LAYERS) * 2 * features, bias=False)
            if config.condition_dim
            else None
        )
        self.map = nn.Conv2d(config.map_channels, 4 * features, 1) if config.map_channels else None
        # Rows and columns as in a map: vertical gates first, then horizontal ones.
        self.place = (
            nn.Parameter(torch.zeros(1, 4 * features, config.height, config.width))
            if config.place_bias
            else None
        )
        self._init_weights()

    def biases(self, condition: Tensor | None) -> list[Tensor | None]:
        """The biases that a condition adds to every gate.

        Args:
            condition: Shape (B, D), or None if D is 0.

        Returns:
            For each layer the vertical and the horizontal gate's, then the head's: 2 * layers + 2 entries,
            shape (B, 2C) each, or None without a condition.
        """
        if (condition is None) != (self.condition is None):
            raise ValueError(
                f"condition must have {self.config.condition_dim} numbers a row (0: none at all)"
            )
        if self.condition is None:
            return [None] * (2 * self.config.layers + HEAD_LAYERS)
        return list(self.condition(condition).split(2 * self.config.features, dim=1))

    def forward(
        self, image: Tensor, condition: Tensor | None = None, condition_map: Tensor | None = None
    ) -> Tensor:
        """Outputs of every place given the places before it in raster order.

        Args:
            image: Shape (B, I, H, W).
            condition: Shape (B, D), or None if D is 0.
            condition_map: Shape (B, M, H, W), or None if M is 0.

        Returns:
            Shape (B, O, H, W), unbounded.
        """
        biases = self.biases(condition)
        if (condition_map is None) != (self.map is None):
            raise ValueError(f"condition_map must have {self.config.map_channels} channels (0: none at all)")
        v, h = image[:, :, :-1], image  # of v the last row is not above anything
        for index, layer in enumerate(self.layers):
            above = layer.above(v)  # (B, 2C, H, W)
            left = layer.left(h) + layer.link(above)
            above = above[:, :, 1:]  # what lies above the image has done its part
            if index == 0:
                for placed in (self.place, None if self.map is None else self.map(condition_map)):
                    if placed is not None:
                        placed_v, placed_h = placed.chunk(2, dim=1)
                        above, left = above + placed_v[:, :, :-1], left + placed_h
            if index + 1 < len(self.layers):
                v = gate(_shifted(above, biases[2 * index]))
            h_next = layer.output(gate(_shifted(left, biases[2 * index + 1])))
            h = h_next if index == 0 else h_next + h
        for layer, bias in zip(self.head, biases[2 * self.config.layers :], strict=True):
            h = gate(_shifted(layer(h), bias))
        return self.outputs(h)

    def _init_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.zeros_(module.bias)
        for layer in self.layers:
            _spread(layer.vertical, from_gate=True)
            _spread(layer.output, from_gate=True, share=1 / len(self.layers))  # they add up in h
            _spread(layer.link, share=0.5)  # two terms meet in a horizontal gate
            _spread(layer.horizontal, share=0.5)
        _spread(self.head[0])
        _spread(self.head[1], from_gate=True)
        _spread(self.outputs, from_gate=True, share=0.01)
        if self.condition is not None:
            nn.init.normal_(self.condition.weight, std=0.5 * self.config.condition_dim**-0.5)


def _spread(conv: nn.Conv2d, *, from_gate: bool = False, share: float = 1.0) -> None:
    """Starts the weights so that the output has variance `share`, for inputs of variance 1 or a gate's."""
    variance = GATE_VARIANCE if from_gate else 1.0
    nn.init.normal_(conv.weight, std=(share / (variance * conv.weight[0].numel())) ** 0.5)


def _shifted(x: Tensor, bias: Tensor | None) -> Tensor:
    return x if bias is None else x + bias[:, :, None, None]
