"""One iteration of a training by maximum likelihood."""

__all__ = ["fit", "likelihood_terms"]

import torch
from torch import Tensor

from pentimento.models.latent.base import Bound
from pentimento.models.pixels.base import AutoregressiveModel
from pentimento.training.data.binarise import Binarisation, binarise
from pentimento.training.families.likelihood.config import LikelihoodConfig, LikelihoodModel, class_condition
from pentimento.training.families.likelihood.players import LikelihoodPlayers
from pentimento.training.loop.device import Precision, autocast


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
