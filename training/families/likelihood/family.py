"""The likelihood family as one object: PixelCNN, VAE and PixelVAE."""

__all__ = ["LIKELIHOOD"]

import torch

from pentimento.training.data.datasets import Dataset
from pentimento.training.families.family import Family
from pentimento.training.families.likelihood.config import LikelihoodConfig
from pentimento.training.families.likelihood.export import draft_likelihood, load_likelihood
from pentimento.training.families.likelihood.iteration import fit
from pentimento.training.families.likelihood.judge import LikelihoodJudge
from pentimento.training.families.likelihood.players import LikelihoodPlayers
from pentimento.training.families.likelihood.recipes import LIKELIHOOD_RECIPES
from pentimento.training.judging.classifier import Classifier
from pentimento.training.loop.device import Precision
from pentimento.training.loop.training import Training


def _prepare(
    config: LikelihoodConfig,
    dataset: Dataset,
    classifier: Classifier | None,
    device: torch.device,
    precision: Precision,
) -> Training:
    players = LikelihoodPlayers(config, device)
    judge = LikelihoodJudge(config, dataset, players)
    return Training(
        config=config,
        dataset=dataset,
        players=players,
        judge=judge,
        iterate=lambda batch: fit(
            players, config, batch.image, batch.label, judge.rule, precision, batch.progress
        ),
        device=device,
        precision=precision,
    )


LIKELIHOOD = Family(
    name="likelihood",
    config=LikelihoodConfig,
    recipes=LIKELIHOOD_RECIPES,
    wants_classifier=False,
    prepare=_prepare,
    load=load_likelihood,
    draft=draft_likelihood,
)
