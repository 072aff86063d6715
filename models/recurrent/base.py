"""The interface of models that draw step by step.

A drawing starts with `initial_state` and goes on with `step`, as often as wanted. The state is a value
that goes in and comes out: nothing is remembered on the model, so that drawings can share a batch,
pause, and be exported as graphs that a server calls one step at a time.

Shapes: B batch, T steps, C channels, H = W image size, Z latent.
"""

__all__ = ["NoiseMode", "SequentialGenerator"]

from abc import ABC, abstractmethod
from typing import Generic, Literal, TypeVar

import torch
from torch import Tensor, nn

NoiseMode = Literal["same", "per_step"]
"""`same`: one latent for the whole drawing. `per_step`: a fresh latent at every step."""

State = TypeVar("State", bound=tuple)


class SequentialGenerator(nn.Module, ABC, Generic[State]):
    """A generator that draws an image in steps.

    Attributes:
        step_count: Number of steps it is trained with.
        latent_dim: Z, the size of one latent.
        noise_mode: Whether `initial_state` takes the latent or `step` takes a fresh one each time.
    """

    step_count: int
    latent_dim: int
    noise_mode: NoiseMode

    @abstractmethod
    def initial_state(self, rows: int, latent: Tensor | None) -> State:
        """The state before the first step.

        Args:
            rows: B, the number of drawings.
            latent: Standard normal, shape (B, Z), if `noise_mode` is `same`; else None.
        """

    @abstractmethod
    def step(self, t: Tensor, noise: Tensor | None, state: State) -> tuple[Tensor, State]:
        """Draws one step.

        Args:
            t: 0-based step index of each row, int64, shape (B,). Rows may be at different steps.
            noise: Standard normal, shape (B, Z), if `noise_mode` is `per_step`; else None.
            state: State after the previous step.

        Returns:
            Canvas in [0, 1], shape (B, C, H, W), and the next state.
        """

    def draw(self, latent: Tensor, step_count: int | None = None) -> Tensor:
        """Draws images from given latents and keeps every canvas.

        Args:
            latent: Standard normal; shape (B, Z) if `noise_mode` is `same`, (B, T, Z) if `per_step`.
            step_count: T, by default the number of steps the model is trained with.

        Returns:
            The canvas after every step, in [0, 1], shape (B, T, C, H, W).
        """
        return torch.stack(self._canvases(latent, step_count or self.step_count), dim=1)

    def draw_last(self, latent: Tensor) -> Tensor:
        """The finished image only, in [0, 1], shape (B, C, H, W); arguments as for `draw`."""
        return self._canvases(latent, self.step_count)[-1]

    def latent_shape(self, rows: int, step_count: int | None = None) -> tuple[int, ...]:
        """Shape of the latents that `draw` takes: (B, Z) or (B, T, Z)."""
        if self.noise_mode == "same":
            return (rows, self.latent_dim)
        return (rows, step_count or self.step_count, self.latent_dim)

    def _canvases(self, latent: Tensor, step_count: int) -> list[Tensor]:
        per_step = self.noise_mode == "per_step"
        if per_step and latent.shape[1] < step_count:
            raise ValueError(f"latent holds {latent.shape[1]} steps, but step_count is {step_count}")
        rows = latent.shape[0]
        state = self.initial_state(rows, None if per_step else latent)
        canvases = []
        for t in range(step_count):
            step_index = torch.full((rows,), t, dtype=torch.int64, device=latent.device)
            canvas, state = self.step(step_index, latent[:, t] if per_step else None, state)
            canvases.append(canvas)
        return canvases
