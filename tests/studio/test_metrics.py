"""What the page makes of the metrics, against figures worked out by hand and Prometheus' own parser."""

from prometheus_client.parser import text_string_to_metric_families

BEFORE = """# HELP seconds A histogram.
# TYPE seconds histogram
seconds_bucket{le="0.01",where="a \\"quoted\\", b"} 4
seconds_bucket{le="0.1",where="a \\"quoted\\", b"} 4
seconds_bucket{le="+Inf",where="a \\"quoted\\", b"} 4
seconds_sum{where="a \\"quoted\\", b"} 0.02
seconds_count{where="a \\"quoted\\", b"} 4
"""
AFTER = """seconds_bucket{le="0.01",where="a \\"quoted\\", b"} 5
seconds_bucket{le="0.1",where="a \\"quoted\\", b"} 8
seconds_bucket{le="+Inf",where="a \\"quoted\\", b"} 8
seconds_sum{where="a \\"quoted\\", b"} 0.22
seconds_count{where="a \\"quoted\\", b"} 8
"""


def ask(page, live, expression, *texts):
    page.goto(f"{live.http}/#server")
    return page.evaluate(
        f"async texts => {{ const m = await import('/studio/parts/metrics.js');"
        f"const [before, after] = texts.map(m.parseMetrics); return {expression}; }}",
        list(texts),
    )


def test_mean_and_quantile_of_what_came_between_two_readings(page, live):
    assert round(ask(page, live, "m.meanBetween(before, after, 'seconds')", BEFORE, AFTER), 9) == 0.05
    # One of four is below 10 ms; the second, which is the median, is a third of the way to 100 ms.
    median = ask(page, live, "m.quantileBetween(before, after, 'seconds', 0.5)", BEFORE, AFTER)
    assert round(median, 9) == round(0.01 + (0.1 - 0.01) / 3, 9)


def test_a_server_that_began_anew_or_counted_nothing_has_none(page, live):
    for texts in ((AFTER, BEFORE), (AFTER, AFTER), ("", "")):
        for expression in (
            "meanBetween(before, after, 'seconds')",
            "quantileBetween(before, after, 'seconds', 0.5)",
        ):
            assert ask(page, live, f"m.{expression}", *texts) is None


def test_every_sample_of_a_real_server_is_read(page, live):
    with live.client() as client:
        text = client.get("/metrics").text
    samples = ask(page, live, "[...before].map(([name, list]) => [name, list])", text)
    read = {
        (name, tuple(sorted(sample["labels"].items()))): float(sample["value"])
        for name, found in samples
        for sample in found
    }
    wanted = {
        (sample.name, tuple(sorted(sample.labels.items()))): float(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert read == wanted
