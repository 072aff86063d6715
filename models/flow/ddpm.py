"""Denoising diffusion (Ho et al., 2020, arXiv:2006.11239), DDPM, with DDIM's steps.

DDIM is of Song et al., 2020, arXiv:2010.02502.

A picture x, in [-1, 1], is mixed with noise eps ~ N(0, I), the more the higher the level s = 0..S, S = 1,000:

    x_s = sqrt(abar_s) x + sqrt(1 - abar_s) eps,     abar_s = prod_(r <= s) (1 - beta_r),  beta 1e-4 .. 0.02

The network is taught to tell the noise, E |eps_theta(x_s, s) - eps|^2 with s uniform in 1..S: the paper's
simple loss. At a level the estimate of the finished picture is

    x^ = (x_s - sqrt(1 - abar_s) eps_theta) / sqrt(abar_s),     cut off to [-1, 1], and eps^ the noise that
                                                                is left then,
and a step goes down to a level s' < s,

    x_s' = sqrt(abar_s') x^ + sqrt(1 - abar_s' - sigma^2) eps^ + sigma z,    z ~ N(0, I),
    sigma = eta sqrt((1 - abar_s') / (1 - abar_s)) sqrt(1 - abar_s / abar_s').

eta = 0 is DDIM: the drawing is a function of its first noise. eta = 1 through all levels is DDPM's own
sampling with the variance of q(x_(s-1) | x_s, x). A drawing of k steps takes every (S / k)-th level.

What differs from the papers, and why:
- The network is told s / S instead of s, as it is one with flow matching's; that time runs downwards here.
- The paper's U-Net has 35.7 million weights; see `unet.py`.
- Labels and guidance, see `guided.py`.

Shapes: B batch, C channels, H = W image side.
"""

__all__ = ["DDPM", "LEVELS"]

import torch
from torch import Tensor, nn

from pentimento.models.flow.guided import Guided, as_picture

LEVELS = 1000  # S


class DDPM(Guided):
    """A network that tells noise, how it is taught, and how drawings come of it.

    Attributes:
        kept: abar of every level, float32, shape (S + 1,); 1 at level 0.
    """

    kept: Tensor

    def __init__(self, field: nn.Module, nobody: int = 0) -> None:
        """Takes a network of a state, (B, C, H, W), a time, (B,), and labels, (B,)."""
        super().__init__(field, nobody)
        betas = torch.linspace(1e-4, 0.02, LEVELS, dtype=torch.float64)
        kept = torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - betas, 0)])
        self.register_buffer("kept", kept.float(), persistent=False)

    def draw_times(self, rows: int, device: torch.device) -> Tensor:
        """Levels of 1..S over S, uniform, (B,), from torch's random state."""
        return torch.randint(1, LEVELS + 1, (rows,), device=device) / LEVELS

    def loss(self, image: Tensor, noise: Tensor, time: Tensor, label: Tensor | None = None) -> Tensor:
        """The mean square of what the network errs by about the noise, over rows and pixels, a scalar.

        Args:
            image: Data in [0, 1], shape (B, C, H, W).
            noise: Standard normal, likewise.
            time: Level over S, shape (B,).
            label: Class of each row, or `nobody`, shape (B,).
        """
        state = self._mix(image, noise, (time * LEVELS).round().long())
        return (self.field(state, time, label).float() - noise).square().mean()

    def mix(self, image: Tensor, noise: Tensor, t: Tensor, steps: Tensor) -> Tensor:
        """Images mixed with noise, (B, C, H, W) each, as before step `t` of `steps`."""
        return self._mix(image, noise, _level(t, steps))

    def step(
        self,
        state: Tensor,
        t: Tensor,
        steps: Tensor,
        label: Tensor | None = None,
        guidance: Tensor | None = None,
        *,
        eta: Tensor | None = None,
        fresh: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """One step of a drawing.

        Args:
            state: x_s, shape (B, C, H, W): standard normal at first.
            t: Number of steps done, int64, shape (B,).
            steps: Number of steps of the drawing, at most S, int64, shape (B,).
            label: Class of each row, shape (B,).
            guidance: g of each row, shape (B,).
            eta: Of each row, in [0, 1], shape (B,); without it, 0.
            fresh: z, shape (B, C, H, W); needed with `eta`.

        Returns:
            The estimate of the finished picture in [0, 1], and the state after the step, (B, C, H, W) each.
        """
        level, after = _level(t, steps), _level(t + 1, steps)
        now, then = (_wide(self.kept[at]) for at in (level, after))
        told = self.ask(state, level.to(state.dtype) / LEVELS, label, guidance)
        picture = ((state - (1 - now).sqrt() * told) / now.sqrt()).clamp(-1, 1)
        noise = (state - now.sqrt() * picture) / (1 - now).sqrt()
        spread = torch.zeros_like(now)
        if eta is not None and fresh is not None:
            spread = _wide(eta) * ((1 - then) / (1 - now) * (1 - now / then)).sqrt()
        # Of two float32 numbers that are nearly the same, the difference may come out below 0.
        following = then.sqrt() * picture + (1 - then - spread.square()).clamp(min=0).sqrt() * noise
        if fresh is not None:
            following = following + spread * fresh
        return as_picture(picture), following

    def encode(self, image: Tensor, steps: int, label: Tensor | None = None) -> Tensor:
        """The noise that a picture comes from: DDIM's steps upwards, each with the noise told at its end.

        Args:
            image: In [0, 1], shape (B, C, H, W).
            steps: Parts of the way.
            label: Class of each row, shape (B,).

        Returns:
            The state at level S, shape (B, C, H, W): about standard normal.
        """
        state = 2 * image - 1
        count = torch.full((len(state),), steps, dtype=torch.int64, device=state.device)
        for t in range(steps, 0, -1):
            state = self.step_back(state, torch.full_like(count, t), count, label)
        return state

    def step_back(self, state: Tensor, t: Tensor, steps: Tensor, label: Tensor | None = None) -> Tensor:
        """The state before step `t` - 1 of `steps`, from that after it, (B, C, H, W).

        A step goes along the noise that is told at its noisy end. That end is what is wanted here, so it is
        told twice: of where the noise told at the clean end leads, and again of where that one leads.
        """
        level, before = _level(t, steps), _level(t - 1, steps)
        now, then = (_wide(self.kept[at]) for at in (level, before))
        found = state
        for _ in range(2):
            noise = self.ask(found, before.to(state.dtype) / LEVELS, label)
            picture = (state - (1 - now).sqrt() * noise) / now.sqrt()
            found = then.sqrt() * picture + (1 - then).sqrt() * noise
        return found

    def _mix(self, image: Tensor, noise: Tensor, level: Tensor) -> Tensor:
        kept = _wide(self.kept[level])
        return kept.sqrt() * (2 * image - 1) + (1 - kept).sqrt() * noise


def _level(t: Tensor, steps: Tensor) -> Tensor:
    """The level before step t: S at first, and 0 after the last."""
    return LEVELS * (steps - t) // steps


def _wide(value: Tensor) -> Tensor:
    return value[:, None, None, None]
