"""Prometheus metrics in a registry of their own. Labels are bounded: only what is served here becomes one.

pentimento_requests_total{operation, transport, outcome}   outcome: ok, cancelled, stalled, or an error code
pentimento_request_seconds{operation, transport}           from the request's start to its end
pentimento_first_canvas_seconds{transport}                 from the request's start to the first frame sent
pentimento_queue_seconds{model}                            from admission to the first graph call
pentimento_drawing_seconds{model}                          from admission to the last frame, of whole drawings
pentimento_cancellations_total{model, reason}              reason: client, stalled, deadline, or shutdown
pentimento_rows_in_flight                                  rows admitted and not over
pentimento_values_in_flight                                numbers that these make the server hold
pentimento_received_bytes                                  of bodies and messages that are being received
pentimento_sending_bytes                                   of gRPC answers that are made and not taken
pentimento_graph_call_seconds{bundle, graph}               one call of a graph
pentimento_batch_rows{bundle, graph}                       rows in it
pentimento_batch_distinct_t{bundle, graph}                 different time steps in it
pentimento_log_lines_dropped_total                         lines of the log that nobody read in time
nv_inference_*{model, version}                             the same for Triton's dashboards: `triton_names`
"""

__all__ = ["CONTENT_TYPE", "Metrics", "Operation", "Transport"]

from collections.abc import Callable, Collection
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE

from pentimento.service.errors import STALLED, Code
from pentimento.service.messages import OperationName
from pentimento.service.telemetry.log_drops import LogDrops
from pentimento.service.telemetry.sums import Counts, counts_of
from pentimento.service.telemetry.triton_names import TritonNames

Operation = OperationName | Literal["models", "reload"]
Transport = Literal["http", "grpc"]

disable_created_metrics()  # type: ignore[no-untyped-call]  # a creation time for each series would nearly double the page

OUTCOMES = frozenset({"ok", "cancelled", STALLED, *(code.value.lower() for code in Code)})

_REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_CALL_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_ROW_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_T_BUCKETS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)

_GRPC_OPERATIONS: dict[str, Operation] = {
    "StreamCanvas": "generate",
    "Generate": "generate",
    "Autoencode": "autoencode",
    "Complete": "complete",
    "Encode": "encode",
    "EstimateLikelihood": "likelihood",
    "Score": "score",
    "ListModels": "models",
    "GetModel": "models",
    "ReloadModels": "reload",
    "ModelInfer": "generate",  # until it is known as what: then it is counted as one of the above
    "ModelStreamInfer": "generate",
    "ModelMetadata": "models",
    "ModelReady": "models",
    "RepositoryIndex": "models",
    "RepositoryModelLoad": "reload",
    "RepositoryModelUnload": "reload",
}


class Metrics:
    """All metrics of one server; the methods may be called from any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._requests = Counter(
            "pentimento_requests",
            "Requests that are over, by how they ended.",
            ("operation", "transport", "outcome"),
            registry=self.registry,
        )
        self._seconds = self._histogram(
            "pentimento_request_seconds",
            "Seconds from the start of a request to its end.",
            ("operation", "transport"),
            _REQUEST_BUCKETS,
        )
        self._first = self._histogram(
            "pentimento_first_canvas_seconds",
            "Seconds from the start of a streamed request to its first frame.",
            ("transport",),
            _REQUEST_BUCKETS,
        )
        self._queue = self._histogram(
            "pentimento_queue_seconds",
            "Seconds from admission to the first graph call.",
            ("model",),
            _REQUEST_BUCKETS,
        )
        self._drawing = self._histogram(
            "pentimento_drawing_seconds",
            "Seconds from admission to the end of a request that ended well.",
            ("model",),
            _REQUEST_BUCKETS,
        )
        self._cancellations = Counter(
            "pentimento_cancellations",
            "Requests that were ended before they were complete, and why.",
            ("model", "reason"),
            registry=self.registry,
        )
        self._graphs: dict[str, tuple[str, Histogram, Histogram, Histogram]] = {}
        self._models: dict[str, tuple[Histogram, Histogram]] = {}
        self._ends: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}
        self._triton = TritonNames()
        self.registry.register(self._triton)
        self.registry.register(LogDrops())
        self._rows = Gauge("pentimento_rows_in_flight", "Rows admitted and not over.", registry=self.registry)
        self._values = Gauge(
            "pentimento_values_in_flight",
            "Numbers that requests hold which are admitted and not over.",
            registry=self.registry,
        )
        self._received = Gauge(
            "pentimento_received_bytes",
            "Bytes of request bodies and messages that are held while they are received and read.",
            registry=self.registry,
        )
        self._sending = Gauge(
            "pentimento_sending_bytes",
            "Bytes of gRPC answers that are made, or reserved for, and not yet taken by their clients.",
            registry=self.registry,
        )
        graph = ("bundle", "graph")
        self._calls = self._histogram(
            "pentimento_graph_call_seconds", "Seconds of one graph call.", graph, _CALL_BUCKETS
        )
        self._batch_rows = self._histogram(
            "pentimento_batch_rows", "Rows in one graph call.", graph, _ROW_BUCKETS
        )
        self._batch_t = self._histogram(
            "pentimento_batch_distinct_t", "Different time steps in one graph call.", graph, _T_BUCKETS
        )

    def _histogram(
        self, name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...]
    ) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)

    def watch_rows(self, read: Callable[[], float]) -> None:
        """Takes the rows in flight from `read` each time the metrics are exposed."""
        self._rows.set_function(read)

    def watch_values(self, read: Callable[[], float]) -> None:
        """Takes the numbers in flight from `read` each time the metrics are exposed."""
        self._values.set_function(read)

    def watch_received(self, read: Callable[[], float]) -> None:
        """Takes the bytes that are being received from `read` each time the metrics are exposed."""
        self._received.set_function(read)

    def watch_sending(self, read: Callable[[], float]) -> None:
        """Takes the bytes that are being sent from `read` each time the metrics are exposed."""
        self._sending.set_function(read)

    def keep_models(self, names: Collection[str]) -> None:
        """Forgets what was counted of bundles that are served no more: all but `names`.

        What still runs of another is counted anew, until it is forgotten the next time.
        """
        for graph in list(self._graphs):  # lanes may add to it meanwhile
            if graph.partition("/")[0] not in names:
                self._graphs.pop(graph, None)
        for model in set(self._models) - set(names):
            del self._models[model]
        self._triton.keep_models(names)
        for labels, families in (
            (("model",), (self._queue, self._drawing)),
            (("model", "reason"), (self._cancellations,)),
            (("bundle", "graph"), (self._calls, self._batch_rows, self._batch_t)),
        ):
            for family in families:
                samples = [sample for metric in family.collect() for sample in metric.samples]
                for series in {tuple(sample.labels[label] for label in labels) for sample in samples}:
                    if series[0] not in names:
                        family.remove(*series)

    def batch(self, *, graph: str, rows: int, distinct_t: int, seconds: float) -> None:
        """Counts one graph call.

        Args:
            graph: `bundle/graph`, of a loaded bundle.
            rows: Rows in the call.
            distinct_t: Different time steps among them.
            seconds: Time that the call took.
        """
        bundle, calls, batch_rows, batch_t = self._of_graph(graph)
        self._triton.call(bundle, rows=rows, seconds=seconds)
        calls.observe(seconds)
        batch_rows.observe(rows)
        batch_t.observe(distinct_t)

    def _of_graph(self, graph: str) -> tuple[str, Histogram, Histogram, Histogram]:
        """Bundle and series of a graph, kept, as looking them up takes longer than counting."""
        known = self._graphs.get(graph)
        if known is None:
            bundle, _, name = graph.partition("/")
            families = (self._calls, self._batch_rows, self._batch_t)
            calls, rows, distinct_t = (family.labels(bundle, name) for family in families)
            known = self._graphs[graph] = (bundle, calls, rows, distinct_t)
        return known

    def first_canvas(self, transport: Transport, seconds: float) -> None:
        """Notes when the first frame of a streamed drawing was sent: seconds since the request began."""
        self._first.labels(transport).observe(seconds)

    def request(self, *, model: str, version: str, outcome: str, queue_s: float, total_s: float) -> None:
        """Counts an admitted request that is over.

        Args:
            model: A served bundle.
            version: Its version.
            outcome: As for `finished`.
            queue_s: Seconds from admission to the first graph call.
            total_s: Seconds from admission to the end.
        """
        self._triton.request(model, version, outcome, queue_s=queue_s, total_s=total_s)
        queue, drawing = self._of_model(model)
        queue.observe(queue_s)
        reason = _CANCELLED_BY.get(outcome)
        if outcome == "ok":
            drawing.observe(total_s)
        elif reason is not None:
            self._cancellations.labels(model, reason).inc()

    def _of_model(self, model: str) -> tuple[Histogram, Histogram]:
        known = self._models.get(model)
        if known is None:
            known = self._models[model] = (self._queue.labels(model), self._drawing.labels(model))
        return known

    def finished(self, operation: Operation, transport: Transport, outcome: str, seconds: float) -> None:
        """Counts a request that is over, admitted or not.

        Args:
            operation: What was asked for.
            transport: How it came.
            outcome: `ok`, `cancelled`, `stalled`, or the error code in lower case; else it is `internal`.
            seconds: From its start to its end.
        """
        known = outcome if outcome in OUTCOMES else Code.INTERNAL.value.lower()
        series = self._ends.get((operation, transport, known))
        if series is None:
            series = self._ends[operation, transport, known] = (
                self._requests.labels(operation, transport, known),
                self._seconds.labels(operation, transport),
            )
        series[0].inc()
        series[1].observe(seconds)

    def call(self, *, method: str, outcome: str, seconds: float) -> None:
        """Counts an RPC that is over.

        Args:
            method: Name of the RPC.
            outcome: As of `finished`: a status of gRPC would not tell a failed graph from a defect.
            seconds: From its start to its end.
        """
        operation = _GRPC_OPERATIONS.get(method)
        if operation is not None:
            self.finished(operation, "grpc", outcome, seconds)

    def expose(self) -> bytes:
        """All metrics in the text format that Prometheus reads, of type `CONTENT_TYPE`."""
        return generate_latest(self.registry)

    def count(self) -> Counts:
        """All metrics as numbers, to be added to those of other processes."""
        return counts_of(self.registry)


# Outcomes of an admitted request that is not complete, and who ended it.
_CANCELLED_BY = {
    "cancelled": "client",
    STALLED: "stalled",
    "deadline_exceeded": "deadline",
    "unavailable": "shutdown",
}
