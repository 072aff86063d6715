"""The training loop, the same for every model: images in, an iteration, bookkeeping.

An iteration is `play` for an adversarial pair that draws in steps, `duel` for one that draws at once, and
`fit` for a model with a likelihood.

An iteration seeds its own randomness, and a checkpoint holds everything else, so a training that was killed
goes on to the same weights and the same log as one that was not.
"""

__all__ = ["Batch", "Training", "play", "prepare", "rehearse", "train"]

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from pentimento.models.adversarial.architectures import build_one_shot
from pentimento.training.data.datasets import Dataset, Split
from pentimento.training.data.subset import take_rows
from pentimento.training.families.likelihood.config import LikelihoodConfig
from pentimento.training.families.likelihood.iteration import LikelihoodPlayers, fit
from pentimento.training.families.likelihood.judge import LikelihoodJudge
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.iteration import duel
from pentimento.training.families.one_shot.judge import OneShotJudge
from pentimento.training.families.one_shot.players import OneShotPlayers
from pentimento.training.families.recurrent.objectives import dense_penalty, generator_loss, scorer_loss
from pentimento.training.families.recurrent.players import Players
from pentimento.training.judging.classifier import Classifier
from pentimento.training.loop.config import LoopConfig, TrainConfig
from pentimento.training.loop.device import Precision, autocast, describe_device
from pentimento.training.loop.judge import AdversarialJudge, Judge
from pentimento.training.loop.run import Outcome, Run, Trainee


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What an iteration gets."""

    image: Tensor  # data in [0, 1], (B, C, H, W)
    label: Tensor  # its classes, int64, (B,)
    progress: float  # share of the training that is done


@dataclass(frozen=True, kw_only=True, slots=True)
class Training:
    """Everything in which trainings differ."""

    players: Trainee
    judge: Judge[Any]
    iterate: Callable[[Batch], dict[str, float]]  # one iteration; returns its figures


def prepare(
    config: LoopConfig,
    dataset: Dataset,
    classifier: Classifier | None,
    device: torch.device,
    precision: Precision,
) -> Training:
    """The networks, their judge and the iteration, for a recipe of any kind; arguments as for `train`."""
    if isinstance(config, LikelihoodConfig):
        model = LikelihoodPlayers(config, device)
        reader = LikelihoodJudge(config, dataset, model)
        return Training(
            players=model,
            judge=reader,
            iterate=lambda batch: fit(
                model, config, batch.image, batch.label, reader.rule, precision, batch.progress
            ),
        )
    if classifier is None:
        raise ValueError("drawings of an adversarial training are judged by a classifier; give one")
    if isinstance(config, OneShotTrainConfig):
        duellists = OneShotPlayers(config, *build_one_shot(config.model, config.seed), device)
        return Training(
            players=duellists,
            judge=OneShotJudge(config, dataset, classifier, duellists),
            iterate=lambda batch: duel(duellists, config, batch.image, batch.label, precision),
        )
    if isinstance(config, TrainConfig):
        players = Players(config, device)
        return Training(
            players=players,
            judge=AdversarialJudge(config, dataset, classifier, players),
            iterate=lambda batch: play(players, config, batch.image, precision),
        )
    raise TypeError(f"there is no training for a {type(config).__name__}")


def train(
    config: LoopConfig,
    dataset: Dataset,
    classifier: Classifier | None,
    folder: Path,
    *,
    device: torch.device,
    precision: Precision,
    resume: bool = False,
    console: Console | None = None,
) -> Outcome:
    """Trains a recipe and leaves checkpoints, log, sheets, strips and curves in a folder.

    Args:
        config: The recipe.
        dataset: Its data set.
        classifier: A classifier of that data set, which judges drawings; likelihoods need none.
        folder: Where everything goes.
        device: Where to compute.
        precision: Of matrix products and convolutions; weights are float32.
        resume: Go on from the folder's checkpoint.
        console: Where progress is shown.

    Raises:
        CheckpointError: There is nothing to resume, or it belongs to another configuration or data set.
    """
    dataset = take_rows(dataset, config.used_rows(len(dataset.train.images)))
    training = prepare(config, dataset, classifier, device, precision)
    run = Run(config, dataset, folder, training.players, training.judge, console or Console(quiet=True))
    run.begin(resume, describe_device(device, precision))
    images, labels = torch.from_numpy(dataset.train.images), torch.from_numpy(dataset.train.labels)
    pass_iterations, batch_rows = config.pass_iterations(len(images)), config.iteration_rows
    epoch_iterations, total = config.epoch_iterations(len(images)), config.iterations(len(images))
    with run.progress(total) as advance:
        while run.iteration < total and run.stopped is None:
            passes, offset = divmod(run.iteration, pass_iterations)
            order = torch.randperm(len(images), generator=torch.Generator().manual_seed(config.seed + passes))
            rows = order[offset * batch_rows :][:batch_rows]
            progress = run.iteration / total
            batch = Batch(
                image=images[rows].to(device).float() / 255, label=labels[rows].to(device), progress=progress
            )
            torch.manual_seed(config.seed * 1_000_003 + run.iteration)  # for latents, pixels and dropout
            training.players.set_rates(config.rate_factor(progress))
            figures = training.iterate(batch)
            training.players.update_average(run.iteration)
            run.finish_iteration(figures, epoch_iterations)
            advance(run.iteration, figures)
    return run.end()


def play(players: Players, config: TrainConfig, real: Tensor, precision: Precision) -> dict[str, float]:
    """One iteration: the scorer learns to tell data from drawings, then the generator to pass for data.

    Args:
        players: The networks, changed in place.
        config: The recipe.
        real: Data in [0, 1], shape (B, C, H, W).
        precision: Of matrix products and convolutions.

    Returns:
        Both losses, and the share of images that the scorer was right about.
    """
    generator, scorer = players.generator, players.scorer
    real = real.contiguous(memory_format=torch.channels_last)
    for _ in range(config.scorer_updates):
        with autocast(real.device, precision):
            drawn = generator.draw_last(torch.randn(generator.latent_shape(len(real)), device=real.device))
            # The scorer normalises each image by itself, so real and drawn rows may share a call.
            real_logits, drawn_logits = scorer(torch.cat([real, drawn.detach()])).chunk(2)
        loss_s = scorer_loss(real_logits, drawn_logits, config.real_label)
        players.scorer_optimizer.zero_grad()
        (loss_s + config.weight_penalty * dense_penalty(scorer)).backward()
        players.scorer_optimizer.step()

    scorer.requires_grad_(False)  # its gradients would be thrown away
    with autocast(real.device, precision):
        logits = scorer(drawn)  # the last canvas only is judged
    loss_g = generator_loss(logits)
    players.generator_optimizer.zero_grad()
    loss_g.backward()  # through all steps
    players.generator_optimizer.step()
    scorer.requires_grad_(True)

    hits = torch.cat([real_logits > 0, drawn_logits < 0]).float().mean()
    return {"generator_loss": loss_g.item(), "scorer_loss": loss_s.item(), "scorer_accuracy": hits.item()}


def rehearse(
    config: LoopConfig, device: torch.device, precision: Precision, tries: int = 4
) -> tuple[dict[str, int], float]:
    """Counts a recipe's parameters and measures its seconds an iteration on this machine, on noise.

    The first iteration warms up and is left out.
    """
    noise = np.random.default_rng(0).integers(256, size=(config.iteration_rows, *config.image_shape))
    names = tuple("0123456789")  # every recipe's data set has ten classes
    split = Split(images=noise.astype(np.uint8), labels=np.arange(len(noise)) % len(names))
    dataset = Dataset(name="noise", class_names=names, train=split, test=split, sha256="")
    classifier = Classifier(*config.image_shape[:2], len(names))
    training = prepare(config, dataset, classifier, device, precision)
    image = torch.from_numpy(split.images).to(device).float() / 255
    batch = Batch(image=image, label=torch.from_numpy(split.labels).to(device), progress=0.5)
    training.iterate(batch)
    started = time.perf_counter()
    for _ in range(tries):
        training.iterate(batch)
    return training.judge.parameter_counts(), (time.perf_counter() - started) / tries
