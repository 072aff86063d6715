"""Conditional flow matching (Lipman et al., 2022, arXiv:2210.02747), with optimal-transport paths.

A field v pushes noise x_0 ~ N(0, I) along straight lines to pictures x_1, which lie in [-1, 1]:

    x_t = (1 - t) x_0 + t x_1,     v(x_t, t) is taught by  E |v(x_t, t) - (x_1 - x_0)|^2

Its least is the mean of x_1 - x_0 of all lines through x_t. Following it from t = 0 to 1, dx/dt = v, turns
the noise's distribution into the data's. A drawing of k steps follows it in k parts of 1/k, by Euler's method
or Heun's. At each step the model's estimate of the finished picture is x_t + (1 - t) v(x_t, t).

What differs from the paper, and why:
- The paths end in the pictures themselves; the paper's end in a Gaussian of sigma_min about them.
- Half of the times are logit-normal (Esser et al., 2024, arXiv:2403.03206), t = sigmoid(n), n ~ N(0, 1): in
  the middle there is most to learn. The others are uniform, as the paper's: a logit-normal time hardly ever
  lies near 0, where a drawing begins and its class is decided, and networks as small and trained as shortly
  as those here had their first estimates full of specks, and drew the wrong class in a tenth of the cases.
- Labels and guidance, see `guided.py`.

Shapes: B batch, C channels, H = W image side.
"""

__all__ = ["FlowMatching"]

import torch
from torch import Tensor, nn

from pentimento.models.flow.guided import Guided, as_picture


class FlowMatching(Guided):
    """A field, how it is taught, and how it is followed.

    Args:
        field: Of a state, (B, C, H, W), a time, (B,), and labels, (B,), as `UNet` takes them.
        nobody: The label that means no class.
        heun: Whether steps average the field over their ends: second order, for twice the work.
    """

    def __init__(self, field: nn.Module, nobody: int = 0, *, heun: bool = False) -> None:
        super().__init__(field, nobody)
        self.heun = heun

    def draw_times(self, rows: int, device: torch.device) -> Tensor:
        """Times in [0, 1], half of them uniform and half logit-normal, (B,), from torch's random state."""
        uniform = torch.rand(rows, device=device)
        middle = torch.sigmoid(torch.randn(rows, device=device))
        return torch.where(torch.rand(rows, device=device) < 0.5, uniform, middle)

    def loss(self, image: Tensor, noise: Tensor, time: Tensor, label: Tensor | None = None) -> Tensor:
        """The mean square of what the field errs by, over rows and pixels, a scalar.

        Args:
            image: Data in [0, 1], shape (B, C, H, W).
            noise: Standard normal, likewise.
            time: In [0, 1], shape (B,).
            label: Class of each row, or `nobody`, shape (B,).
        """
        state = _between(image, noise, time)
        return (self.field(state, time, label).float() - (2 * image - 1 - noise)).square().mean()

    def mix(self, image: Tensor, noise: Tensor, t: Tensor, steps: Tensor) -> Tensor:
        """The point of the line from noise to image, (B, C, H, W) each, after `t` of `steps` steps."""
        return _between(image, noise, t * (1 / steps.to(noise.dtype)))

    def step(
        self,
        state: Tensor,
        t: Tensor,
        steps: Tensor,
        label: Tensor | None = None,
        guidance: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """One step of a drawing.

        Args:
            state: x_t, shape (B, C, H, W): standard normal at first.
            t: Number of steps done, int64, shape (B,).
            steps: Number of steps of the drawing, int64, shape (B,).
            label: Class of each row, shape (B,).
            guidance: g of each row, shape (B,).

        Returns:
            The estimate of the finished picture in [0, 1], and the state after the step, (B, C, H, W) each.
        """
        part = 1 / steps.to(state.dtype)
        time, size = t * part, part[:, None, None, None]
        field = self.ask(state, time, label, guidance)
        if self.heun:
            ahead = self.ask(state + size * field, time + part, label, guidance)
            field = (field + ahead) / 2
        left = (1 - time)[:, None, None, None]
        return as_picture(state + left * field), state + size * field

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
            time = state.new_full((len(state),), t / steps)
            state = self.step_back(state, time, 1 / steps, label)
        return state

    def step_back(self, state: Tensor, time: Tensor, size: float, label: Tensor | None = None) -> Tensor:
        """The state `size` before x_t, (B, C, H, W), by Heun's method; `time` is t, (B,)."""
        field = self.ask(state, time, label)
        behind = self.ask(state - size * field, time - size, label)
        return state - size * (field + behind) / 2


def _between(image: Tensor, noise: Tensor, time: Tensor) -> Tensor:
    at = time[:, None, None, None]
    return (1 - at) * noise + at * (2 * image - 1)
