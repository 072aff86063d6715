"""Draws and redraws with a bidirectional model, from the same seeded noise as the server."""

__all__ = ["draw_chunks", "encoder_noise", "freeze_statistics", "from_noise", "prior_latents", "to_noise"]

from collections.abc import Iterator

import torch
from torch import Tensor

from pentimento.bundle.noise import draw
from pentimento.models.adversarial.bidirectional import BidirectionalGAN
from pentimento.models.shared.blocks import StepBatchNorm, collect_statistics

_CHUNK_ROWS = 500


def from_noise(model: BidirectionalGAN, noise: Tensor) -> Tensor:
    """Latents, (B, T, Z), of the server's noise: (B, Z) uniform in (0, 1), or (B, T, Z) standard normal."""
    return noise if model.prior == "normal" else (2 * noise - 1)[:, None]


def to_noise(model: BidirectionalGAN, latent: Tensor) -> Tensor:
    """The noise that `from_noise` makes into these latents."""
    return latent if model.prior == "normal" else (latent[:, 0] + 1) / 2


def prior_latents(model: BidirectionalGAN, rows: range, seed: int) -> Tensor:
    """Latents that the server would draw for these rows of a request with this seed, (B, T, Z)."""
    if model.prior == "normal":
        noise = draw(seed, "noise", (model.step_count, model.latent_dim), rows=rows)
    else:
        noise = draw(seed, "latent", (model.latent_dim,), rows=rows, prior="uniform")
    return from_noise(model, torch.from_numpy(noise))


def encoder_noise(model: BidirectionalGAN, rows: range, seed: int) -> Tensor:
    """The encoder's `eps` that the server would draw for these rows, (B, T, Z)."""
    shape = (model.step_count * model.latent_dim,)
    return torch.from_numpy(draw(seed, "eps", shape, rows=rows)).unflatten(1, (model.step_count, -1))


def freeze_statistics(model: BidirectionalGAN, rows: int, seed: int) -> None:
    """Collects batch normalisation's statistics over seeded latents, if there is any; sets inference mode.

    Args:
        model: Changed in place.
        rows: Number of latents.
        seed: Of the latents.
    """
    model.eval()
    if not any(isinstance(module, StepBatchNorm) for module in model.modules()):
        return
    device = next(model.parameters()).device
    chunks = [
        prior_latents(model, range(start, min(start + _CHUNK_ROWS, rows)), seed).to(device)
        for start in range(0, rows, _CHUNK_ROWS)
    ]
    collect_statistics(model, [lambda latent=latent: model.draw(latent) for latent in chunks])


@torch.no_grad()
def draw_chunks(model: BidirectionalGAN, rows: int, seed: int) -> Iterator[Tensor]:
    """Draws `rows` images from seeded latents.

    Yields:
        Chunks of canvases in [0, 1] on the CPU, each of shape (B, T, C, H, W).
    """
    device = next(model.parameters()).device
    for start in range(0, rows, _CHUNK_ROWS):
        chunk = range(start, min(start + _CHUNK_ROWS, rows))
        yield model.draw(prior_latents(model, chunk, seed).to(device)).cpu()
