"""The draw_gan family as one object: DRAW-GAN, and the DRAW that it is compared with."""

__all__ = ["DRAW_GAN"]

import torch

from pentimento.training.data.datasets import Dataset
from pentimento.training.families.draw_gan.config import DRAWGANTrainConfig
from pentimento.training.families.draw_gan.export import draft_draw_gan, load_draw_gan
from pentimento.training.families.draw_gan.iteration import play
from pentimento.training.families.draw_gan.judge import DRAWGANJudge
from pentimento.training.families.draw_gan.players import DRAWGANPlayers
from pentimento.training.families.draw_gan.recipes import DRAW_GAN_RECIPES
from pentimento.training.families.family import Family
from pentimento.training.judging.classifier import Classifier
from pentimento.training.loop.device import Precision
from pentimento.training.loop.training import Training


def _prepare(
    config: DRAWGANTrainConfig,
    dataset: Dataset,
    classifier: Classifier | None,
    device: torch.device,
    precision: Precision,
) -> Training:
    assert classifier is not None
    players = DRAWGANPlayers(config, device)
    return Training(
        config=config,
        dataset=dataset,
        players=players,
        judge=DRAWGANJudge(config, dataset, classifier, players),
        iterate=lambda batch: play(players, config, batch.image, precision, batch.progress),
        device=device,
        precision=precision,
    )


DRAW_GAN = Family(
    name="draw_gan",
    config=DRAWGANTrainConfig,
    recipes=DRAW_GAN_RECIPES,
    wants_classifier=True,
    prepare=_prepare,
    load=load_draw_gan,
    draft=draft_draw_gan,
)
