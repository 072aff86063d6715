"""Blocks that several papers share: per-step normalisation, a growing decoder, a shrinking encoder.

Shapes: B batch, T steps, C channels, H = W image size.
"""

__all__ = ["ConvEncoder", "DeconvDecoder", "StepBatchNorm", "base_size", "collect_statistics"]

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KERNEL = 5  # 5x5, stride 2, padding 2 throughout: 28 -> 14 -> 7 and back with output padding 1


def base_size(image_size: int, levels: int) -> int:
    """Side of the smallest feature map after halving the image `levels` times."""
    if image_size % 2**levels:
        raise ValueError(
            f"image_size must be a multiple of {2**levels} for {levels} levels, got {image_size}"
        )
    return image_size // 2**levels


class StepBatchNorm(nn.Module):
    """Batch normalisation with shared weights and one set of statistics per drawing step.

    The steps of a recurrent generator share their weights but not their distributions, so one common
    set of statistics fits no step. In training mode a batch is normalised by its own statistics, all
    rows being at the same step. Otherwise each row is normalised by the frozen statistics of its own
    step, which `collect_statistics` gathered: then no row depends on its batch mates. A step beyond the
    last one collected uses the last set.
    """

    def __init__(self, features: int, step_count: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))
        self.mean: Tensor
        self.variance: Tensor
        self.register_buffer("mean", torch.zeros(step_count, features))
        self.register_buffer("variance", torch.ones(step_count, features))
        # Row counts and moments of a collection under way; None outside of it.
        self._moments: list[tuple[float, Tensor, Tensor]] | None = None

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Normalises x, shape (B, F) or (B, F, H, W); t is the step of each row, shape (B,)."""
        if self.training:
            if self._moments is not None:
                self._accumulate(x, int(t[0]))
            return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)
        scale = self.weight * torch.rsqrt(self.variance + self.eps)  # (T, F)
        shift = self.bias - self.mean * scale
        step = t.clamp(max=self.mean.shape[0] - 1)
        row_shape = (-1, x.shape[1]) + (1,) * (x.dim() - 2)
        # Gathered by t, a value per row: (T, F) -> (B, F, 1, 1)
        return x * scale.index_select(0, step).view(row_shape) + shift.index_select(0, step).view(row_shape)

    def begin_collection(self) -> None:
        """Starts to add up the moments of whatever passes through in training mode."""
        steps, features = self.mean.shape
        self._moments = [
            (0.0, self.mean.new_zeros(features, dtype=torch.float64),
             self.mean.new_zeros(features, dtype=torch.float64))
            for _ in range(steps)
        ]  # fmt: skip

    def end_collection(self) -> None:
        """Freezes the collected statistics; steps that nothing passed through take the last step's."""
        moments, self._moments = self._moments or [], None
        last = (self.mean[0].clone(), self.variance[0].clone())
        for t, (count, total, squares) in enumerate(moments):
            if count:
                mean = total / count
                last = (mean.float(), (squares / count - mean**2).clamp(min=0).float())
            self.mean[t], self.variance[t] = last

    def _accumulate(self, x: Tensor, t: int) -> None:
        assert self._moments is not None
        if t >= len(self._moments):
            return
        dims = (0, *range(2, x.dim()))
        values = x.detach().double()
        count, total, squares = self._moments[t]
        self._moments[t] = (
            count + values.numel() / values.shape[1],
            total + values.sum(dims),
            squares + (values**2).sum(dims),
        )


@torch.no_grad()
def collect_statistics(model: nn.Module, passes: Sequence[Callable[[], object]]) -> None:
    """Freezes the statistics of every `StepBatchNorm` in a model, and leaves it in inference mode.

    Args:
        model: Model whose normalisation layers are filled.
        passes: Each runs the model over one chunk of latents, through all steps. The chunks must be
            large (hundreds of rows), because each is normalised by its own statistics on the way.
    """
    layers = [module for module in model.modules() if isinstance(module, StepBatchNorm)]
    model.train()
    for layer in layers:
        layer.begin_collection()
    for run in passes:
        run()
    for layer in layers:
        layer.end_collection()
    model.eval()


class DeconvDecoder(nn.Module):
    """Vector -> image-sized map: a linear layer, then transposed convolutions that double the side.

    Normalised after the linear layer only; the last layer is linear, for it draws logits.
    """

    def __init__(
        self, inputs: int, widths: Sequence[int], channels: int, image_size: int, step_count: int
    ) -> None:
        super().__init__()
        side = base_size(image_size, len(widths))
        self.base_shape = (widths[0], side, side)
        self.linear = nn.Linear(inputs, widths[0] * side * side)
        self.norm = StepBatchNorm(widths[0] * side * side, step_count)
        self.deconvs = nn.ModuleList(
            nn.ConvTranspose2d(before, after, KERNEL, stride=2, padding=2, output_padding=1)
            for before, after in zip(widths, [*widths[1:], channels], strict=True)
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """(B, inputs) -> (B, C, H, W), unbounded."""
        x = torch.relu(self.norm(self.linear(x), t)).unflatten(1, self.base_shape)  # -> (B, W0, h, w)
        for index, deconv in enumerate(self.deconvs):
            x = deconv(torch.relu(x) if index else x)
        return x


class ConvEncoder(nn.Module):
    """Image-sized map -> vector: strided convolutions and a linear layer, each normalised, then tanh."""

    def __init__(
        self, channels: int, widths: Sequence[int], outputs: int, image_size: int, step_count: int
    ) -> None:
        super().__init__()
        side = base_size(image_size, len(widths))
        self.convs = nn.ModuleList(
            # No bias: the normalisation that follows has one.
            nn.Conv2d(before, after, KERNEL, stride=2, padding=2, bias=False)
            for before, after in zip([channels, *widths[:-1]], widths, strict=True)
        )
        self.norms = nn.ModuleList(StepBatchNorm(width, step_count) for width in widths)
        self.linear = nn.Linear(widths[-1] * side * side, outputs)
        self.norm = StepBatchNorm(outputs, step_count)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, outputs), in (-1, 1)."""
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = torch.relu(norm(conv(x), t))
        return torch.tanh(self.norm(self.linear(x.flatten(1)), t))
