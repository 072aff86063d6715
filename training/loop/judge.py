"""What a training's bookkeeping asks about the networks: evaluations, findings, pictures.

`Run` counts, logs and saves, and is the same for every training; a judge knows what is being trained.
"""

__all__ = ["Judge"]

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pentimento.training.judging.failure import Finding

E = TypeVar("E")  # evaluations of one kind: a dataclass of plain values


class Judge(Protocol[E]):
    """Evaluates what is being trained.

    Attributes:
        loss: Name of the figure whose course over the epochs is watched.
    """

    loss: str

    def parameter_counts(self) -> dict[str, int]:
        """Trained values of each network."""
        ...

    def evaluate(self) -> E:
        """Figures of the averaged network as it is now."""
        ...

    def revive(self, values: Mapping[str, Any]) -> E:
        """An evaluation from a checkpoint's plain values."""
        ...

    def improved(self, evaluation: E, history: Sequence[E]) -> bool:
        """Whether it is the one to keep of `history`, whose last it is."""
        ...

    def findings(self, evaluation: E, means: Mapping[str, float], previous: float | None) -> list[Finding]:
        """What is wrong, given the epoch's mean figures and the epoch before's mean loss."""
        ...

    def should_stop(self, history: Sequence[E]) -> Finding | None:
        """Why the training should not go on."""
        ...

    def summary(self, evaluation: E) -> str:
        """The figures that matter, for one line."""
        ...

    def save_pictures(self, folder: Path, iteration: int) -> None:
        """Drawings of the averaged network."""
        ...

    def save_curves(self, path: Path, lines: list[dict[str, Any]]) -> None:
        """The course of the training, from the lines of its log."""
        ...
