"""Draws and reconstructs with a likelihood model in torch, from the server's seeded noise."""

__all__ = ["draw_images", "prior_latent", "row_sampler"]

import torch
from torch import Tensor

from pentimento.bundle.noise import draw
from pentimento.models.latent.pixelvae import PixelVAE
from pentimento.models.latent.pixelvae_two_level import PixelVAETwoLevel, draw_maps
from pentimento.models.latent.vae import VAE
from pentimento.models.pixels.base import AutoregressiveModel
from pentimento.models.pixels.gated_pixelcnn import GatedPixelCNN
from pentimento.models.pixels.incremental import RowSampler
from pentimento.models.pixels.pixelcnn import PixelCNN
from pentimento.models.pixels.plain_incremental import PlainRowSampler
from pentimento.models.recurrent.draw import DRAW
from pentimento.models.shared.likelihoods import draw_pixels
from pentimento.training.families.draw_graphs import draw_prior
from pentimento.training.families.likelihood.config import LikelihoodModel, class_condition


def row_sampler(pixels: AutoregressiveModel) -> RowSampler | PlainRowSampler:
    """A sampler of a model's pixels that draws row by row, and computes each number once."""

    def values(outputs: Tensor, noise: Tensor) -> Tensor:
        return draw_pixels(outputs, noise, pixels.levels)

    if isinstance(pixels, GatedPixelCNN):
        return RowSampler(pixels.stack, values).eval()
    assert isinstance(pixels, PixelCNN)
    return PlainRowSampler(pixels, values).eval()


def prior_latent(model: LikelihoodModel, rows: range, seed: int) -> Tensor | None:
    """Latents from the prior, shape (B, Z), as the server would draw them; None for a model without.

    Args:
        model: Of a two-level model both levels are drawn, the maps given the vector, and joined in one row;
            so are the latents of all steps of a DRAW.
        rows: Row indices within the request.
        seed: Of the request.
    """
    if isinstance(model, AutoregressiveModel):
        return None
    device = next(model.parameters()).device
    if isinstance(model, DRAW):
        return draw_prior(model, rows, seed).to(device)
    latent = torch.from_numpy(draw(seed, "latent", (model.level_sizes[0],), rows=rows)).to(device)
    if not isinstance(model, PixelVAETwoLevel):
        return latent
    eps = torch.from_numpy(draw(seed, "map_noise", model.map_shape, rows=rows)).to(device)
    with torch.no_grad():
        sampler = RowSampler(model.prior_maps, draw_maps)
        state = sampler.initial_state(len(rows), latent, model.prior_condition(latent))
        maps = eps
        for t in range(model.map_shape[1]):
            maps, state = sampler.step(_at(t, eps), eps[:, :, t], state)
    return torch.cat([latent, maps.flatten(1)], dim=1)


@torch.no_grad()
def draw_images(model: LikelihoodModel, latent: Tensor | None, rows: range, seed: int) -> Tensor:
    """Draws images in [0, 1], shape (B, 1, H, W); of a VAE and a DRAW they are probabilities, not pixels.

    Args:
        model: In inference mode.
        latent: From `prior_latent`, or an encoding; None for a model without.
        rows: Row indices within the request, for the noise of the pixels; a class-conditional model draws
            class `row % K`.
        seed: Of the pixels' noise.
    """
    if isinstance(model, VAE):
        assert latent is not None
        return torch.sigmoid(model.decode(latent))
    if isinstance(model, DRAW):
        assert latent is not None
        return model.canvases(latent)[:, -1]
    condition = condition_map = None
    if isinstance(model, PixelVAE):
        assert latent is not None
        condition, condition_map = model.conditions(latent)
    elif isinstance(model, PixelVAETwoLevel):
        assert latent is not None
        condition_map = model.pixel_map(model.split(latent)[1])
    elif isinstance(model, GatedPixelCNN) and model.config.condition_dim:
        label = torch.tensor(list(rows)) % model.config.condition_dim
        condition = class_condition(model, label.to(next(model.parameters()).device))
    pixels = model if isinstance(model, AutoregressiveModel) else model.pixels
    shape = (pixels.height, pixels.width)
    noise = torch.from_numpy(draw(seed, "noise", shape, rows=rows, prior="uniform"))
    noise = noise.to(next(model.parameters()).device)
    sampler = row_sampler(pixels)
    state = sampler.initial_state(len(rows), condition, condition_map)
    canvas = noise[:, None]
    for t in range(pixels.height):
        canvas, state = sampler.step(_at(t, noise), noise[:, t], state)
    return canvas


def _at(t: int, like: Tensor) -> Tensor:
    return torch.full((len(like),), t, dtype=torch.int64, device=like.device)
