"""Bookkeeping around the training loop: log, checkpoints, pictures, evaluations, warnings."""

__all__ = ["DivergedError", "Outcome", "Run"]

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from pentimento.training.judging.failure import Finding, inspect_iteration
from pentimento.training.loop.checkpoints import (
    BEST,
    LATEST,
    CheckpointError,
    read_checkpoint,
    write_checkpoint,
)
from pentimento.training.loop.identity import refuse_other
from pentimento.training.loop.run_log import Meters, RunLog
from pentimento.training.loop.training import Training


class DivergedError(CheckpointError):
    """A training ended before its first evaluation: there is nothing to keep."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a training ended."""

    iterations: int  # that were finished
    best_epoch: int  # counted from 1; its checkpoint is kept as BEST
    best: Any  # the evaluation of that epoch, of the kind that the training has
    stopped: Finding | None  # why it ended before its last epoch


class Run:
    """The bookkeeping of one training: counts iterations, logs, evaluates, saves checkpoints and pictures.

    Attributes:
        iteration: Iterations finished.
        stopped: Why the training must end before its last epoch; None as long as it may go on.
    """

    def __init__(self, training: Training, folder: Path, console: Console) -> None:
        self.family, self.config, self.dataset = training.family, training.config, training.dataset
        self.players, self.judge = training.players, training.judge
        self.folder, self.console = folder, console
        self.iteration = 0  # iterations finished
        self.stopped: Finding | None = None
        self.history: list[Any] = []  # evaluations, of the judge's kind
        self.best_epoch = 0
        self.recent, self.epoch_meters = Meters(), Meters()
        self.previous_loss: float | None = None
        self.train_seconds = 0.0
        self._clock = time.perf_counter()

    def begin(self, resume: bool, device: str) -> None:
        """Opens the log and, to resume, loads the folder's checkpoint.

        Args:
            resume: Whether to go on from the checkpoint; else the log starts empty.
            device: Device and precision in words, for the log.

        Raises:
            CheckpointError: There is no usable checkpoint, or it is of another configuration or data set.
        """
        self.device = device
        identity = {"config": self.config.to_json(), "dataset_sha256": self.dataset.sha256}
        if resume:
            saved = read_checkpoint(self.folder / LATEST)
            refuse_other(saved, self.config, self.dataset, self.folder)
            self.players.load(saved["players"])
            self.iteration, self.best_epoch = saved["iteration"], saved["best_epoch"]
            self.history = [self.judge.revive(values) for values in saved["history"]]
            self.stopped = self.judge.should_stop(self.history)
            self.recent, self.epoch_meters = Meters(**saved["recent"]), Meters(**saved["epoch_meters"])
            self.previous_loss, self.train_seconds = saved["previous_loss"], saved["train_seconds"]
            self.log = RunLog(self.folder / "log.jsonl", saved["log_length"])
            self.console.print(f"Going on after iteration {self.iteration}.")
        else:
            self.log = RunLog(self.folder / "log.jsonl")
            parameters = self.judge.parameter_counts()
            self.log.write("start", {**identity, "parameters": parameters, "device": device})
        self._clock = time.perf_counter()

    def finish_iteration(self, values: dict[str, float], epoch_iterations: int) -> None:
        """Counts an iteration and does what is due after it: log line, pictures, evaluation, then checkpoint.

        Sets `stopped`, and does nothing else, if a figure is not a finite number.

        Args:
            values: The iteration's figures by name.
            epoch_iterations: Iterations from one evaluation to the next.
        """
        self.stopped = inspect_iteration(values)
        if self.stopped is not None:
            return  # the last checkpoint is from before
        config = self.config
        self.iteration += 1
        self.recent.add(values)
        self.epoch_meters.add(values)
        if self.iteration % config.log_iterations == 0:
            self._tick()
            means = self.recent.means()
            self.log.write(
                "updates",
                {"iteration": self.iteration, **means, "wall_seconds": round(self.train_seconds, 2)},
            )
            self.recent = Meters()
        if self.iteration % config.sheet_iterations == 0:
            self.judge.save_pictures(self.folder, self.iteration)
        epoch_done = self.iteration % epoch_iterations == 0
        if epoch_done:
            self._finish_epoch(self.iteration // epoch_iterations)
        if epoch_done or self.iteration % config.checkpoint_iterations == 0:
            self._tick()
            write_checkpoint(self.folder / LATEST, self._checkpoint())

    def _tick(self) -> None:
        now = time.perf_counter()
        self.train_seconds += now - self._clock
        self._clock = now

    def _finish_epoch(self, epoch: int) -> None:
        judge = self.judge
        evaluation = judge.evaluate()
        self.history.append(evaluation)
        means = self.epoch_meters.means()
        findings = judge.findings(evaluation, means, self.previous_loss)
        self.stopped = judge.should_stop(self.history)
        self.previous_loss, self.epoch_meters = means[judge.loss], Meters()
        self._tick()
        self.log.write(
            "evaluation",
            {
                "iteration": self.iteration,
                "epoch": epoch,
                **asdict(evaluation),
                "findings": [asdict(finding) for finding in findings],
                "wall_seconds": round(self.train_seconds, 2),
            },
        )
        judge.save_curves(self.folder / "curves.png", self.log.lines())
        self.console.print(f"epoch {epoch}: {judge.summary(evaluation)}, {self.train_seconds:.0f} s")
        for finding in findings:
            self.console.print(Text.assemble((finding.kind, "yellow"), f": {finding.message}"))
        if judge.improved(evaluation, self.history):
            self.best_epoch = epoch
            write_checkpoint(self.folder / BEST, self._checkpoint())

    def _checkpoint(self) -> dict[str, Any]:
        return {
            "family": self.family,
            "config": self.config.to_json(),
            "dataset": self.dataset.name,
            "dataset_sha256": self.dataset.sha256,
            "players": self.players.state(),
            "iteration": self.iteration,
            "best_epoch": self.best_epoch,
            "history": [asdict(evaluation) for evaluation in self.history],
            "recent": self.recent.to_json(),
            "epoch_meters": self.epoch_meters.to_json(),
            "previous_loss": self.previous_loss,
            "train_seconds": self.train_seconds,
            "device": self.device,
            "log_length": self.log.length,
        }

    def end(self) -> Outcome:
        """Prints how the training went, and which checkpoint is the best, and returns the same.

        Raises:
            DivergedError: There was no evaluation.
        """
        if not self.history:
            reason = f": {self.stopped.message}" if self.stopped else ""
            raise DivergedError(f"the training ended before its first evaluation{reason}")
        best = self.history[self.best_epoch - 1]
        if self.stopped is not None:
            self.console.print(Text.assemble(("Stopped early", "red"), f": {self.stopped.message}."))
        self.console.print(
            f"Best: epoch {self.best_epoch} of {len(self.history)}, {self.judge.summary(best)}; "
            f"kept as {self.folder / BEST}."
        )
        return Outcome(iterations=self.iteration, best_epoch=self.best_epoch, best=best, stopped=self.stopped)

    def progress(self, total: int) -> "_Bar":
        """A progress bar, on terminals only: a context that gives a function to call after each iteration."""
        return _Bar(self.console, self.iteration, total)


class _Bar:
    """A progress bar with the iteration, its figures and the time left."""

    def __init__(self, console: Console, done: int, total: int) -> None:
        self._progress = Progress(
            TextColumn("iteration"),
            MofNCompleteColumn(),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("", completed=done, total=total, figures="")

    def __enter__(self) -> Callable[[int, dict[str, float]], None]:
        self._progress.start()

        def advance(iteration: int, figures: dict[str, float]) -> None:
            shown = " ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in figures.items())
            self._progress.update(self._task, completed=iteration, figures=shown)

        return advance

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
