"""Metrics of several processes as those of one."""

from prometheus_client.parser import text_string_to_metric_families

from pentimento.service.telemetry.metrics import Metrics
from pentimento.service.telemetry.sums import Sums


def values(text, name):
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if sample.name == name
    }


def metrics(requests, *, model="toy"):
    found = Metrics()
    for _ in range(requests):
        found.finished("generate", "http", "ok", 0.1)
        found.request(model=model, version="1", outcome="ok", queue_s=0.1, total_s=0.2)
        found.batch(graph=f"{model}/step", rows=4, distinct_t=1, seconds=0.01)
    found.watch_rows(lambda: requests)
    return found


def test_samples_with_the_same_labels_are_added_up():
    parts = [metrics(2), metrics(3), metrics(4, model="other")]
    text = Sums().expose([part.count() for part in parts])
    (total,) = values(text, "pentimento_requests_total").values()
    assert total == 9
    assert values(text, "pentimento_graph_call_seconds_count") == {
        (("bundle", "toy"), ("graph", "step")): 5,
        (("bundle", "other"), ("graph", "step")): 4,
    }
    assert set(values(text, "pentimento_rows_in_flight").values()) == {9}
    assert values(text, "nv_inference_count")[("model", "toy"), ("version", "1")] == 20
    memory = [
        value for part in parts for value in values(part.expose(), "process_resident_memory_bytes").values()
    ]
    (total,) = values(text, "process_resident_memory_bytes").values()
    assert 0.9 * sum(memory) < total < 1.1 * sum(memory)
    started = [
        value for part in parts for value in values(part.expose(), "process_start_time_seconds").values()
    ]
    assert set(values(text, "process_start_time_seconds").values()) == {min(started)}
    assert set(values(text, "python_info").values()) == {1}


def test_the_page_of_one_process_is_the_same_either_way():
    one = metrics(3)

    def steady(text):
        lines = text.decode().splitlines()
        return sorted(line for line in lines if not line.startswith(("process_", "# ")))

    assert steady(Sums().expose([one.count()])) == steady(one.expose())


def test_what_an_ended_process_counted_stays_counted_and_what_it_used_does_not():
    sums = Sums()
    sums.end(metrics(2).count())
    sums.end(metrics(1).count())
    text = sums.expose([metrics(4).count()])
    assert set(values(text, "pentimento_requests_total").values()) == {7}
    assert set(values(text, "pentimento_rows_in_flight").values()) == {4}
    assert set(values(text, "pentimento_queue_seconds_count").values()) == {7}


def test_of_bundles_that_nobody_serves_any_more_nothing_is_kept():
    sums = Sums()
    sums.end(metrics(2, model="gone").count())
    text = sums.expose([metrics(1).count()])
    assert "gone" not in text.decode()
    assert set(values(text, "pentimento_requests_total").values()) == {3}
