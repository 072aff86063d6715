"""The flow family as one object."""

__all__ = ["FLOW"]

import torch

from pentimento.training.data.datasets import Dataset
from pentimento.training.families.family import Family
from pentimento.training.families.flow.config import FlowConfig
from pentimento.training.families.flow.export import draft_flow, load_flow
from pentimento.training.families.flow.iteration import fit
from pentimento.training.families.flow.judge import FlowJudge
from pentimento.training.families.flow.players import FlowPlayers
from pentimento.training.families.flow.recipes import FLOW_RECIPES
from pentimento.training.judging.classifier import Classifier
from pentimento.training.loop.device import Precision
from pentimento.training.loop.training import Training


def _prepare(
    config: FlowConfig,
    dataset: Dataset,
    classifier: Classifier | None,
    device: torch.device,
    precision: Precision,
) -> Training:
    assert classifier is not None
    players = FlowPlayers(config, device)
    return Training(
        config=config,
        dataset=dataset,
        players=players,
        judge=FlowJudge(config, dataset, classifier, players),
        iterate=lambda batch: fit(players, config, batch.image, batch.label, precision),
        device=device,
        precision=precision,
    )


FLOW = Family(
    name="flow",
    config=FlowConfig,
    recipes=FLOW_RECIPES,
    wants_classifier=True,
    prepare=_prepare,
    load=load_flow,
    draft=draft_flow,
)
