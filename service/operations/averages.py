"""Likelihoods averaged over draws as these come: of K draws only a number for each image is kept."""

__all__ = ["Average", "draws_at_a_time"]

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from pentimento.service.engine.job import Emission
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.messages import Floats
from pentimento.service.operations.drawing import join

_NOISE_AT_A_TIME = 1 << 17  # numbers, half a MiB, a few milliseconds to draw
_MOST_DRAWS = 64


def draws_at_a_time(n: int, eps_values: int, samples: int) -> Iterator[range]:
    """Splits the draws of a request into groups: the noise of one is used before that of the next is drawn.

    Args:
        n: Images.
        eps_values: Numbers of noise for a draw of one image.
        samples: Draws for each image.
    """
    together = min(_MOST_DRAWS, max(1, _NOISE_AT_A_TIME // max(1, n * eps_values)))
    for first in range(0, samples, together):
        yield range(first, min(first + together, samples))


class Average:
    """The log-likelihoods of n images from draws that come one after the other.

    Args:
        n: Images.
        samples: Draws that will come.
    """

    def __init__(self, n: int, samples: int) -> None:
        self._draws = np.empty((samples, n))
        self._maps: NDArray[np.float64] | None = None  # their sum
        self.count = 0

    def add(self, parts: Sequence[Emission]) -> None:
        """Takes the next draw, of all images."""
        self._draws[self.count] = join(parts, "log_likelihood")
        self.count += 1
        if "pixel_log_likelihood" not in parts[0].tensors:
            return
        maps = join(parts, "pixel_log_likelihood")
        if self._maps is None:
            self._maps = maps.astype(np.float64)
        else:
            self._maps += maps

    @contextmanager
    def late(self) -> Iterator[None]:
        """Says of a deadline that passes within, after how many draws: no job knows of all of them."""
        try:
            yield
        except PentimentoError as error:
            if error.code is not Code.DEADLINE_EXCEEDED:
                raise
            message = f"the deadline passed after {self.count} of {len(self._draws)} draws"
            raise PentimentoError(Code.DEADLINE_EXCEEDED, message) from None

    def nats(self, kind: str) -> tuple[NDArray[np.float64], Floats | None]:
        """Nats of each image, and their standard errors where they are estimates, (n,) each."""
        if kind == "estimate":
            k = self.count
            errors = (self._draws.std(axis=0, ddof=1) / math.sqrt(k)).astype(np.float32) if k > 1 else None
            return self._draws.mean(axis=0), errors
        top = self._draws.max(axis=0)
        return top + np.log(np.exp(self._draws - top).mean(axis=0)), None  # log-mean-exp

    @property
    def pixels(self) -> Floats | None:
        """The mean of the pixels' maps, (n, C, H, W); None if none came."""
        return None if self._maps is None else (self._maps / self.count).astype(np.float32)
