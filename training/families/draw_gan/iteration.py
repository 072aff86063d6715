"""One iteration of a DRAW-GAN training: a turn of the discriminator, then one of encoder and decoder."""

__all__ = ["ScorerCosts", "adversarial_loss", "feature_distance", "play", "scorer_costs"]

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from pentimento.models.recurrent.draw_gan import DRAWGAN, FeatureDiscriminator
from pentimento.models.shared.likelihoods import (
    Gaussian,
    gaussian_kl,
    pixel_log_likelihood,
    standard_normal,
    widened,
)
from pentimento.training.families.draw_gan.config import DRAWGANTrainConfig
from pentimento.training.families.draw_gan.players import DRAWGANPlayers
from pentimento.training.families.non_saturating import generator_loss
from pentimento.training.loop.device import Precision, autocast


class ScorerCosts(NamedTuple):
    """Cross-entropy of the discriminator's answers in nats, means over a batch."""

    real: Tensor  # of data: -log D(x)
    drawn: Tensor  # of what is drawn: -log(1 - D), reconstructions and drawings half each
    accuracy: Tensor  # share of right answers, 0..1, data and what is drawn half each


def play(
    players: DRAWGANPlayers, config: DRAWGANTrainConfig, image: Tensor, precision: Precision, progress: float
) -> dict[str, float]:
    """One iteration: D learns to tell data from what is drawn, then the DRAW learns from D.

    As in VAE-GAN's code a player that is too far ahead waits: D, while it errs on data or on drawings by less
    than equilibrium - margin; the decoder, while by more than equilibrium + margin; neither, if both should.

    Args:
        players: Networks and optimisers, changed in place.
        config: The recipe.
        image: Data in [0, 1], shape (B, 1, S, S).
        precision: Of matrix products and convolutions.
        progress: Share of the training that is done, in 0..1: it says what is learned by.

    Returns:
        In nats an image: `loss`, KL plus what the DRAW learns by (of pixels, or gamma times features),
        `kl`, `generator_loss`, the adversarial one, and `scorer_loss`; in 0..1 `scorer_accuracy`, and
        `scorer_waits`, `decoder_waits`, 1 or 0. What is not there yet is 0; nobody learns by it.
    """
    model, joint = players.model, progress >= config.pixels_until
    noise = torch.randn(2, len(image), model.draw.latent_dim, device=image.device)
    with autocast(image.device, precision):
        latent, posterior, canvas = model.draw.look_and_draw(image, noise[0])
        kl = _kl(latent, posterior)
        if progress < config.scorer_from:
            return _learn_pixels(players, config, image, kl, canvas)
        redrawn, drawn = model.redraw_and_draw(latent, noise[1])
        costs = scorer_costs(model.discriminator, image, redrawn.detach(), drawn.detach())
    scorer_waits, decoder_waits = _who_waits(config, costs) if joint else (False, False)
    if not scorer_waits:
        players.scorer_optimizer.zero_grad()
        (costs.real + costs.drawn).backward()
        players.scorer_optimizer.step()
    figures = {
        "scorer_loss": (costs.real + costs.drawn).item(),
        "scorer_accuracy": costs.accuracy.item(),
        "scorer_waits": float(scorer_waits),
        "decoder_waits": float(decoder_waits),
    }
    if not joint:
        return _learn_pixels(players, config, image, kl, canvas) | figures

    model.discriminator.requires_grad_(False)  # no loss of the DRAW may change it
    with autocast(image.device, precision):
        adversarial = adversarial_loss(model, redrawn, drawn)
        distance = feature_distance(model.discriminator, image, torch.sigmoid(canvas))
    learned_by = config.gamma * distance
    _update(players, config, kl + learned_by + adversarial, decoder_waits=decoder_waits)
    model.discriminator.requires_grad_(True)
    return {
        "loss": (kl + learned_by).item(),
        "kl": kl.item(),
        "generator_loss": adversarial.item(),
    } | figures


def scorer_costs(scorer: FeatureDiscriminator, image: Tensor, redrawn: Tensor, drawn: Tensor) -> ScorerCosts:
    """What D's answers cost on data, reconstructions and drawings, (B, 1, S, S) each."""
    real, again, new = (widened(part) for part in scorer(torch.cat([image, redrawn, drawn])).chunk(3))
    taken = torch.cat([again, new])
    return ScorerCosts(
        real=binary_cross_entropy_with_logits(real, torch.ones_like(real)),
        drawn=binary_cross_entropy_with_logits(taken, torch.zeros_like(taken)),
        accuracy=((real > 0).float().mean() + (taken < 0).float().mean()) / 2,
    )


def adversarial_loss(model: DRAWGAN, redrawn: Tensor, drawn: Tensor) -> Tensor:
    """L_adv = -log D(x_r) - log D(x_p) in nats, mean over the batch, of (B, 1, S, S) each."""
    logits = model.discriminator(torch.cat([redrawn, drawn]))
    return 2 * generator_loss(logits)


def feature_distance(scorer: FeatureDiscriminator, image: Tensor, redrawn: Tensor) -> Tensor:
    """|D_l(x) - D_l(x_r)|^2 / 2, mean over the batch, of images in [0, 1], (B, 1, S, S) each."""
    with torch.no_grad():
        wanted = scorer.features(image)
    return 0.5 * widened(scorer.features(redrawn) - wanted).square().sum(1).mean()


def _kl(latent: Tensor, posterior: Gaussian) -> Tensor:
    return gaussian_kl(posterior, standard_normal(latent)).sum(1).mean()


def _who_waits(config: DRAWGANTrainConfig, costs: ScorerCosts) -> tuple[bool, bool]:
    """Whether the discriminator, and whether the decoder is to wait."""
    both = (costs.real.item(), costs.drawn.item())
    scorer = min(both) < config.equilibrium - config.margin
    decoder = max(both) > config.equilibrium + config.margin
    return (False, False) if scorer and decoder else (scorer, decoder)


def _learn_pixels(
    players: DRAWGANPlayers, config: DRAWGANTrainConfig, image: Tensor, kl: Tensor, canvas: Tensor
) -> dict[str, float]:
    """An update by the cross-entropy of pixels, grey ones being probabilities, and the KL."""
    loss = kl - pixel_log_likelihood(canvas, image, 2).sum((1, 2, 3)).mean()
    _update(players, config, loss, share=1.0)
    nobody = dict.fromkeys(
        ("generator_loss", "scorer_loss", "scorer_accuracy", "scorer_waits", "decoder_waits"), 0.0
    )
    return {"loss": loss.item(), "kl": kl.item()} | nobody


def _update(
    players: DRAWGANPlayers,
    config: DRAWGANTrainConfig,
    loss: Tensor,
    *,
    share: float | None = None,
    decoder_waits: bool = False,
) -> None:
    """Updates the encoder, and the decoder unless it waits, at a share of the recipe's rate."""
    optimizers = (players.encoder_optimizer, players.decoder_optimizer)
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss.backward()
    for optimizer in optimizers[: 1 if decoder_waits else 2]:
        (group,) = optimizer.param_groups
        nn.utils.clip_grad_norm_(group["params"], config.gradient_limit)
        rate = group["lr"]
        group["lr"] = rate * (config.joint_share if share is None else share)
        optimizer.step()
        group["lr"] = rate
