"""The exact incremental sampler of the plain, one-stack PixelCNN: one call draws one row.

As for the gated stacks (`incremental.py`), a number is computed once a row or once a pixel, and for the same
noise the pixels are those of `AutoregressiveModel.draw_naive`. But here one stack sees both what is above and
what is to the left, so the features of a row are complete only when its last pixel is drawn. Hence each call
begins with the row before:

- once a row, for all columns: the features of the row above, now that it is drawn, and what they and the rows
  above add to the masked convolutions of this one;
- once a pixel: what is left of it in this row, in every layer.

The state is that of the gated sampler: `rows` are the last four drawn rows, which the features of the row
above need; `above` are the features of the row above that one.

Shapes: B batch, H = height, W = width, C features, F = C / 2 features within a block, L blocks, k the kernel,
7 in the first layer, 3 in the others.
"""

__all__ = ["PlainPixelStep", "PlainRowSampler"]

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pentimento.models.pixels.incremental import RowState
from pentimento.models.pixels.pixel_step import Draw, loop_over_columns
from pentimento.models.pixels.pixelcnn import MaskedConv, PixelCNN


class PlainPixelStep(nn.Module):
    """Draws one pixel: what its place in each masked convolution still lacks, the blocks, and the head.

    Attributes:
        window_widths: Of what each layer saw last, left of the pixel: pixels, then F features a block.
        start_width: C + L F.
        inputs: Values of a place: 1.
    """

    def __init__(self, model: PixelCNN, draw: Draw) -> None:
        super().__init__()
        self.draw, self.inputs = draw, 1
        self.sizes = [model.config.features, *(block.masked.out_channels for block in model.blocks)]
        reach = model.first.kernel_size[0] // 2
        self.window_widths = [reach, *self.sizes[1:]]
        self.start_width = sum(self.sizes)
        self.left: Tensor
        self.register_buffer("left", _columns(model.first)[:reach, 0])  # (k // 2, C)
        for index, block in enumerate(model.blocks):
            before, here = _columns(block.masked)
            self.register_buffer(f"before_{index}", before)  # (F, F)
            self.register_buffer(f"here_{index}", here)
        self.narrow = nn.ModuleList(_Place(block.narrow) for block in model.blocks)
        self.widen = nn.ModuleList(_Place(block.widen) for block in model.blocks)
        self.head = nn.ModuleList(_Place(layer) for layer in model.head if isinstance(layer, nn.Conv2d))

    def forward(
        self, windows: Sequence[Tensor], start: Tensor, noise: Tensor, head_starts: Sequence[Tensor] = ()
    ) -> tuple[list[Tensor], Tensor]:
        """Draws a pixel.

        Args:
            windows: What each layer saw last: three pixels, the oldest first, shape (B, 3), and for each
                block the features of the pixel to the left, shape (B, F).
            start: What is above adds to the masked convolutions, with their biases, shape (B, C + L F).
            noise: Noise of the place, shape (B, 1).
            head_starts: Not used: nothing conditions the head.

        Returns:
            The windows with this pixel, and its value, shape (B, 1).
        """
        first, *starts = start.split(self.sizes, dim=1)
        x = torch.addmm(first, windows[0], self.left)
        after = []
        for index, (begun, left) in enumerate(zip(starts, windows[1:], strict=True)):
            y = torch.relu(self.narrow[index](torch.relu(x)))
            masked = torch.addmm(begun, left, self.get_buffer(f"before_{index}"))
            masked = torch.addmm(masked, y, self.get_buffer(f"here_{index}"))
            x = x + self.widen[index](torch.relu(masked))
            after.append(y)
        for layer in self.head:
            x = layer(torch.relu(x))
        value = self.draw(x, noise)
        return [torch.cat([windows[0][:, 1:], value], dim=1), *after], value


class PlainRowSampler(nn.Module):
    """Draws row by row with a plain PixelCNN; used as `incremental.RowSampler` is.

    Attributes:
        columns: Repeats `pixel` over the columns; as `loop_over_columns`.
    """

    def __init__(self, model: PixelCNN, draw: Draw) -> None:
        super().__init__()
        self.config, self.model = model.config, model
        self.reach = model.first.kernel_size[0] // 2
        self.pixel = PlainPixelStep(model, draw)
        self.columns = loop_over_columns

    def initial_state(
        self, rows: int, condition: Tensor | None = None, condition_map: Tensor | None = None
    ) -> RowState:
        """The state before the first row: an empty canvas.

        Args:
            rows: B, the number of drawings.
            condition: None; a plain PixelCNN takes no vector.
            condition_map: Shape (B, M, H, W), or None if M is 0.
        """
        if condition is not None:
            raise ValueError("a PixelCNN takes no condition; GatedPixelCNN does")
        nought, width = self.model.first.weight.new_zeros, self.config.width
        cached = sum(self.pixel.sizes[1:])
        return RowState(
            nought(rows, 1, self.config.height, width),
            nought(rows, 1, self.reach + 1, width),
            nought(rows, cached, 1, width) if cached else None,
            None,
            None,
            condition_map,
        )

    def step(self, t: Tensor, noise: Tensor, state: RowState) -> tuple[Tensor, RowState]:
        """Draws the next row of each drawing.

        Args:
            t: 0-based row of each drawing, int64, shape (B,). Drawings may be at different rows.
            noise: Noise of the row's places, shape (B, W).
            state: State after the previous row.

        Returns:
            The canvas, shape (B, 1, H, W): rows after t are zero. And the next state.
        """
        features = self._row_above(t, state)
        starts = self._starts(t, state, features)
        left = [noise.new_zeros(noise.shape[0], width) for width in self.pixel.window_widths]
        values = self.columns(self.pixel, left, starts, noise.permute(1, 0)[:, :, None], [])  # (W, B, 1)
        row = values.permute(1, 2, 0)[:, :, None]  # (B, 1, 1, W)
        after = state.drawn(t, row, torch.cat(features, dim=1) if features else None)
        return after.canvas, after

    def _row_above(self, t: Tensor, state: RowState) -> list[Tensor]:
        """Features of row t - 1 within each block, (B, F, 1, W): zero above the first row, as padding is."""
        begun = (t > 0).to(state.canvas.dtype)[:, None, None, None]
        x = _upper(self.model.first, state.rows, self.reach + 1) + self._placed(t - 1, state)
        caches = [] if state.above is None else state.above.split(self.pixel.sizes[1:], dim=1)
        features = []
        for block, cache in zip(self.model.blocks, caches, strict=True):
            y = torch.relu(block.narrow(torch.relu(x))) * begun
            window = torch.cat([cache, y], dim=2)
            x = x + block.widen(torch.relu(_upper(block.masked, window, 2)))
            features.append(y)
        return features

    def _starts(self, t: Tensor, state: RowState, features: Sequence[Tensor]) -> Tensor:
        """What is above row t adds to its masked convolutions, with their biases, (W, B, C + L F)."""
        first = _upper(self.model.first, state.rows[:, :, 1:], self.reach) + self._placed(t, state)
        above = [_upper(block.masked, y, 1) for block, y in zip(self.model.blocks, features, strict=True)]
        return torch.cat([first, *above], dim=1).squeeze(2).permute(2, 0, 1)

    def _placed(self, t: Tensor, state: RowState) -> Tensor | float:
        """What the map adds to the first layer in row t, (B, C, 1, W); above the first row anything."""
        if state.condition_map is None or self.model.map is None:
            return 0.0
        here = torch.arange(self.config.height, device=t.device) == t[:, None]
        row = torch.einsum("bmhw,bh->bmw", state.condition_map, here.to(state.canvas.dtype))
        return self.model.map(row[:, :, None])


def _columns(conv: MaskedConv) -> Tensor:
    """A masked convolution's weights in its own row, up to its own place, (k // 2 + 1, inputs, outputs)."""
    middle = conv.kernel_size[0] // 2
    row = (conv.weight * conv.seen).detach()[:, :, middle, : middle + 1]  # (outputs, inputs, k // 2 + 1)
    return row.permute(2, 1, 0).contiguous()


def _upper(conv: MaskedConv, window: Tensor, rows: int) -> Tensor:
    """The first rows of a masked convolution's kernel, over as many rows of features; with its bias."""
    weight = (conv.weight * conv.seen)[:, :, :rows]
    return F.conv2d(window, weight, conv.bias, padding=(0, conv.kernel_size[1] // 2))


class _Place(nn.Module):
    """A 1x1 convolution at one place: (B, inputs) -> (B, outputs)."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        assert conv.bias is not None
        self.weight: Tensor
        self.bias: Tensor
        self.register_buffer("weight", conv.weight.detach().flatten(1).transpose(0, 1).contiguous())
        self.register_buffer("bias", conv.bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, x, self.weight)
