"""The evaluator of a training, as the loop sees it: figures, warnings, pictures and plots.

`Run` counts, logs and saves in the same way for every training; a judge knows what is being trained.
"""

__all__ = ["Judge"]

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pentimento.training.judging.failure import Finding

E = TypeVar("E")  # evaluations of one kind: a dataclass of plain values


class Judge(Protocol[E]):
    """Evaluates the networks of a training.

    Attributes:
        loss: Name of the figure, among those that an iteration returns, whose mean over an epoch is compared
            with that of the epoch before.
    """

    loss: str

    def parameter_counts(self) -> dict[str, int]:
        """Number of trained parameters of each network, by its name."""
        ...

    def evaluate(self) -> E:
        """Measures the averaged network as it is now; called after every epoch."""
        ...

    def revive(self, values: Mapping[str, Any]) -> E:
        """Rebuilds an evaluation from the plain values that a checkpoint holds."""
        ...

    def improved(self, evaluation: E, history: Sequence[E]) -> bool:
        """Whether `evaluation`, the last of `history`, is the best so far, so that its checkpoint is kept."""
        ...

    def findings(self, evaluation: E, means: Mapping[str, float], previous: float | None) -> list[Finding]:
        """Warnings about the epoch that has just ended.

        Args:
            evaluation: Of the epoch.
            means: Means over the epoch of what the iterations returned, by name.
            previous: Mean of the figure `loss` over the epoch before; None in the first epoch.
        """
        ...

    def should_stop(self, history: Sequence[E]) -> Finding | None:
        """The reason to end the training early, or None; `history` holds all evaluations, the latest last."""
        ...

    def summary(self, evaluation: E) -> str:
        """The most important figures as text, for one line on the console."""
        ...

    def save_pictures(self, folder: Path, iteration: int) -> None:
        """Writes drawings of the averaged network into subfolders of `folder`, named by `iteration`."""
        ...

    def save_curves(self, path: Path, lines: list[dict[str, Any]]) -> None:
        """Plots the course of the training as a PNG, from the lines of its log."""
        ...
