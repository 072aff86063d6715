"""Plans of a bundle's drawings that are kept, as many as a number of graph calls allows."""

__all__ = ["MOST_CALLS", "KeptPlans"]

from collections.abc import Callable

from pentimento.service.catalog.plan import Judge
from pentimento.service.engine.job import Call

MOST_CALLS = 8192
"""Of all kept plans of a bundle together. A call takes about 700 bytes, and a plan may have 2,048 of them: a
client that asks for every number of steps once would else leave 350 MB behind, for each scorer anew."""


class KeptPlans:
    """The plans that were used last, by steps and scorer; beyond `MOST_CALLS` the oldest are forgotten."""

    def __init__(self) -> None:
        self._plans: dict[
            tuple[int, Judge | None], tuple[Call, ...]
        ] = {}  # the one that was used last comes last
        self.calls = 0
        """Graph calls of the plans that are kept."""

    def get(self, steps: int, judge: Judge | None, make: Callable[[], tuple[Call, ...]]) -> tuple[Call, ...]:
        """The kept plan, or else one that `make` makes, which is then kept.

        Args:
            steps: Canvases that it shows.
            judge: Of its canvases.
            make: Makes it.
        """
        key = (steps, judge)
        plan = self._plans.pop(key, None)
        if plan is None:
            plan = make()
            self.calls += len(plan)
        self._plans[key] = plan
        while self.calls > MOST_CALLS and len(self._plans) > 1:
            self.calls -= len(self._plans.pop(next(iter(self._plans))))
        return plan
