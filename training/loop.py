"""The training loop, the same for every model: images in, an iteration, bookkeeping.

An iteration is `play` for an adversarial pair (scorer update, generator update) and `fit` in
`training.likelihood` for a model with a likelihood.

An iteration seeds its own randomness, and a checkpoint holds everything else, so a training that was killed
goes on to the same weights and the same log as one that was not.
"""

__all__ = ["play", "seconds_per_iteration", "train"]

import functools
import time
from pathlib import Path

import torch
from rich.console import Console
from torch import Tensor

from training.classifier import Classifier
from training.config import TrainConfig
from training.datasets import Dataset
from training.device import Precision, autocast, describe_device
from training.judges import AdversarialJudge
from training.likelihood import LikelihoodPlayers, fit
from training.likelihood_config import LikelihoodConfig
from training.likelihood_judge import LikelihoodJudge
from training.objectives import dense_penalty, generator_loss, scorer_loss
from training.players import Players
from training.run import Outcome, Run


def train(
    config: TrainConfig | LikelihoodConfig,
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
    players: Players | LikelihoodPlayers
    judge: AdversarialJudge | LikelihoodJudge
    if isinstance(config, TrainConfig):
        if classifier is None:
            raise ValueError("drawings of an adversarial training are judged by a classifier; give one")
        players = Players(config, device)
        judge = AdversarialJudge(config, dataset, classifier, players)
    else:
        players = LikelihoodPlayers(config, device)
        judge = LikelihoodJudge(config, dataset, players)
    run = Run(config, dataset, folder, players, judge, console or Console(quiet=True))
    run.begin(resume, describe_device(device, precision))
    images = torch.from_numpy(dataset.train.images)
    epoch_iterations = config.epoch_iterations(len(images))
    total = config.iterations(len(images))
    with run.progress(total) as advance:
        while run.iteration < total and run.stopped is None:
            epoch, offset = divmod(run.iteration, epoch_iterations)
            order = torch.randperm(len(images), generator=torch.Generator().manual_seed(config.seed + epoch))
            rows = order[offset * config.batch_rows :][: config.batch_rows]
            real = images[rows].to(device).float() / 255
            torch.manual_seed(config.seed * 1_000_003 + run.iteration)  # for latents, pixels and dropout
            progress = run.iteration / total
            players.set_rates(config.rate_factor(progress))
            if isinstance(judge, AdversarialJudge):
                figures = play(judge.players, judge.config, real, precision)
            else:
                figures = fit(judge.players, judge.config, real, judge.rule, precision, progress)
            players.update_average(run.iteration)
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


def seconds_per_iteration(
    config: TrainConfig | LikelihoodConfig, device: torch.device, precision: Precision, tries: int = 4
) -> float:
    """Measures an iteration on this machine, on noise; the first one warms up and is left out."""
    real = torch.rand(config.batch_rows, *config.image_shape, device=device)
    if isinstance(config, TrainConfig):
        iterate = functools.partial(play, Players(config, device), config, real, precision)
    else:
        players = LikelihoodPlayers(config, device)
        iterate = functools.partial(fit, players, config, real, "dynamic", precision, 0.5)
    iterate()
    started = time.perf_counter()
    for _ in range(tries):
        iterate()
    return (time.perf_counter() - started) / tries
