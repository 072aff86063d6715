"""Base of the evaluators that judge drawings by a classifier: which epoch is kept, and what is wrong."""

__all__ = ["DrawingJudge", "parameter_count"]

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from torch import nn

from pentimento.training.data.datasets import Dataset
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import Evaluation
from pentimento.training.judging.failure import Finding, inspect_epoch, inspect_evaluation, should_stop

E = TypeVar("E", bound=Evaluation)


def parameter_count(module: nn.Module) -> int:
    """Number of values in a module's parameters."""
    return sum(parameter.numel() for parameter in module.parameters())


class DrawingJudge(Generic[E]):
    """Base class of a `training.loop.judge.Judge` that judges drawings by a classifier.

    A family adds `evaluate`, `save_pictures` and `save_curves`.
    """

    loss = "generator_loss"

    def __init__(
        self,
        kind: type[E],
        dataset: Dataset,
        classifier: Classifier,
        networks: Mapping[str, nn.Module],
    ) -> None:
        """Stores what evaluations need.

        Args:
            kind: The dataclass of an evaluation, for `revive`.
            dataset: Its class shares are what those of drawings are compared with.
            classifier: Classifier of the same data set.
            networks: The networks that learn, by name.
        """
        self.kind, self.dataset, self.classifier, self.networks = kind, dataset, classifier, networks

    def parameter_counts(self) -> dict[str, int]:
        """Number of trained parameters of each network, by its name."""
        return {name: parameter_count(network) for name, network in self.networks.items()}

    def revive(self, values: Mapping[str, Any]) -> E:
        """Rebuilds an evaluation from the plain values that a checkpoint holds."""
        return self.kind(**values)

    def improved(self, evaluation: E, history: Sequence[E]) -> bool:
        """Whether the evaluation's cost is the lowest of `history`."""
        return evaluation.cost <= min(past.cost for past in history)

    def findings(self, evaluation: E, means: Mapping[str, float], previous: float | None) -> list[Finding]:
        """Warnings of mode collapse and of a discriminator that has won; a critic cannot win."""
        accuracy = means.get("scorer_accuracy", 0.0)  # a critic cannot win: the better it is, the better
        won = inspect_epoch(accuracy, means["generator_loss"], previous)
        return [finding for finding in (inspect_evaluation(evaluation), won) if finding]

    def should_stop(self, history: Sequence[E]) -> Finding | None:
        """A finding of late collapse: drawings were sound before, and have not been for some evaluations."""
        return should_stop(history)

    def summary(self, evaluation: E) -> str:
        """KL, confidence, rarest class; for a conditional model also the share of drawings as asked."""
        obeyed = evaluation.label_accuracy
        return (
            f"KL {evaluation.kl_to_data:.3f}, confidence {evaluation.confidence:.3f}, "
            f"rarest class {min(evaluation.class_shares):.1%}"
            + (f", as asked {obeyed:.1%}" if obeyed is not None else "")
        )
