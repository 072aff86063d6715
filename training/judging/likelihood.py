"""The likelihood of images as a figure, in nats an image: lower is better."""

__all__ = ["LikelihoodEvaluation"]

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LikelihoodEvaluation:
    """Means over images, in nats an image."""

    rows: int  # images
    binarisation: str  # how pixels became binary; see training.data.binarise
    exact: bool  # whether `nats` is the likelihood itself; else it is a bound
    nats: float  # minus the log-likelihood, or minus its lower bound
    standard_error: float  # of nats
    kl: list[float]  # KL of each level of the latent; empty for a model without
