"""How many workers a server has, of how many it should have, as metrics."""

__all__ = ["WorkerCounts"]

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge


class WorkerCounts:
    """Gauges that are read when the metrics are exposed, and a counter of workers that ended.

    Args:
        registry: Of the process that starts the workers; of one alone, its own.
        serving: Reads how many answer or compute now.
        wanted: Reads how many should.
    """

    def __init__(
        self, registry: CollectorRegistry, serving: Callable[[], int], wanted: Callable[[], int]
    ) -> None:
        text = "Workers that answer clients or compute for others."
        Gauge("pentimento_workers", text, registry=registry).set_function(serving)
        text = "Workers that there should be."
        Gauge("pentimento_workers_wanted", text, registry=registry).set_function(wanted)
        text = "Workers that ended while the server ran, or could not be started."
        self._ended = Counter("pentimento_worker_ends", text, registry=registry)

    def end(self) -> None:
        """Counts a worker that ended, or one that could not be started."""
        self._ended.inc()
