"""One iteration of a training by maximum likelihood: losses and an update of the model."""

__all__ = ["fit", "likelihood_terms"]

import torch
from torch import Tensor

from pentimento.models.pixels.base import AutoregressiveModel
from pentimento.models.shared.latent_model import Bound
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
    """Updates the model once, to raise the mean log-likelihood of a batch, or its bound.

    What is minimised is minus log p(x | z) plus the KL, each level at least `free_nats`, times `kl_weight`.

    Args:
        players: Model and optimiser, changed in place.
        config: The recipe.
        image: Data in [0, 1], shape (B, 1, H, W).
        label: Class of each image, int64, shape (B,); for models that are told it.
        rule: How its pixels become binary.
        precision: Of matrix products and convolutions.
        progress: Share of the training that is done, in 0..1.

    Returns:
        `loss`, minus the likelihood or its bound with all of the KL, and `kl` of a latent model: means over
        the batch, in nats an image.
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
    """Log p(x | z) and the KL of each latent level in nats an image, with latents from torch's generator.

    Args:
        model: In training mode.
        image: As the model sees it, shape (B, 1, H, W).
        label: Class of each image, int64, shape (B,); for models that are told it.

    Returns:
        Shapes (B,) and (B, levels). A model without a latent has log p(x), and no level.
    """
    if isinstance(model, AutoregressiveModel):
        exact = model.log_likelihood(image, class_condition(model, label))
        return Bound(exact, exact.new_zeros(len(image), 0))
    return model.bound(image, torch.randn(len(image), model.latent_dim, device=image.device))
