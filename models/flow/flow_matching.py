"""Conditional flow matching (Lipman et al., 2022, arXiv:2210.02747), with optimal-transport paths.

A field v pushes noise x_0 ~ N(0, I) along straight lines to pictures x_1, which lie in [-1, 1]:

    x_t = (1 - t) x_0 + t x_1,     v(x_t, t) is taught by  E |v(x_t, t) - (x_1 - x_0)|^2

Its least is the mean of x_1 - x_0 of all lines through x_t. Following it from t = 0 to 1, dx/dt = v, turns
the noise's distribution into the data's. A drawing of k steps follows it in k parts of 1/k, by Euler's method
or Heun's. At each step the model's estimate of the finished picture is x_t + (1 - t) v(x_t, t).

Guidance (Ho and Salimans, 2022, arXiv:2207.12598): labels are dropped in a tenth of the training, so that one
network has both fields, and  v = v_nobody + g (v_class - v_nobody).  g = 0 draws any class, g = 1 the class
as it is in the data, and more than 1 more plainly.

What differs from the paper, and why:
- The paths end in the pictures themselves; the paper's end in a Gaussian of sigma_min about them.
- Times are logit-normal (Esser et al., 2024, arXiv:2403.03206), t = sigmoid(n), n ~ N(0, 1): in the middle
  there is most to learn.

Shapes: B batch, C channels, H = W image side.
"""

__all__ = ["FlowMatching"]

import torch
from torch import Tensor, nn

from pentimento.models.flow.unet import UNet


class FlowMatching(nn.Module):
    """A field, how it is taught, and how it is followed.

    Args:
        field: Of a state, (B, C, H, W), a time, (B,), and labels, (B,), as `UNet` takes them.
        nobody: The label that means no class.
    """

    def __init__(self, field: nn.Module, nobody: int = 0) -> None:
        super().__init__()
        self.field, self.nobody = field, nobody

    @classmethod
    def of(cls, network: UNet) -> "FlowMatching":
        """With a U-Net as the field."""
        return cls(network, network.nobody)

    def loss(self, image: Tensor, noise: Tensor, time: Tensor, label: Tensor | None = None) -> Tensor:
        """The mean square of what the field errs by, over rows and pixels, a scalar.

        Args:
            image: Data in [0, 1], shape (B, C, H, W).
            noise: Standard normal, likewise.
            time: In [0, 1], shape (B,); see `times`.
            label: Class of each row, or `nobody`, shape (B,).
        """
        picture = 2 * image - 1
        at = time[:, None, None, None]
        state = (1 - at) * noise + at * picture
        return (self.field(state, time, label).float() - (picture - noise)).square().mean()

    @staticmethod
    def times(normal: Tensor) -> Tensor:
        """Logit-normal times in (0, 1) of standard normal numbers, (B,)."""
        return torch.sigmoid(normal)

    def velocity(
        self, state: Tensor, time: Tensor, label: Tensor | None = None, guidance: Tensor | None = None
    ) -> Tensor:
        """The field, with guidance if labels are given.

        Args:
            state: x_t, shape (B, C, H, W).
            time: t, shape (B,).
            label: Class of each row, shape (B,).
            guidance: g of each row, shape (B,); without it, 1.
        """
        if label is None or guidance is None:
            field: Tensor = self.field(state, time, label)
            return field
        # One after the other: as one batch of twice the rows, an exported graph would not know its size.
        free = self.field(state, time, torch.full_like(label, self.nobody))
        guided = self.field(state, time, label)
        result: Tensor = free + guidance[:, None, None, None] * (guided - free)
        return result

    def step(
        self,
        state: Tensor,
        t: Tensor,
        steps: Tensor,
        label: Tensor | None = None,
        guidance: Tensor | None = None,
        *,
        heun: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """One step of a drawing.

        Args:
            state: x_t, shape (B, C, H, W): standard normal at first.
            t: Number of steps done, int64, shape (B,).
            steps: Number of steps of the drawing, int64, shape (B,).
            label: Class of each row, shape (B,).
            guidance: g of each row, shape (B,).
            heun: Average the field over the step's ends: second order, for twice the work.

        Returns:
            The estimate of the finished picture in [0, 1], and the state after the step, (B, C, H, W) each.
        """
        part = 1 / steps.to(state.dtype)
        time, size = t * part, part[:, None, None, None]
        field = self.velocity(state, time, label, guidance)
        if heun:
            ahead = self.velocity(state + size * field, time + part, label, guidance)
            field = (field + ahead) / 2
        left = (1 - time)[:, None, None, None]
        estimate = (state + left * field + 1) / 2
        return estimate.clamp(0, 1), state + size * field

    def follow(
        self,
        state: Tensor,
        steps: int,
        label: Tensor | None = None,
        guidance: Tensor | None = None,
        *,
        heun: bool = False,
    ) -> Tensor:
        """Draws: the estimates after each of so many steps in [0, 1], shape (B, steps, C, H, W)."""
        count = torch.full((len(state),), steps, dtype=torch.int64, device=state.device)
        canvases = []
        for t in range(steps):
            canvas, state = self.step(state, torch.full_like(count, t), count, label, guidance, heun=heun)
            canvases.append(canvas)
        return torch.stack(canvases, dim=1)

    def encode(self, image: Tensor, steps: int, label: Tensor | None = None) -> Tensor:
        """The noise that a picture comes from: the field followed backwards, by Heun's method.

        Args:
            image: In [0, 1], shape (B, C, H, W).
            steps: Parts of the way; the error falls with their square.
            label: Class of each row, shape (B,).

        Returns:
            The state at t = 0, shape (B, C, H, W): about standard normal.
        """
        state = 2 * image - 1
        for t in range(steps, 0, -1):
            time = torch.full((len(state),), t / steps, dtype=state.dtype, device=state.device)
            field = self.velocity(state, time, label)
            behind = self.velocity(state - field / steps, time - 1 / steps, label)
            state = state - (field + behind) / 2 / steps
        return state
