"""Draws with a one-shot generator from the server's seeded noise; with labels, all classes in turn.

Shapes: B batch, C channels, H = W image size, Z latent, K classes.
"""

__all__ = ["asked_labels", "draw_chunks", "drawing_as_in_training", "freeze_statistics", "prior_latents"]

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from pentimento.bundle.noise import draw
from pentimento.models.adversarial.base import OneShotGenerator

_CHUNK_ROWS = 500


def asked_labels(rows: range, class_count: int) -> Tensor | None:
    """The class that each row is asked for: row mod K, int64, shape (B,); None if K is 0."""
    return torch.tensor([row % class_count for row in rows]) if class_count else None


def prior_latents(generator: OneShotGenerator, rows: range, seed: int) -> Tensor:
    """Latents that the server would draw for these rows of a request with this seed, shape (B, Z)."""
    latents = torch.from_numpy(draw(seed, "latent", (generator.latent_dim,), rows=rows))
    return latents.to(next(generator.parameters()).device)


@torch.no_grad()
def freeze_statistics(generator: OneShotGenerator, rows: int, seed: int) -> None:
    """Collects batch normalisation's statistics over `rows` latents, and sets inference mode.

    Averaged weights need it: running statistics of the networks that they are an average of do not fit them.
    """
    layers = [module for module in generator.modules() if isinstance(module, _BatchNorm)]
    usual = [layer.momentum for layer in layers]
    generator.train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain mean over all chunks
    if layers:
        for _ in _draw(generator, rows, seed):
            pass
    for layer, momentum in zip(layers, usual, strict=True):
        layer.momentum = momentum
    generator.eval()


@contextmanager
def drawing_as_in_training(generator: OneShotGenerator) -> Iterator[None]:
    """A context in which a batch is normalised by its own statistics, and running ones do not change.

    These are the drawings that the scorer has learned from. The generator is left in training mode.
    """
    layers = [module for module in generator.modules() if isinstance(module, _BatchNorm)]
    usual = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    generator.train()
    try:
        yield
    finally:
        for layer, momentum in zip(layers, usual, strict=True):
            layer.momentum = momentum


def draw_chunks(generator: OneShotGenerator, rows: int, seed: int) -> Iterator[Tensor]:
    """Draws `rows` images from seeded latents, with the generator in inference mode.

    Yields:
        Chunks in [0, 1] on the CPU, each of shape (B, 1, C, H, W): one canvas a drawing.
    """
    for drawn in _draw(generator.eval(), rows, seed):
        yield drawn[:, None].cpu()


@torch.no_grad()
def _draw(generator: OneShotGenerator, rows: int, seed: int) -> Iterator[Tensor]:
    for start in range(0, rows, _CHUNK_ROWS):
        chunk = range(start, min(start + _CHUNK_ROWS, rows))
        latent, label = prior_latents(generator, chunk, seed), asked_labels(chunk, generator.class_count)
        yield generator(latent, None if label is None else label.to(latent.device))
