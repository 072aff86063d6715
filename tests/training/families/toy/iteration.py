"""The model, its players, and one iteration."""

__all__ = ["Fading", "FadingPlayers", "fit"]

import torch
from torch import nn

from pentimento.training.loop.players import Players


class Fading(nn.Module):
    """Draws mean + spread * latent / (t + 1)."""

    def __init__(self, shape):
        super().__init__()
        self.mean = nn.Parameter(torch.full(shape, 0.5))
        self.spread = nn.Parameter(torch.zeros(shape))

    def forward(self, t, latent):
        """One step: t, int64, (B,), and a latent, (B, C, H, W) -> canvas in [0, 1], (B, C, H, W)."""
        noise = self.spread * latent / (t + 1).to(latent.dtype)[:, None, None, None]
        return (self.mean + noise).clamp(0, 1)


class FadingPlayers(Players):
    """The model, its optimiser and its average; checkpoints and rates are the base class's business."""

    def __init__(self, config, device):
        self.model = Fading(config.image_shape).to(device)
        self.optimizer = torch.optim.SGD(self.model.parameters(), config.rate)
        networks, optimizers = {"model": self.model}, {"optimizer": self.optimizer}
        super().__init__(self.model, networks, optimizers, decay=config.average_decay)


def fit(players, image):
    """One iteration: pulls the mean and the spread towards those of a batch; returns figures for the log."""
    model = players.model
    distance = image - model.mean
    loss = distance.square().mean() + (distance.detach().abs() - model.spread).square().mean()
    players.optimizer.zero_grad()
    loss.backward()
    players.optimizer.step()
    return {"loss": loss.item()}
