"""How many lines of the log were dropped, as a metric."""

__all__ = ["LogDrops"]

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from pentimento.service.telemetry.log_writer import dropped_lines


class LogDrops(Collector):
    """Reads the number each time the metrics are exposed."""

    def collect(self) -> Iterator[Metric]:
        """The metric; called by the registry."""
        text = "Lines of the log that were dropped, as nobody read it in time."
        yield CounterMetricFamily("pentimento_log_lines_dropped", text, value=dropped_lines())
