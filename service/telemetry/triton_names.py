"""Metrics under the names that dashboards for Triton know, computed when they are asked for.

Counters as in Triton's metrics.md: durations are totals in microseconds, `nv_inference_count` counts rows and
`nv_inference_exec_count` graph calls, so that the one over the other is the mean batch. A plan has several
graph calls, so a row counts once for each. Failure reasons are Triton's: REJECTED before admission is not
told by model and therefore not among them; see `pentimento_requests_total`. They are exposed without a type:
this library gives each counter a name that ends in `_total`, and theirs do not.
"""

__all__ = ["TritonNames"]

import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from prometheus_client.core import Metric, UnknownMetricFamily
from prometheus_client.registry import Collector

_FAMILIES = {
    "nv_inference_request_success": "Requests that ended well.",
    "nv_inference_count": "Rows of all graph calls.",
    "nv_inference_exec_count": "Graph calls.",
    "nv_inference_request_duration_us": "Time of requests from admission to end, in total.",
    "nv_inference_queue_duration_us": "Time of requests from admission to the first graph call, in total.",
    "nv_inference_compute_infer_duration_us": "Time of graph calls, in total.",
}


@dataclass(slots=True)
class _Model:
    version: str = ""
    totals: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_FAMILIES, 0.0))
    failures: dict[str, int] = field(default_factory=dict)


class TritonNames(Collector):
    """A Prometheus collector that counts by model; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: dict[str, _Model] = {}

    def call(self, model: str, *, rows: int, seconds: float) -> None:
        """Counts one graph call."""
        with self._lock:
            totals = self._models.setdefault(model, _Model()).totals
            totals["nv_inference_exec_count"] += 1
            totals["nv_inference_count"] += rows
            totals["nv_inference_compute_infer_duration_us"] += seconds * 1e6

    def request(self, model: str, version: str, outcome: str, *, queue_s: float, total_s: float) -> None:
        """Counts an admitted request that is over; arguments as for `Metrics.request`."""
        with self._lock:
            known = self._models.setdefault(model, _Model())
            known.version = version
            if outcome == "ok":
                known.totals["nv_inference_request_success"] += 1
            else:
                reason = {"cancelled": "CANCELED", "inference_failed": "BACKEND"}.get(outcome, "OTHER")
                known.failures[reason] = known.failures.get(reason, 0) + 1
            known.totals["nv_inference_request_duration_us"] += total_s * 1e6
            known.totals["nv_inference_queue_duration_us"] += queue_s * 1e6

    def keep_models(self, names: Collection[str]) -> None:
        """Forgets the counts of all models but `names`."""
        with self._lock:
            self._models = {name: known for name, known in self._models.items() if name in names}

    def collect(self) -> Iterator[Metric]:
        """All metrics; called by the registry when they are exposed."""
        labels = ("model", "version")
        with self._lock:
            for name, text in _FAMILIES.items():
                family = UnknownMetricFamily(name, text, labels=labels)
                for model, known in self._models.items():
                    family.add_metric((model, known.version), known.totals[name])
                yield family
            failed = UnknownMetricFamily(
                "nv_inference_request_failure", "Requests that did not.", labels=(*labels, "reason")
            )
            for model, known in self._models.items():
                for reason, count in known.failures.items():
                    failed.add_metric((model, known.version, reason), count)
            yield failed
