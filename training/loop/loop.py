"""The training loop, the same for every family: take a batch, run an iteration, do the bookkeeping.

An iteration seeds its own randomness, and a checkpoint holds everything else, so a training that was killed
and resumed ends with the same weights and the same log as one that ran through.
"""

__all__ = ["train"]

from pathlib import Path

import torch
from rich.console import Console

from pentimento.training.loop.device import describe_device
from pentimento.training.loop.run import Outcome, Run
from pentimento.training.loop.training import Batch, Training


def train(
    training: Training, folder: Path, *, resume: bool = False, console: Console | None = None
) -> Outcome:
    """Runs a training; leaves checkpoints, log, sheets of drawings, film strips and curves in a folder.

    Args:
        training: What is trained, as `training.families.table.prepare` makes it.
        folder: Where everything is written.
        resume: Whether to go on from the folder's checkpoint.
        console: Where progress is shown; by default nowhere.

    Returns:
        How the training ended, with its best evaluation.

    Raises:
        CheckpointError: There is nothing to resume, or it belongs to another configuration or data set.
        DivergedError: The training ended before its first evaluation.
    """
    config, device, split = training.config, training.device, training.dataset.train
    run = Run(training, folder, console or Console(quiet=True))
    run.begin(resume, describe_device(device, training.precision))
    images, labels = torch.from_numpy(split.images), torch.from_numpy(split.labels)
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
