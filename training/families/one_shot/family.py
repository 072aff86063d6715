"""The one-shot family as one object: GAN, LSGAN, WGAN, WGAN-GP, conditional GAN and AC-GAN."""

__all__ = ["ONE_SHOT"]

import torch

from pentimento.models.adversarial.architectures import build_one_shot
from pentimento.training.data.datasets import Dataset
from pentimento.training.families.family import Family
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.export import draft_one_shot, load_one_shot
from pentimento.training.families.one_shot.iteration import duel
from pentimento.training.families.one_shot.judge import OneShotJudge
from pentimento.training.families.one_shot.players import OneShotPlayers
from pentimento.training.families.one_shot.recipes import ONE_SHOT_RECIPES
from pentimento.training.judging.classifier import Classifier
from pentimento.training.loop.device import Precision
from pentimento.training.loop.training import Training


def _prepare(
    config: OneShotTrainConfig,
    dataset: Dataset,
    classifier: Classifier | None,
    device: torch.device,
    precision: Precision,
) -> Training:
    assert classifier is not None
    players = OneShotPlayers(config, *build_one_shot(config.model, config.seed), device)
    return Training(
        config=config,
        dataset=dataset,
        players=players,
        judge=OneShotJudge(config, dataset, classifier, players),
        iterate=lambda batch: duel(players, config, batch.image, batch.label, precision),
        device=device,
        precision=precision,
    )


ONE_SHOT = Family(
    name="one_shot",
    config=OneShotTrainConfig,
    recipes=ONE_SHOT_RECIPES,
    wants_classifier=True,
    prepare=_prepare,
    load=load_one_shot,
    draft=draft_one_shot,
)
