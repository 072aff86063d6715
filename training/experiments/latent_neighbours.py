"""Do digits lie apart in two latents? Gulrajani et al. (2016, arXiv:1611.05013); Ahmed (2017), figure 2.5.

The paper trains a VAE and a PixelVAE with two latents, shows the test images as a scatter of posterior
means, and gives the error of their nearest neighbours: 22.9 and 7.2 %. Here the two are the recipes
`vae2d-mnist` and `pixelvae2d-mnist`, with several seeds, as another seed gives another plane.
"""

__all__ = [
    "RECIPES",
    "NeighbourPlan",
    "neighbour_config",
    "neighbour_table",
    "run_neighbours",
    "save_scatter_picture",
]

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pentimento.training.data.binarise import find_binarisation
from pentimento.training.data.datasets import Dataset
from pentimento.training.data.subset import take_rows
from pentimento.training.experiments.records import markdown_table, recorded
from pentimento.training.experiments.trainer import Trainer
from pentimento.training.families.likelihood.config import LikelihoodConfig
from pentimento.training.families.likelihood.evaluation import encoded_means, evaluate_likelihood
from pentimento.training.families.table import recipe
from pentimento.training.judging.intervals import share_interval
from pentimento.training.judging.latent_neighbours import LATENT_NEIGHBOURS, share_of_wrong_classes

RECIPES = ("vae2d-mnist", "pixelvae2d-mnist")
PUBLISHED = {"vae2d-mnist": 0.229, "pixelvae2d-mnist": 0.072}
_SHOWN_ROWS = 1500  # test images in a scatter
_SEED = 20161115  # of binarisation and latents of what is asked


@dataclass(frozen=True, kw_only=True, slots=True)
class NeighbourPlan:
    """Settings of all trainings, beyond those of the recipes."""

    dataset: str = "mnist"
    epochs: int | None = None  # None: the recipes'
    train_rows: int = 60_000  # images to train on, and to be neighbours
    asked_rows: int = 10_000  # test images

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be trained; the message names field, limit and value."""
        for name, least in (("epochs", 1), ("train_rows", 1), ("asked_rows", 10)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")


def neighbour_config(plan: NeighbourPlan, name: str, seed: int) -> LikelihoodConfig:
    """The training of a recipe with a seed."""
    config = recipe(name)
    assert isinstance(config, LikelihoodConfig)
    return replace(
        config,
        recipe=f"{name}-seed{seed}",
        dataset=plan.dataset,
        epochs=plan.epochs or config.epochs,
        seed=seed,
        sheet_iterations=10**6,  # none: drawn pixel after pixel they take longer than an epoch
    )


def run_neighbours(
    plan: NeighbourPlan, dataset: Dataset, folder: Path, *, seeds: int, trainer: Trainer
) -> Iterator[dict[str, Any]]:
    """Trains both models with each seed, in a folder each, and asks them where the test images lie.

    Yields:
        `recipe`, `seed`, the `error` with `low` and `high`, `nats` and `kl`, and of some test images `places`
        and `labels`; of each model when it is finished, or at once if it was before.

    Raises:
        ValueError: The folder holds a model that was trained with other settings.
    """
    used = take_rows(dataset, plan.train_rows)
    for seed in range(1, seeds + 1):
        for name in RECIPES:
            config = neighbour_config(plan, name, seed)
            here = folder / config.recipe
            settings = {"config": config.to_json(), "plan": asdict(plan), "dataset_sha256": dataset.sha256}
            ask = partial(_train_and_ask, plan, config, used, here, trainer)
            yield {"recipe": name, "seed": seed, **recorded(here / "found.json", settings, ask)}


def _train_and_ask(
    plan: NeighbourPlan, config: LikelihoodConfig, dataset: Dataset, folder: Path, trainer: Trainer
) -> dict[str, Any]:
    model = trainer.run(config, dataset, folder).networks
    rule = find_binarisation(dataset.train.images, config.levels)
    train, test = dataset.train, dataset.test
    known = encoded_means(model, train, rows=len(train.images), rule=rule, seed=_SEED).numpy()
    asked = encoded_means(model, test, rows=plan.asked_rows, rule=rule, seed=_SEED).numpy()
    error = share_of_wrong_classes(known, train.labels, asked, test.labels[: len(asked)])
    found = share_interval(error, math.sqrt(error * (1 - error) / len(asked)), len(asked))
    bound = evaluate_likelihood(model, test, rows=plan.asked_rows, rule=rule, seed=_SEED)
    return {
        "error": round(error, 5),
        "low": round(found.low or 0.0, 5),
        "high": None if found.high is None else round(found.high, 5),
        "rows": len(asked),
        "neighbours": LATENT_NEIGHBOURS,
        "nats": bound.nats,
        "kl": bound.kl[0],
        "places": np.round(asked[:_SHOWN_ROWS].astype(float), 3).tolist(),
        "labels": test.labels[: min(_SHOWN_ROWS, len(asked))].tolist(),
    }


def neighbour_table(found: Sequence[dict[str, Any]]) -> str:
    """Markdown: a row a model, errors in percent, with the mean of each recipe's and what was published."""
    rows = []
    for name in RECIPES:
        models = [each for each in found if each["recipe"] == name]
        for each in models:
            high = "" if each["high"] is None else f" to {100 * each['high']:.1f}"
            said = f"{100 * each['error']:.1f} ({100 * each['low']:.1f}{high})"
            rows.append((name, str(each["seed"]), said, f"{each['nats']:.2f}", f"{each['kl']:.2f}", ""))
        if models:
            mean = sum(each["error"] for each in models) / len(models)
            rows.append((name, "mean", f"{100 * mean:.1f}", "", "", f"{100 * PUBLISHED[name]:.1f}"))
    return markdown_table(("model", "seed", "neighbours' error, %", "nats", "KL", "published"), rows)


def save_scatter_picture(path: Path, found: Sequence[dict[str, Any]]) -> None:
    """Writes a PNG: test images in the plane of two latents, a row a recipe, a column a seed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    seeds = sorted({each["seed"] for each in found})
    figure = Figure(figsize=(3.4 * len(seeds) + 0.6, 7), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(RECIPES), len(seeds), squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for each in found:
        axes = grid[RECIPES.index(each["recipe"]), seeds.index(each["seed"])]
        axes.set_axis_on()
        places = np.array(each["places"])
        axes.scatter(places[:, 0], places[:, 1], c=each["labels"], cmap="tab10", vmin=0, vmax=9, s=3)
        axes.set_title(f"{each['recipe']}, seed {each['seed']}: {each['error']:.1%}", fontsize=9)
        axes.tick_params(labelsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
