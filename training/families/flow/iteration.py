"""One iteration: a batch, as much noise, a time for each row, an update of the network."""

__all__ = ["fit"]

import torch
from torch import Tensor

from pentimento.models.flow.flow_likelihood import LEVELS
from pentimento.training.families.flow.config import FlowConfig
from pentimento.training.families.flow.players import FlowPlayers
from pentimento.training.loop.device import Precision, autocast


def fit(
    players: FlowPlayers, config: FlowConfig, image: Tensor, label: Tensor, precision: Precision
) -> dict[str, float]:
    """Updates the network once.

    Each level of a pixel is spread over its 256th: where pictures are flat, as the black of digits is, they
    would have no density, and a likelihood no meaning. Nobody sees the difference.

    Args:
        players: Network and optimiser, changed in place.
        config: The recipe.
        image: Data in [0, 1], shape (B, C, H, W).
        label: Class of each image, int64, shape (B,).
        precision: Of matrix products and convolutions.

    Returns:
        `loss`, the mean square error of the network.
    """
    model, rows = players.model, len(image)
    noise = torch.randn_like(image)
    image = ((LEVELS - 1) * image + torch.rand_like(image)) / LEVELS
    time = model.draw_times(rows, image.device)
    told = None
    if config.class_count:
        hidden = torch.rand(rows, device=image.device) < config.dropped_labels
        told = torch.where(hidden, model.nobody, label)
    with autocast(image.device, precision):
        loss = model.loss(image, noise, time, told)
    players.optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), config.gradient_limit)
    players.optimizer.step()
    return {"loss": loss.item()}
