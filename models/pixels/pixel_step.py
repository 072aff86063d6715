"""One pixel of the incremental sampler, and the loop that draws a row of them; see `incremental.py`.

Shapes: B batch, W = width, I inputs, O outputs, C features, L layers, n taps of a layer.
"""

__all__ = ["Draw", "PixelStep", "loop_over_columns"]

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from pentimento.models.pixels.gated_stack import GatedStack

Draw = Callable[[Tensor, Tensor], Tensor]
"""Draws the values of a place, shape (B, I), from its outputs, (B, O), and its noise, (B, I)."""


class PixelStep(nn.Module):
    """Draws one pixel: the horizontal stack and the head at one place.

    Attributes:
        window_widths: Numbers of what each layer saw last, see `forward`.
        start_width: L * 2C.
        inputs: I.
    """

    def __init__(self, stack: GatedStack, draw: Draw) -> None:
        super().__init__()
        self.config, self.draw = stack.config, draw
        self.taps = [layer.taps for layer in stack.layers]
        first, *others = self.taps
        config = stack.config
        self.window_widths = [first * config.inputs, *((taps - 1) * config.features for taps in others)]
        self.start_width = config.layers * 2 * config.features
        self.inputs = config.inputs
        self.gates = nn.ModuleList(_Gate(layer.horizontal.weight) for layer in stack.layers)
        self.head_gates = nn.ModuleList(_Gate(layer.weight) for layer in stack.head)
        # The 1x1 convolutions of the residual stream, and at last of the outputs: (C, C) or (C, O).
        for index, conv in enumerate((*(layer.output for layer in stack.layers), stack.outputs)):
            product = conv.weight.detach().flatten(1).transpose(0, 1).contiguous()
            self.register_buffer(f"product_{index}", product)
        self.output_bias: Tensor
        self.register_buffer("output_bias", stack.outputs.bias.detach())

    def forward(
        self, windows: Sequence[Tensor], start: Tensor, noise: Tensor, head_starts: Sequence[Tensor]
    ) -> tuple[list[Tensor], Tensor]:
        """Draws a pixel.

        Args:
            windows: The inputs that each layer saw last, the oldest first: of the first layer n, shape
                (B, n * I), of the others one less than n, shape (B, (n - 1) * C).
            start: What the gates' products start from, shape (B, L * 2C).
            noise: Noise of the place, shape (B, I).
            head_starts: The same for the head, a signal and a passing for each of its gates, (B or 1, C).

        Returns:
            The windows with this pixel, and its value, shape (B, I).
        """
        features = self.config.features
        starts = iter(start.split(features, dim=1))
        after: list[Tensor] = []
        h = None
        for index, (gate_, window) in enumerate(zip(self.gates, windows, strict=True)):
            if h is not None:
                window = torch.cat([window, h], dim=1)
                after.append(h if self.taps[index] == 2 else window[:, features:])
            u = gate_(next(starts), next(starts), window)
            product = self.get_buffer(f"product_{index}")
            h = u @ product if h is None else torch.addmm(h, u, product)
        starts = iter(head_starts)
        for gate_ in self.head_gates:
            h = gate_(next(starts), next(starts), h)
        outputs = torch.addmm(self.output_bias, h, self.get_buffer(f"product_{self.config.layers}"))
        value = self.draw(outputs, noise)  # (B, I)
        first = torch.cat([windows[0][:, self.config.inputs :], value], dim=1)
        return [first, *after], value


def loop_over_columns(
    pixel: PixelStep,
    windows: Sequence[Tensor],
    starts: Tensor,
    noise: Tensor,
    head_starts: Sequence[Tensor],
) -> Tensor:
    """Draws the pixels of a row, one after the other.

    Args:
        pixel: Draws one.
        windows: As left of the image.
        starts: Shape (W, B, L * 2C).
        noise: Shape (W, B, I).
        head_starts: The same for all columns.

    Returns:
        The values, shape (W, B, I).
    """
    values = []
    for start, place_noise in zip(starts.unbind(0), noise.unbind(0), strict=True):
        windows, value = pixel(windows, start, place_noise, head_starts)
        values.append(value)
    return torch.stack(values)


class _Gate(nn.Module):
    """A gate of one place: two products of a window of inputs, (n * I, C) each."""

    def __init__(self, weight: Tensor) -> None:
        """Takes apart a convolution's weight, shape (2C, I, 1, n)."""
        super().__init__()
        matrix = weight.detach()[:, :, 0].permute(2, 1, 0).flatten(0, 1)  # (n * I, 2C)
        signal, passing = (half.contiguous() for half in matrix.chunk(2, dim=1))
        self.signal: Tensor
        self.passing: Tensor
        self.register_buffer("signal", signal)
        self.register_buffer("passing", passing)

    def forward(self, start_signal: Tensor, start_passing: Tensor, window: Tensor) -> Tensor:
        """tanh(start + window x signal) * sigmoid(start + window x passing), shape (B, C).

        Args:
            start_signal: Shape (B or 1, C).
            start_passing: Shape (B or 1, C).
            window: Shape (B, n * I).
        """
        signals = torch.tanh(torch.addmm(start_signal, window, self.signal))
        return signals * torch.sigmoid(torch.addmm(start_passing, window, self.passing))
