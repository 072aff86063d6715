"""Whole answers, encoded off the event loop where that takes long, in turns among clients and in time."""

__all__ = ["made"]

from collections.abc import Callable
from typing import TypeVar

from pentimento.service.fair_threads import FairThreads
from pentimento.service.operations.codec import AT_ONCE

T = TypeVar("T")

# Few at a time, as a picture may take a hundred times the memory of its canvases; and not in the threads of
# frames, which are short and must not wait behind them.
_large_answers = FairThreads(2, "answer")


async def made(values: int, left_s: float | None, encode: Callable[..., T], *arguments: object) -> T:
    """What `encode` makes of its arguments: a whole answer.

    Args:
        values: How much there is to encode, in pixel values.
        left_s: Seconds until the deadline; None: the call has another.
        encode: A function that only computes.
        arguments: Of it.

    Raises:
        PentimentoError: DEADLINE_EXCEEDED: not in time; or what `encode` raises.
    """
    if values <= AT_ONCE:
        return encode(*arguments)
    return await _large_answers.run(encode, *arguments, left_s=left_s, doing="its answer was encoded")
