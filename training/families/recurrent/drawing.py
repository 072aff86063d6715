"""Draws with a generator that draws in steps, from the same seeded noise as the server."""

__all__ = ["draw_chunks", "freeze_statistics", "prior_latents"]

from collections.abc import Iterator

import torch
from torch import Tensor

from pentimento.bundle.noise import draw
from pentimento.models.recurrent.base import SequentialGenerator
from pentimento.models.shared.blocks import collect_statistics

_CHUNK_ROWS = 500


def prior_latents(
    generator: SequentialGenerator, rows: range, seed: int, step_count: int | None = None
) -> Tensor:
    """Latents that the server would draw for these rows of a request with this seed.

    Returns:
        Standard normal, shape (B, Z), or (B, T, Z) if the model takes fresh noise at each step.
    """
    shape = generator.latent_shape(1, step_count)[1:]
    name = "latent" if generator.noise_mode == "same" else "noise"
    return torch.from_numpy(draw(seed, name, shape, rows=rows))


def freeze_statistics(generator: SequentialGenerator, rows: int, seed: int) -> None:
    """Collects batch normalisation's statistics of every step, over seeded latents, and sets inference mode.

    Args:
        generator: Changed in place.
        rows: Number of latents.
        seed: Of the latents.
    """
    device = next(generator.parameters()).device
    chunks = [
        prior_latents(generator, range(start, min(start + _CHUNK_ROWS, rows)), seed).to(device)
        for start in range(0, rows, _CHUNK_ROWS)
    ]
    collect_statistics(generator, [lambda latent=latent: generator.draw_last(latent) for latent in chunks])


@torch.no_grad()
def draw_chunks(
    generator: SequentialGenerator, rows: int, seed: int, step_count: int | None = None
) -> Iterator[Tensor]:
    """Draws `rows` images from seeded latents.

    Yields:
        Chunks of canvases in [0, 1] on the CPU, each of shape (B, T, C, H, W).
    """
    device = next(generator.parameters()).device
    for start in range(0, rows, _CHUNK_ROWS):
        chunk = range(start, min(start + _CHUNK_ROWS, rows))
        latent = prior_latents(generator, chunk, seed, step_count).to(device)
        yield generator.draw(latent, step_count).cpu()
