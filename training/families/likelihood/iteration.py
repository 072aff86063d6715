"""Training by maximum likelihood: the model, its optimiser and average, and what one iteration does."""

__all__ = ["LikelihoodPlayers", "fit", "likelihood_terms"]

import copy
from typing import Any

import torch
from torch import Tensor

from pentimento.models.latent.base import Bound
from pentimento.models.pixels.base import AutoregressiveModel
from pentimento.training.data.binarise import Binarisation, binarise
from pentimento.training.families.likelihood.config import (
    LikelihoodConfig,
    LikelihoodModel,
    build_model,
    class_condition,
)
from pentimento.training.loop.averaging import move_average
from pentimento.training.loop.device import Precision, autocast


class LikelihoodPlayers:
    """Everything that an iteration changes; the counterpart of the adversarial `Players`.

    Attributes:
        model: The model that learns.
        average: Exponential moving average of its weights, which is what is evaluated and exported.
    """

    def __init__(self, config: LikelihoodConfig, device: torch.device) -> None:
        self.model: LikelihoodModel = build_model(config.model, config.seed).to(device).train()
        self.average: LikelihoodModel = copy.deepcopy(self.model).requires_grad_(False).eval()
        self._config = config
        betas = (config.beta1, config.beta2)
        self.optimizer = torch.optim.Adam(self.model.parameters(), config.rate, betas)

    def set_rates(self, factor: float) -> None:
        """Sets the learning rate to `factor` times the recipe's."""
        self.optimizer.param_groups[0]["lr"] = self._config.rate * factor

    def update_average(self, iteration: int) -> None:
        """Moves the average towards the model; see `move_average`."""
        move_average(self.average, self.model, self._config.average_decay, iteration)

    def state(self) -> dict[str, Any]:
        """For checkpoints."""
        return {name: getattr(self, name).state_dict() for name in ("model", "average", "optimizer")}

    def load(self, state: dict[str, Any]) -> None:
        """Takes up a checkpoint's state."""
        for name in ("model", "average", "optimizer"):
            getattr(self, name).load_state_dict(state[name])


def fit(
    players: LikelihoodPlayers,
    config: LikelihoodConfig,
    image: Tensor,
    label: Tensor,
    rule: Binarisation,
    precision: Precision,
    progress: float,
) -> dict[str, float]:
    """One iteration: a step up the likelihood, or up the bound with the KL's weight of the moment.

    Args:
        players: The model, changed in place.
        config: The recipe.
        image: Data in [0, 1], shape (B, 1, H, W).
        label: Class of each image, int64, shape (B,); for models that are told it.
        rule: How its pixels become binary.
        precision: Of matrix products and convolutions.
        progress: Share of the training that is done.

    Returns:
        The loss, in nats an image, and for a latent model its two parts.
    """
    with autocast(image.device, precision):
        terms = likelihood_terms(players.model, binarise(image, rule), label)
    reconstruction, levels = -terms.log_likelihood.mean(), terms.kl.mean(0)
    # Free nats (Kingma et al., 2016, arXiv:1606.04934): early on the pixel layers learn faster than the
    # latent, and without them the KL falls to nothing.
    counted = levels.clamp(min=config.free_nats).sum()
    players.optimizer.zero_grad()
    (reconstruction + config.kl_weight(progress) * counted).backward()
    # Without a limit, the rare batch of the first hundreds of iterations throws the weights far off.
    torch.nn.utils.clip_grad_norm_(players.model.parameters(), config.gradient_limit)
    players.optimizer.step()
    kl = levels.sum()
    figures = {"loss": (reconstruction + kl).item()}
    return figures | ({"kl": kl.item()} if len(levels) else {})


def likelihood_terms(model: LikelihoodModel, image: Tensor, label: Tensor) -> Bound:
    """Log p(x | z) and the KL of each level, with fresh latents; for an exact model there is no level."""
    if isinstance(model, AutoregressiveModel):
        exact = model.log_likelihood(image, class_condition(model, label))
        return Bound(exact, exact.new_zeros(len(image), 0))
    return model.bound(image, torch.randn(len(image), model.latent_dim, device=image.device))
