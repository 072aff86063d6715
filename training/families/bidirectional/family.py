"""The bidirectional family as one object: BiGAN and BiGRAN."""

__all__ = ["BIDIRECTIONAL"]

import torch

from pentimento.training.data.datasets import Dataset
from pentimento.training.families.bidirectional.config import BidirectionalConfig
from pentimento.training.families.bidirectional.export import draft_bidirectional, load_bidirectional
from pentimento.training.families.bidirectional.iteration import play
from pentimento.training.families.bidirectional.judge import BidirectionalJudge
from pentimento.training.families.bidirectional.players import BidirectionalPlayers
from pentimento.training.families.bidirectional.recipes import BIDIRECTIONAL_RECIPES
from pentimento.training.families.family import Family
from pentimento.training.judging.classifier import Classifier
from pentimento.training.loop.device import Precision
from pentimento.training.loop.training import Training


def _prepare(
    config: BidirectionalConfig,
    dataset: Dataset,
    classifier: Classifier | None,
    device: torch.device,
    precision: Precision,
) -> Training:
    assert classifier is not None
    players = BidirectionalPlayers(config, device)
    return Training(
        config=config,
        dataset=dataset,
        players=players,
        judge=BidirectionalJudge(config, dataset, classifier, players),
        iterate=lambda batch: play(players, config, batch.image, precision),
        device=device,
        precision=precision,
    )


BIDIRECTIONAL = Family(
    name="bidirectional",
    config=BidirectionalConfig,
    recipes=BIDIRECTIONAL_RECIPES,
    wants_classifier=True,
    prepare=_prepare,
    load=load_bidirectional,
    draft=draft_bidirectional,
)
