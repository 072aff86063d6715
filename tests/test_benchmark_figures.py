"""The arithmetic of `make bench`, with made-up results."""

from pathlib import Path

import pytest

from benchmarks.bench import tables
from benchmarks.bench.cases import FULL, MEMORY, SECTIONS, case_name, group, planned
from benchmarks.bench.contenders import GRAN
from benchmarks.bench.figures import Results, Spread, divide
from benchmarks.bench.plots import PLOTS, draw_plots
from benchmarks.bench.reach import verdicts
from benchmarks.bench.report import BEGIN, END, markdown, put_into
from benchmarks.bench.window import Tally, Times, percentile
from tests.benchmark_results import a_loop, a_round, both, made_up, some_memory

ROOT = Path(__file__).parent.parent


def test_a_request_counts_by_its_part_in_the_window():
    tally = Tally(group(1, n=2))
    # From 10 to 20: one before, one half inside, one inside, one that goes on for as long again, one after.
    for began, first, ended in ((5, 6, 9), (9, 10, 11), (12, 13, 14), (18, 19, 22), (20.5, 21, 22)):
        tally.times.append(Times(began, first, ended))
    seen = tally.summary(10, 20)
    assert seen["requests"] == pytest.approx(0.5 + 1 + 0.5)
    assert seen["requests_per_s"] == pytest.approx(0.2)
    assert seen["canvases"] == pytest.approx(20)
    assert seen["last_ms"] == {"p50": 2000, "p99": 4000}


def test_percentiles_are_values_that_occurred():
    values = list(range(1, 201))
    assert [percentile(values, percent) for percent in (1, 50, 99, 100)] == [2, 100, 198, 200]
    assert percentile([7], 99) == 7
    assert percentile([], 50) is None


def test_the_limit_is_one_batch_for_all_rounds():
    assert made_up().limit(GRAN) == (32, [1000, 1000, 500])
    assert Results({}).limit(GRAN) == (0, [])


def test_spreads_and_divisions():
    assert Spread.of([3, 1, 2]).text(1) == "2.0 [1.0..3.0]"
    assert Spread.of([]) is None
    assert divide([4, 9, 1], [2, 3]) == [2, 3]


def test_cpu_time_is_divided_by_requests():
    results = made_up()
    name = case_name("server", [group(32)])
    assert results.server_ms(name) == pytest.approx([1.0] * 3)
    assert results.load_ms(name) == pytest.approx([0.1] * 3)
    # 1.0 ms of work in the bare loop, all that the server took, and 0.1 ms of the load generator's.
    assert "| json | 1.00 | 0.00 | 0.10 | 0.91 |" in tables.cpu_table(results, GRAN)


def content(results, **changes):
    described = {"machine": {"processor": "abacus"}, "others": 0.0, "quick": False, "finished": True}
    return {"sections": list(SECTIONS), "rounds": results.rounds, "seconds": 600.0} | described | changes


def test_the_report_warns_of_what_makes_figures_worthless(tmp_path):
    results = made_up()
    clean = markdown(content(results), [], tmp_path)
    assert "abacus" in clean and "worth little" not in clean and "failed" not in clean
    results.rounds[case_name("server", [group(32)])][0]["groups"][0]["failures"] = {"status 429": 2}
    marred = markdown(
        content(results, others=0.5, quick=True, finished=False, sections=["gran"]), [], tmp_path
    )
    for warning in ("worth little", "quick run", "interrupted", "Only a part", "2 x status 429"):
        assert warning in marred


def test_a_plot_is_drawn_of_what_was_measured_and_linked(tmp_path):
    plots = draw_plots(made_up(), tmp_path / "images")
    assert [path.stem for path in plots] == ["limit", "clients", "images"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in plots)
    report = markdown(content(made_up()), plots, tmp_path)
    assert "(images/limit.png)" in report and "(images/clients.png)" in report


def test_a_whole_run_has_every_plot_and_every_aim(tmp_path):
    cases = planned(FULL, SECTIONS)
    rounds = {
        case.name: [both(*[a_round(9.0)] * len(case.groups)) if case.groups else a_loop(9.0)]
        for case in cases
    } | {MEMORY: [some_memory(300.0)]}
    results = Results(rounds)
    assert [path.stem for path in draw_plots(results, tmp_path)] == list(PLOTS)
    assert None not in [verdict.met for verdict in verdicts(results)]
    assert "Not measured" not in markdown(content(results), [], tmp_path)


def test_the_docs_take_the_report(tmp_path):
    document = tmp_path / "benchmarks.md"
    document.write_text((ROOT / "docs" / "benchmarks.md").read_text())
    for report in ("first", "second"):
        put_into(document, report)
    text = document.read_text()
    assert f"{BEGIN}\n\nsecond\n{END}" in text and "first\n" not in text.partition(BEGIN)[2]
    document.write_text("nothing")
    with pytest.raises(ValueError, match="must hold the lines"):
        put_into(document, "third")
