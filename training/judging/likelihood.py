"""How well images are explained, in nats an image: lower is better."""

__all__ = ["LikelihoodEvaluation"]

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LikelihoodEvaluation:
    """Means over images."""

    rows: int
    binarisation: str
    exact: bool  # whether `nats` is the likelihood itself; else it is a bound
    nats: float  # minus the log-likelihood or its bound
    standard_error: float  # of nats
    kl: list[float]  # of each level of the latent
