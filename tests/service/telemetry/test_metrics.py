"""Metrics: what is told is what is exposed, and labels stay bounded."""

from prometheus_client.parser import text_string_to_metric_families

from pentimento.service.telemetry.metrics import OUTCOMES, Metrics


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(metrics.expose().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_requests_are_counted_by_operation_transport_and_outcome():
    metrics = Metrics()
    metrics.finished("generate", "http", "ok", 0.2)
    metrics.finished("generate", "http", "ok", 0.3)
    metrics.finished("generate", "http", "overloaded", 0.001)
    found = samples(metrics)
    labels = (("operation", "generate"), ("outcome", "ok"), ("transport", "http"))
    assert found["pentimento_requests_total", labels] == 2
    assert found["pentimento_request_seconds_count", (("operation", "generate"), ("transport", "http"))] == 3


def test_grpc_calls_are_counted_in_the_same_words():
    metrics = Metrics()
    metrics.call(method="StreamCanvas", outcome="overloaded", seconds=0.1)
    metrics.call(method="Score", outcome="ok", seconds=0.1)
    metrics.call(method="Made/Up", outcome="ok", seconds=0.1)
    counted = {key: value for key, value in samples(metrics).items() if key[0] == "pentimento_requests_total"}
    assert {dict(labels)["outcome"] for _, labels in counted} == {"overloaded", "ok"}
    assert sum(counted.values()) == 2


def test_outcomes_are_bounded():
    metrics = Metrics()
    for attempt in range(50):
        metrics.finished("score", "http", f"made-up-{attempt}", 0.1)
    outcomes = {dict(labels).get("outcome") for name, labels in samples(metrics) if name.endswith("_total")}
    assert outcomes - {None} <= OUTCOMES


def test_batches_and_what_is_in_flight():
    metrics = Metrics()
    rows = [7]
    metrics.watch_rows(lambda: rows[0])
    metrics.watch_values(lambda: 100 * rows[0])
    metrics.batch(graph="gran5/step", rows=6, distinct_t=3, seconds=0.002)
    found = samples(metrics)
    labels = (("bundle", "gran5"), ("graph", "step"))
    assert found["pentimento_rows_in_flight", ()] == 7
    assert found["pentimento_values_in_flight", ()] == 700
    assert found["pentimento_batch_rows_sum", labels] == 6
    assert found["pentimento_batch_distinct_t_sum", labels] == 3
    assert found["pentimento_graph_call_seconds_count", labels] == 1
    rows[0] = 0
    assert samples(metrics)["pentimento_rows_in_flight", ()] == 0


def test_admitted_requests_are_told_by_model_and_by_who_ended_them():
    metrics = Metrics()
    for outcome in ("ok", "ok", "cancelled", "deadline_exceeded", "unavailable", "inference_failed"):
        metrics.request(model="gran5", version="1.0.0", outcome=outcome, queue_s=0.001, total_s=0.5)
    found = samples(metrics)
    model = (("model", "gran5"),)
    assert found["pentimento_queue_seconds_count", model] == 6
    assert found["pentimento_drawing_seconds_count", model] == 2
    reasons = {
        dict(labels)["reason"]: value
        for (name, labels), value in found.items()
        if name == "pentimento_cancellations_total"
    }
    assert reasons == {"client": 1, "deadline": 1, "shutdown": 1}


def test_the_names_of_tritons_dashboards_are_there():
    metrics = Metrics()
    metrics.batch(graph="gran5/init", rows=6, distinct_t=1, seconds=0.001)
    metrics.batch(graph="gran5/step", rows=2, distinct_t=2, seconds=0.002)
    for outcome in ("ok", "cancelled", "inference_failed"):
        metrics.request(model="gran5", version="1.2.3", outcome=outcome, queue_s=0.001, total_s=0.5)
    found, labels = samples(metrics), (("model", "gran5"), ("version", "1.2.3"))
    assert found["nv_inference_request_success", labels] == 1
    assert found["nv_inference_count", labels] == 8 and found["nv_inference_exec_count", labels] == 2
    assert found["nv_inference_compute_infer_duration_us", labels] == 3000
    assert found["nv_inference_request_duration_us", labels] == 1_500_000
    assert found["nv_inference_queue_duration_us", labels] == 3000
    for reason in ("CANCELED", "BACKEND"):
        key = tuple(sorted((*labels, ("reason", reason))))
        assert found["nv_inference_request_failure", key] == 1


def test_registries_are_separate():
    first, second = Metrics(), Metrics()
    first.first_canvas("http", 0.1)
    labels = (("transport", "http"),)
    assert samples(first)["pentimento_first_canvas_seconds_count", labels] == 1
    assert ("pentimento_first_canvas_seconds_count", labels) not in samples(second)
