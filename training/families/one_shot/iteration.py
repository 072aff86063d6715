"""One iteration of an adversarial training in one step: updates of the scorer, then one of the generator.

The scorer is a discriminator or a critic, by the objective.

Shapes: B batch, C channels, H = W image size, K classes.
"""

__all__ = ["ScorerTerms", "duel", "scorer_terms", "update_scorer"]

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from pentimento.models.adversarial.base import Judgement, OneShotScorer
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.objectives import OBJECTIVES
from pentimento.training.families.one_shot.penalties import (
    HistoricalAverage,
    clip_weights,
    feature_distance,
    gradient_norms,
    interpolate,
    norm_penalty,
)
from pentimento.training.families.one_shot.players import OneShotPlayers
from pentimento.training.loop.device import Precision, autocast


class ScorerTerms(NamedTuple):
    """A scorer's losses on a batch, and the scores and gradient norms that they are made of."""

    loss: Tensor  # the objective's loss, with the gradient penalty if there is one
    class_loss: Tensor | None  # of the auxiliary classifier, nats; None without one
    real_score: Tensor  # (B,)
    drawn_score: Tensor  # (B,)
    norms: Tensor | None  # of the gradient between data and drawings, (B,); None without a penalty


def scorer_terms(
    scorer: OneShotScorer,
    config: OneShotTrainConfig,
    real: Tensor,
    drawn: Tensor,
    label: Tensor,
    epsilon: Tensor,
    precision: Precision,
) -> ScorerTerms:
    """Computes a scorer's losses on data and drawings.

    Args:
        scorer: The discriminator or critic.
        config: The recipe.
        real: Data in [0, 1], shape (B, C, H, W).
        drawn: Drawings in [0, 1], shape (B, C, H, W).
        label: Classes of the data, which the drawings were asked for too, so that what lies between a row's
            two images has one class; shape (B,).
        epsilon: Where on the segment between a row's two images the gradient is penalised, shape (B,).
        precision: Of matrix products and convolutions; the penalty is always in float32.
    """
    with autocast(real.device, precision):
        # Apart, because batch normalisation and minibatch discrimination compare the rows of a call.
        said_real, said_drawn = (_say(scorer, config, image, label) for image in (real, drawn))
    objective = OBJECTIVES[config.objective]
    loss = objective.scorer_loss(said_real.score, said_drawn.score, config.real_label)
    norms = class_loss = None
    if config.gradient_penalty:
        between = interpolate(real, drawn, epsilon)
        norms = gradient_norms(lambda image: _say(scorer, config, image, label).score, between)
        loss = loss + config.gradient_penalty * norm_penalty(norms)
    if said_real.class_logits is not None:
        class_loss = cross_entropy(said_real.class_logits.float(), label)
        if config.classify_drawn:
            class_loss = class_loss + _class_loss(said_drawn, label)
    return ScorerTerms(loss, class_loss, said_real.score.float(), said_drawn.score.float(), norms)


def update_scorer(
    scorer: OneShotScorer,
    optimizer: torch.optim.Optimizer,
    config: OneShotTrainConfig,
    real: Tensor,
    drawn: Tensor,
    label: Tensor,
    precision: Precision,
    history: HistoricalAverage | None = None,
) -> ScorerTerms:
    """Updates a scorer once, by data and drawings; places of the gradient penalty are torch's choice.

    Args:
        scorer: The discriminator or critic, changed in place.
        optimizer: Its own.
        config: The recipe.
        real: As for `scorer_terms`, like the next three.
        drawn: Likewise.
        label: Likewise.
        precision: Likewise.
        history: The mean of its past weights; None without historical averaging.
    """
    epsilon = torch.rand(len(real), device=real.device)
    terms = scorer_terms(scorer, config, real, drawn, label, epsilon, precision)
    loss = terms.loss
    if terms.class_loss is not None:
        loss = loss + config.scorer_class_weight * terms.class_loss
    if history is not None:
        loss = loss + config.historical_averaging * history.distance()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if config.weight_clip is not None:
        clip_weights(scorer, config.weight_clip)
    return terms


def duel(
    players: OneShotPlayers, config: OneShotTrainConfig, image: Tensor, label: Tensor, precision: Precision
) -> dict[str, float]:
    """Trains both networks for one iteration: updates of the scorer, then one of the generator.

    Args:
        players: Networks and optimisers, changed in place.
        config: The recipe.
        image: Data in [0, 1], a batch for each update of the scorer, shape (B * updates, C, H, W).
        label: Its classes, int64, shape (B * updates,).
        precision: Of matrix products and convolutions.

    Returns:
        Figures by name. Always both losses, in the objective's unit; the scorer's accuracy, 0..1, or for a
        critic the mean score of data less that of drawings; with a gradient penalty the mean norm; with an
        auxiliary classifier its loss, in nats. Those of the scorer are of its last update.
    """
    generator, scorer, device = players.generator, players.scorer, image.device
    image = image.contiguous(memory_format=torch.channels_last)
    conditional = config.model.conditioning != "none"
    batches = zip(image.chunk(config.scorer_updates), label.chunk(config.scorer_updates), strict=True)
    for real, asked in batches:
        with torch.no_grad(), autocast(device, precision):
            drawn = generator(generator.latents(len(real), device), asked if conditional else None).float()
        history = players.histories.get("scorer")
        terms = update_scorer(
            scorer, players.scorer_optimizer, config, real, drawn, asked, precision, history
        )

    scorer.requires_grad_(False)  # its gradients would be thrown away
    with autocast(device, precision):
        drawn = generator(generator.latents(len(real), device), asked if conditional else None)
        said = _say(scorer, config, drawn, asked)
        if config.feature_matching:
            loss_g = feature_distance(_say(scorer, config, real, asked).features, said.features)
        else:
            loss_g = OBJECTIVES[config.objective].generator_loss(said.score)
    total_g = loss_g
    if said.class_logits is not None:
        total_g = total_g + config.generator_class_weight * _class_loss(said, asked)
    if players.histories:
        total_g = total_g + config.historical_averaging * players.histories["generator"].distance()
    players.generator_optimizer.zero_grad()
    total_g.backward()
    players.generator_optimizer.step()
    scorer.requires_grad_(True)
    for history in players.histories.values():
        history.update()
    return {"generator_loss": loss_g.item(), "scorer_loss": terms.loss.item(), **_figures(config, terms)}


def _say(scorer: OneShotScorer, config: OneShotTrainConfig, image: Tensor, label: Tensor) -> Judgement:
    """The scorer's output for a batch; the class goes in only where the scorer is conditioned on it."""
    judgement: Judgement = scorer(image, label if config.model.conditioning == "concat" else None)
    return judgement


def _class_loss(said: Judgement, label: Tensor) -> Tensor:
    assert said.class_logits is not None
    return cross_entropy(said.class_logits.float(), label)


def _figures(config: OneShotTrainConfig, terms: ScorerTerms) -> dict[str, float]:
    boundary = OBJECTIVES[config.objective].decision
    if boundary is None:
        figures = {"score_gap": (terms.real_score.mean() - terms.drawn_score.mean()).item()}
    else:
        decision = boundary(config.real_label)
        hits = torch.cat([terms.real_score > decision, terms.drawn_score < decision])
        figures = {"scorer_accuracy": hits.float().mean().item()}
    if terms.norms is not None:
        figures["gradient_norm"] = terms.norms.mean().item()
    if terms.class_loss is not None:
        figures["class_loss"] = terms.class_loss.item()
    return figures
