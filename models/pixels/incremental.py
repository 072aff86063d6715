"""The exact incremental sampler of the gated two-stack layers: one call draws one row.

A full pass for each pixel computes almost everything again. Here each number is computed once (the idea of
Ramachandran et al., 2017, arXiv:1704.06001, for stacks whose vertical part reads the row above):

- once a row, for all columns: the vertical stack, from the rows that it last saw, and its links S;
- once a pixel: the horizontal stack, from the last columns of each layer's input in the current row.

For the same noise the pixels are those of `AutoregressiveModel.draw_naive`. One call is one row, so the
state between calls is small: the vertical inputs of the last rows. Rows of a batch may be at different t.
Here is the row's part; the pixel's is in `pixel_step.py`, and is repeated over the columns by
`RowSampler.columns`: a loop, which an export may replace by one of its own.

How a pixel became cheap, since dozens of small operations a pixel cost more than their arithmetic:
- the two halves of a gate are two products of the same window, so that their activations fuse with them
  (`pixel_step.py`);
- the links, biases and conditions of all layers and columns are added up once a row, and are the start that a
  product adds to;
- the output biases are moved along the residual stream into the links' biases of the layers that read them.

Shapes: B batch, H = height, W = width, I inputs, O outputs, C features, L layers, D condition, M map
channels, m rows and n taps of a layer, k kernel.
"""

__all__ = ["RowSampler", "RowState"]

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pentimento.models.pixels.gated_stack import GatedStack, gate
from pentimento.models.pixels.pixel_step import Draw, PixelStep, loop_over_columns


class RowState(NamedTuple):
    """The state between two rows of a drawing; fields that the stack has no use for are None.

    The biases and the map stay as they are from the first row to the last.
    """

    canvas: Tensor  # the rows drawn so far, zero below them, (B, I, H, W)
    rows: Tensor  # the last rows drawn, which the first layer reads, (B, I, m, W)
    above: Tensor | None  # the last vertical inputs of the other layers, (B, (L - 1) C, m - 1, W)
    vertical_bias: Tensor | None  # the condition's part in the vertical gates, (B, L, 2C)
    horizontal_bias: Tensor | None  # and in the horizontal gates and the head's, (B, L + 2, 2C)
    condition_map: Tensor | None  # (B, M, H, W)

    def drawn(self, t: Tensor, row: Tensor, above: Tensor | None) -> "RowState":
        """The state after a row, (B, I, 1, W), was drawn as row t, (B,); `above` is the next one."""
        here = (torch.arange(self.canvas.shape[2], device=t.device) == t[:, None]).to(row.dtype)  # (B, H)
        canvas = self.canvas + here[:, None, :, None] * row
        return self._replace(canvas=canvas, rows=torch.cat([self.rows[:, :, 1:], row], dim=2), above=above)


class RowSampler(nn.Module):
    """Draws row by row from a copy of a stack's weights.

    Attributes:
        columns: Repeats `pixel` over the columns; as `loop_over_columns`.
    """

    def __init__(self, stack: GatedStack, draw: Draw) -> None:
        super().__init__()
        self.config = stack.config
        self.stack = stack
        first, *others = stack.layers
        self.first_rows = first.rows
        self.cached_rows = others[0].rows - 1 if others else 0
        self._move_stream_biases()
        self.pixel = PixelStep(stack, draw)
        self.columns = loop_over_columns

    @torch.no_grad()
    def _move_stream_biases(self) -> None:
        """Output biases leave the residual stream; what they add to a window goes into the link's bias.

        Left of the image, where the stream is zero, the stream without its biases is minus their sum.
        """
        for index, layer in enumerate(self.stack.layers):
            stream = self._stream_bias(index) if index else layer.link.bias.new_zeros(self.config.inputs)
            part = layer.horizontal.weight.sum((2, 3)) @ stream
            self.register_buffer(f"link_bias_{index}", layer.link.bias + part)
            self.register_buffer(f"edge_{index}", -stream[None])

    def initial_state(
        self, rows: int, condition: Tensor | None = None, condition_map: Tensor | None = None
    ) -> RowState:
        """The state before the first row: an empty canvas.

        Args:
            rows: B, the number of drawings.
            condition: Shape (B, D), or None if D is 0.
            condition_map: Shape (B, M, H, W), or None if M is 0.
        """
        config = self.config
        nought = self.stack.outputs.weight.new_zeros
        vertical = horizontal = None
        if condition is not None:
            biases = torch.stack([bias for bias in self.stack.biases(condition) if bias is not None], dim=1)
            gates = biases[:, : 2 * config.layers].unflatten(1, (config.layers, 2))
            vertical = gates[:, :, 0]
            horizontal = torch.cat([gates[:, :, 1], biases[:, 2 * config.layers :]], dim=1)
        cached = (config.layers - 1) * config.features
        return RowState(
            nought(rows, config.inputs, config.height, config.width),
            nought(rows, config.inputs, self.first_rows, config.width),
            nought(rows, cached, self.cached_rows, config.width) if cached else None,
            vertical,
            horizontal,
            condition_map,
        )

    def step(self, t: Tensor, noise: Tensor, state: RowState) -> tuple[Tensor, RowState]:
        """Draws the next row of each drawing.

        Args:
            t: 0-based row of each drawing, int64, shape (B,). Drawings may be at different rows.
            noise: Noise of the row's places, shape (B, W) for one input, else (B, I, W).
            state: State after the previous row.

        Returns:
            The canvas, shape (B, I, H, W): rows after t are zero. And the next state.
        """
        starts, above = self.row_step(t, state)
        row = self.draw_row(starts, noise, state)  # (B, I, 1, W)
        after = state.drawn(t, row, above)
        return after.canvas, after

    def row_step(self, t: Tensor, state: RowState) -> tuple[Tensor, Tensor | None]:
        """Runs the vertical stack for one row; arguments as for `step`.

        Returns:
            What is above and outside, as what the horizontal gates' products of each column start from,
            shape (W, B, L * 2C), a layer's signal before its passing; and the next state's `above`.
        """
        config = self.config
        begun = (t > 0).to(state.canvas.dtype)[:, None, None, None]  # v above the first row is zero
        placed = self._placed(t, state)
        starts, seen = [], []
        window = state.rows
        caches = [] if state.above is None else state.above.split(config.features, dim=1)
        for index, layer in enumerate(self.stack.layers):
            p = F.conv2d(window, layer.vertical.weight, layer.vertical.bias, padding=(0, layer.side))
            link = F.conv2d(p, layer.link.weight, self.get_buffer(f"link_bias_{index}"))  # (B, 2C, 1, W)
            for vertical, horizontal in placed if index == 0 else []:
                p, link = p + vertical, link + horizontal
            if state.horizontal_bias is not None:
                link = link + state.horizontal_bias[:, index, :, None, None]
            starts.append(link)
            if index + 1 < config.layers:
                if state.vertical_bias is not None:
                    p = p + state.vertical_bias[:, index, :, None, None]
                window = torch.cat([caches[index], gate(p) * begun], dim=2)  # (B, C, m, W)
                seen.append(window[:, :, 1:])
        columns = torch.cat(starts, dim=1).squeeze(2).permute(2, 0, 1)
        return columns, torch.cat(seen, dim=1) if seen else None

    def draw_row(self, starts: Tensor, noise: Tensor, state: RowState) -> Tensor:
        """Runs the horizontal stack for one row, which draws its pixels.

        Args:
            starts: From `row_step`.
            noise: As for `step`.
            state: The state before this row; of it the condition only is read.

        Returns:
            The row, shape (B, I, 1, W).
        """
        noise = noise[:, None] if noise.dim() == 2 else noise  # (B, I, W)
        left = [
            self.get_buffer(f"edge_{index}").repeat(noise.shape[0], layer.taps - 1 + layer.first)
            for index, layer in enumerate(self.stack.layers)
        ]
        values = self.columns(self.pixel, left, starts, noise.permute(2, 0, 1), self._head_starts(state))
        return values.permute(1, 2, 0)[:, :, None]

    def _placed(self, t: Tensor, state: RowState) -> list[tuple[Tensor, Tensor]]:
        """Terms of the first layer's gates that differ from place to place: of the row above, and of row t.

        The row above the first one does not exist: whatever is taken for it is multiplied by zero later.

        Returns:
            Up to two pairs, (B, 2C, 1, W) each.
        """
        parts = []
        before = (t - 1).clamp(min=0)
        if self.stack.place is not None:
            rows = self.stack.place[0].transpose(0, 1)  # (H, 4C, W)
            vertical, horizontal = rows.chunk(2, dim=1)
            parts.append((vertical[before][:, :, None], horizontal[t][:, :, None]))
        if state.condition_map is not None and self.stack.map is not None:
            row = torch.arange(self.config.height, device=t.device)
            picks = torch.stack([row == before[:, None], row == t[:, None]], dim=1).to(state.canvas.dtype)
            rows = torch.einsum("bmhw,brh->bmrw", state.condition_map, picks)  # (B, M, 2, W)
            vertical, horizontal = self.stack.map(rows).chunk(2, dim=1)
            parts.append((vertical[:, :, :1], horizontal[:, :, 1:]))
        return parts

    def _head_starts(self, state: RowState) -> list[Tensor]:
        """What the products of the head's gates start from, (1, C), or (B, C) by condition."""
        parts = []
        for index, layer in enumerate(self.stack.head):
            bias = layer.bias[None]
            if index == 0:  # the residual stream comes without its biases
                bias = bias + F.linear(self._stream_bias(self.config.layers), layer.weight.flatten(1))
            if state.horizontal_bias is not None:
                bias = bias + state.horizontal_bias[:, self.config.layers + index]
            parts += bias.chunk(2, dim=1)
        return parts

    def _stream_bias(self, layers: int) -> Tensor:
        """Output biases of the first layers added up, shape (C,): what the residual stream leaves out."""
        biases = torch.stack([layer.output.bias for layer in self.stack.layers])
        return biases[:layers].sum(0)
