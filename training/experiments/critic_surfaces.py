"""What a critic can say whose weights are clipped? Gulrajani et al. (2017, arXiv:1704.00028), section 3.

The generator is fixed: what it draws are data with noise of unit variance, so a critic has one thing to learn
and all the time for it. Two kinds of part:

- **surfaces** of critics of three layers over toys of the plane. The paper shows that those with clipped
  weights ignore all but the rough shape. As figures: how often data are scored above drawings (a half is what
  chance gives), how many valleys between neighbouring pieces of data the critic sees, and its mean slope
  between data and drawings, which is 1 for the best critic.
- **deep** critics of twelve layers on the spiral. The paper shows that gradients explode or vanish on their
  way through the layers, whatever the limit, and that clipped weights pile up at both ends.

Optimisers are the papers', RMSprop for clipping and Adam for the penalty, at one and the same rate: five to
ten times theirs, for as many fewer updates.
"""

__all__ = ["WAYS", "SurfacePlan", "deep_part", "run_surfaces", "surface_part"]

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pentimento.models.adversarial.config import OneShotConfig
from pentimento.training.experiments.plane import TOYS, PlaneCritic, pairs_of, sample
from pentimento.training.experiments.records import recorded
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.iteration import update_scorer
from pentimento.training.families.one_shot.objectives import OBJECTIVES
from pentimento.training.families.one_shot.penalties import gradient_norms, interpolate
from pentimento.training.families.one_shot.players import make_optimizer

WAYS: dict[str, float | None] = {"clip 0.1": 0.1, "clip 0.01": 0.01, "clip 0.001": 0.001, "penalty": None}
SURFACE_WAYS = ("clip 0.01", "penalty")
SIDE, EDGE = 41, 2.0  # of the grid that a surface is read on, and where it ends
BINS = 41  # of the histogram of weights
_SHALLOW = 3
_SAID_EVERY = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class SurfacePlan:
    """Settings of all parts."""

    iterations: int = 2000  # updates of a critic of three layers
    deep_iterations: int = 300  # of one of twelve
    hidden: int = 128  # features of a layer
    deep_hidden: int = 256
    depth: int = 12  # layers of the deep ones
    batch_rows: int = 128  # points of data, and as many drawings
    rate: float = 5e-4
    penalty: float = 0.1  # weight of the gradient penalty, the authors' for toys
    asked_rows: int = 2000  # points of each kind that a finished critic is asked about
    seeds: int = 3

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be trained; the message names field, limit and value."""
        for name in (
            "iterations",
            "deep_iterations",
            "hidden",
            "deep_hidden",
            "depth",
            "batch_rows",
            "seeds",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.asked_rows < 10:
            raise ValueError(f"asked_rows must be at least 10, got {self.asked_rows}")


def run_surfaces(
    plan: SurfacePlan, folder: Path, said: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Trains all critics that the folder does not have yet.

    Args:
        plan: Settings.
        folder: Where each part leaves its file.
        said: Told what is being done.

    Returns:
        The plan, and the parts of both kinds, each with its toy or way and seed.

    Raises:
        ValueError: The folder holds parts of another plan.
    """
    settings = asdict(plan)
    del settings["seeds"]  # more of them may be asked for later
    surfaces, deep = [], []

    def part(name: str, compute: Callable[[Callable[[int], None]], dict[str, Any]]) -> dict[str, Any]:
        path = folder / "parts" / f"{name.replace(' ', '-')}.json"
        return recorded(path, settings, lambda: compute(lambda update: said(f"{name}: update {update}")))

    for seed in range(1, plan.seeds + 1):
        for toy in TOYS:
            for way in SURFACE_WAYS:
                found = part(f"{toy} {way} seed {seed}", partial(surface_part, plan, toy, way, seed))
                surfaces.append({"toy": toy, "way": way, "seed": seed, **found})
        for way in WAYS:
            found = part(f"deep {way} seed {seed}", partial(deep_part, plan, way, seed))
            deep.append({"way": way, "seed": seed, **found})
    return {"plan": asdict(plan), "surfaces": surfaces, "deep": deep}


def surface_part(
    plan: SurfacePlan, toy: str, way: str, seed: int, progress: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """Trains a critic of three layers over a toy, and reads it.

    Returns:
        `told_apart`, `valleys` (shares, 0..1), `slope`, and its `surface` over -2..2, row by row from below.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        critic = PlaneCritic(_SHALLOW, plan.hidden)
        _train(critic, plan, toy, way, plan.iterations, progress)
        real, drawn = _points(toy, plan.asked_rows)
        share = torch.rand(plan.asked_rows)
    side = torch.linspace(-EDGE, EDGE, SIDE)
    places = torch.stack([side.repeat(SIDE), side.repeat_interleave(SIDE)], dim=1)
    norms = gradient_norms(lambda image: critic(image).score, interpolate(real, drawn, share), learn=False)
    with torch.no_grad():
        ends = critic(pairs_of(toy).flatten(0, 1)).score.unflatten(0, (-1, 2))  # (P * 2,) -> (P, 2)
        between = critic(pairs_of(toy).mean(1)).score
        surface = critic(places).score
        told = _told_apart(critic(real).score, critic(drawn).score)
    return {
        "told_apart": round(told, 4),
        "valleys": round(float((ends.min(1).values > between).float().mean()), 4),
        "slope": float(f"{norms.mean().item():.4g}"),
        "surface": [float(f"{value:.5g}") for value in surface.tolist()],
    }


def deep_part(
    plan: SurfacePlan, way: str, seed: int, progress: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """Trains a deep critic on the spiral, and reads its gradients and weights.

    Returns:
        `gradients`, log10 of the mean norm of the scores' gradient at each layer's output, that next to the
        points first; None where it is zero. `at_the_ends`, the share of weights within a hundredth of their
        limit, None without one. `weights`, a histogram over -`reach`..`reach`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        critic = PlaneCritic(plan.depth, plan.deep_hidden)
        _train(critic, plan, "swiss_roll", way, plan.deep_iterations, progress)
        real, drawn = _points("swiss_roll", plan.asked_rows // 2)
    weights = torch.cat([layer.weight.detach().flatten() for layer in (*critic.layers, critic.last)])
    limit = WAYS[way]
    reach = limit or float(weights.abs().max())
    ends = None if limit is None else round(float((weights.abs() > 0.99 * limit).float().mean()), 4)
    return {
        "gradients": _layer_gradients(critic, torch.cat([real, drawn])),
        "at_the_ends": ends,
        "reach": float(f"{reach:.4g}"),
        "weights": [int(count) for count in torch.histc(weights, BINS, -reach, reach).tolist()],
    }


def _train(
    critic: PlaneCritic,
    plan: SurfacePlan,
    toy: str,
    way: str,
    iterations: int,
    progress: Callable[[int], None],
) -> None:
    """Lets a critic tell data from drawings of a generator that stays as it is."""
    config = _config(plan, way)
    optimizer = make_optimizer(config, critic, plan.rate)
    label = torch.zeros(plan.batch_rows, dtype=torch.int64)
    for iteration in range(iterations):
        real, drawn = _points(toy, plan.batch_rows)
        update_scorer(critic, optimizer, config, real, drawn, label, "float32")
        if iteration % _SAID_EVERY == 0:
            progress(iteration + 1)


def _config(plan: SurfacePlan, way: str) -> OneShotTrainConfig:
    objective = "wgan_gp" if WAYS[way] is None else "wgan"
    changed = {"weight_clip": WAYS[way], "scorer_rate": plan.rate}
    changed["gradient_penalty"] = plan.penalty if WAYS[way] is None else 0.0
    return OneShotTrainConfig(
        recipe=way,
        model=OneShotConfig(),
        objective=objective,
        dataset="plane",
        epochs=1,
        **(dict(OBJECTIVES[objective].settings) | changed),
    )


def _points(toy: str, rows: int) -> tuple[Tensor, Tensor]:
    """Data, and drawings of the fixed generator: (B, 2) each."""
    return sample(toy, rows), sample(toy, rows) + torch.randn(rows, 2)


def _told_apart(real: Tensor, drawn: Tensor) -> float:
    from sklearn.metrics import roc_auc_score

    kinds = [1] * len(real) + [0] * len(drawn)
    return float(roc_auc_score(kinds, torch.cat([real, drawn]).double().numpy()))


def _layer_gradients(critic: PlaneCritic, points: Tensor) -> list[float | None]:
    outputs = critic.activations(points)
    score = critic.last(outputs[-1])[:, 0]  # rows do not interact, so one gradient holds every row's
    gradients = torch.autograd.grad(score.sum(), outputs)
    # In double: a norm may be smaller than the square root of what float32 has.
    norms = [gradient.double().norm(dim=1).mean().item() for gradient in gradients]
    return [round(math.log10(norm), 3) if norm > 0 else None for norm in norms]
