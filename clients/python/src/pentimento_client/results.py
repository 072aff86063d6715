"""Answers of `score`, `encode` and `likelihood`.

Shapes: n images in a request, C channels, H x W pixels; arrays are float32.
"""

__all__ = ["EncodeResult", "LikelihoodResult", "ScoreResult"]

from collections.abc import Mapping
from dataclasses import dataclass

from pentimento_client.messages import Scores, Timing
from pentimento_client.models import LikelihoodKind
from pentimento_client.pixels import Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreResult:
    """Answer of `score`."""

    model: str
    version: str
    scores: Scores
    group: bool  # whether score i is about pictures 0 to i together
    timing: Timing


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class EncodeResult:
    """Answer of `encode`."""

    model: str
    version: str
    seed: int
    inputs: Floats  # the pictures as the model saw them, in [0, 1], (n, C, H, W)
    encoding: Mapping[str, Floats]  # by output of the encoder, (n, ...); latents can be given to `generate`
    timing: Timing


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LikelihoodResult:
    """Answer of `likelihood`."""

    model: str
    version: str
    seed: int
    kind: LikelihoodKind
    importance_samples: int
    inputs: Floats  # the pictures as the model saw them, in [0, 1], (n, C, H, W)
    nats: Floats  # log-likelihood, a lower bound of it or an estimate, (n,)
    bits_per_dim: Floats  # -nats / (ln 2 * C * H * W), (n,)
    standard_errors: Floats | None  # of `nats`, where it is an estimate from two draws or more, (n,)
    pixels: Floats | None  # nats of each pixel, (n, C, H, W), when asked for
    timing: Timing
