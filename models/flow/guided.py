"""What flow matching and diffusion share: a network that is guided, a drawing in steps, pixels that are held.

Both start a drawing from noise, x_0 ~ N(0, I) with t = 0, and end it in a picture, x_1 in [-1, 1]. Between
the two a state is a mixture of both; which one, and the network's task, are the model's. At each of k steps
the model has an estimate of the finished picture, and goes 1/k of the way.

Guidance (Ho and Salimans, 2022, arXiv:2207.12598): labels are hidden in a tenth of the training, so that one
network knows each class and none, and what it says is  nobody + g (class - nobody).  g = 0 draws any class,
g = 1 the class as it is in the data, and more than 1 more plainly.

Completion: before each step, pixels that are given are set to what they are at this time, mixed with the
noise that the drawing began from. So every step sees all of them, wherever they lie, as well as the noise
leaves them. The rest follows them, as one of many ways of conditioning without training (Song et al., 2021,
arXiv:2011.13456, section 5): it is no exact draw given the pixels.

Shapes: B batch, C channels, H = W image side.
"""

__all__ = ["Guided", "as_picture", "hold"]

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn


class Guided(nn.Module, ABC):
    """A network with the task of a model, and how drawings follow it.

    Args:
        field: Of a state, (B, C, H, W), a time, (B,), and labels, (B,), as `UNet` takes them.
        nobody: The label that means no class.
    """

    def __init__(self, field: nn.Module, nobody: int = 0) -> None:
        super().__init__()
        self.field, self.nobody = field, nobody
        self.evaluate_if = _evaluate_if  # an export has its own

    @abstractmethod
    def draw_times(self, rows: int, device: torch.device) -> Tensor:
        """Random times of a training's batch, in [0, 1], (B,), from torch's random state."""

    @abstractmethod
    def loss(self, image: Tensor, noise: Tensor, time: Tensor, label: Tensor | None = None) -> Tensor:
        """The mean square of what the network errs by, over rows and pixels, a scalar.

        Args:
            image: Data in [0, 1], shape (B, C, H, W).
            noise: Standard normal, likewise.
            time: From `draw_times`.
            label: Class of each row, or `nobody`, shape (B,).
        """

    @abstractmethod
    def mix(self, image: Tensor, noise: Tensor, t: Tensor, steps: Tensor) -> Tensor:
        """The state of images in [0, 1] and noise after `t` of `steps` steps, (B, C, H, W)."""

    @abstractmethod
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
            state: Where the drawing is, shape (B, C, H, W): standard normal at first.
            t: Number of steps done, int64, shape (B,).
            steps: Number of steps of the drawing, int64, shape (B,).
            label: Class of each row, shape (B,).
            guidance: g of each row, shape (B,).

        Returns:
            The estimate of the finished picture in [0, 1], and the state after the step, (B, C, H, W) each.
        """

    @abstractmethod
    def encode(self, image: Tensor, steps: int, label: Tensor | None = None) -> Tensor:
        """The noise that pictures come from: the way of a drawing backwards.

        Args:
            image: In [0, 1], shape (B, C, H, W).
            steps: Parts of the way; more err less.
            label: Class of each row, shape (B,).

        Returns:
            The state at the beginning, shape (B, C, H, W): about standard normal.
        """

    def ask(
        self, state: Tensor, time: Tensor, label: Tensor | None = None, guidance: Tensor | None = None
    ) -> Tensor:
        """What the network says, with guidance if labels are given.

        Args:
            state: Shape (B, C, H, W).
            time: Shape (B,).
            label: Class of each row, shape (B,).
            guidance: g of each row, shape (B,); without it, 1.
        """
        told: Tensor = self.field(state, time, label)
        if label is None or guidance is None:
            return told
        guided = guidance != 1
        free = self.evaluate_if(guided.any(), self.of_nobody, (state, time), told)
        # Where g = 1 what is told as it is: the same to the last bit whether others in the batch are guided.
        by = guidance[:, None, None, None]
        return torch.where(guided[:, None, None, None], free + by * (told - free), told)

    def of_nobody(self, state: Tensor, time: Tensor) -> Tensor:
        """What the network says of a state, (B, C, H, W), at a time, (B,), without a class."""
        result: Tensor = self.field(state, time, torch.full_like(time, self.nobody, dtype=torch.int64))
        return result

    def follow(
        self, state: Tensor, steps: int, label: Tensor | None = None, guidance: Tensor | None = None
    ) -> Tensor:
        """Draws: the estimates after each of so many steps in [0, 1], shape (B, steps, C, H, W)."""
        count = torch.full((len(state),), steps, dtype=torch.int64, device=state.device)
        canvases = []
        for t in range(steps):
            canvas, state = self.step(state, torch.full_like(count, t), count, label, guidance)
            canvases.append(canvas)
        return torch.stack(canvases, dim=1)


def _evaluate_if(
    condition: Tensor, function: Callable[..., Tensor], given: tuple[Tensor, ...], otherwise: Tensor
) -> Tensor:
    """`function(*given)` if a condition holds, else `otherwise`."""
    return function(*given) if bool(condition) else otherwise


def as_picture(state: Tensor) -> Tensor:
    """What lies in [-1, 1] as a picture in [0, 1]; what lies beyond is cut off."""
    return ((state + 1) / 2).clamp(0, 1)


def hold(given: Tensor, mask: Tensor, drawn: Tensor) -> Tensor:
    """`given` where the mask, (B, 1, H, W), is 1, and `drawn` elsewhere, (B, C, H, W) each."""
    return mask * given + (1 - mask) * drawn
