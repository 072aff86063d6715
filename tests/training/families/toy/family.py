"""The family: one object, by which commands, loop and export know it."""

__all__ = ["FADING"]

from pentimento.training.families.family import Family
from pentimento.training.loop.training import Training
from tests.training.families.toy.config import FadingConfig, fading_mnist
from tests.training.families.toy.export import draft, load
from tests.training.families.toy.iteration import FadingPlayers, fit
from tests.training.families.toy.judge import FadingJudge


def prepare(config, dataset, classifier, device, precision):
    """The players, their judge and the iteration: what the loop needs."""
    players = FadingPlayers(config, device)
    return Training(
        config=config,
        dataset=dataset,
        players=players,
        judge=FadingJudge(dataset, players),
        iterate=lambda batch: fit(players, batch.image),
        device=device,
        precision=precision,
    )


FADING = Family(
    name="fading",
    config=FadingConfig,
    recipes={"fading-mnist": fading_mnist},
    wants_classifier=False,
    prepare=prepare,
    load=load,
    draft=draft,
)
