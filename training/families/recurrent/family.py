"""The recurrent family as one object, with what the loop, the commands and the export need of it."""

__all__ = ["RECURRENT"]

import torch

from pentimento.training.data.datasets import Dataset
from pentimento.training.families.family import Family
from pentimento.training.families.recurrent.config import RecurrentConfig
from pentimento.training.families.recurrent.export import draft_recurrent, load_recurrent
from pentimento.training.families.recurrent.iteration import play
from pentimento.training.families.recurrent.judge import RecurrentJudge
from pentimento.training.families.recurrent.players import RecurrentPlayers
from pentimento.training.families.recurrent.recipes import RECURRENT_RECIPES
from pentimento.training.judging.classifier import Classifier
from pentimento.training.loop.device import Precision
from pentimento.training.loop.training import Training


def _prepare(
    config: RecurrentConfig,
    dataset: Dataset,
    classifier: Classifier | None,
    device: torch.device,
    precision: Precision,
) -> Training:
    assert classifier is not None
    players = RecurrentPlayers(config, device)
    return Training(
        config=config,
        dataset=dataset,
        players=players,
        judge=RecurrentJudge(config, dataset, classifier, players),
        iterate=lambda batch: play(players, config, batch.image, precision),
        device=device,
        precision=precision,
    )


RECURRENT = Family(
    name="recurrent",
    config=RecurrentConfig,
    recipes=RECURRENT_RECIPES,
    wants_classifier=True,
    prepare=_prepare,
    load=load_recurrent,
    draft=draft_recurrent,
)
