"""The arithmetic of `make bench`, with made-up results."""

import dataclasses
from pathlib import Path

import pytest

from benchmarks.bench import tables
from benchmarks.bench.cases import BESIDE, FULL, SECTIONS, SHORT, case_name, group, limit_name, planned
from benchmarks.bench.contenders import GRAN, ROWS
from benchmarks.bench.figures import Results, Spread, divide
from benchmarks.bench.plots import PLOTS, draw_plots
from benchmarks.bench.reach import verdicts
from benchmarks.bench.report import BEGIN, END, markdown, put_into
from benchmarks.bench.window import Tally, Times, percentile

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


def a_round(rate, *, p50=10.0, p99=20.0, first=5.0, canvases=5.0, cpu=1.0):
    """A second of a load with one group."""
    return {
        "wall_s": 1.0,
        "server_cpu_s": rate * cpu / 1000,
        "load_cpu_s": rate * 0.1 / 1000,
        "resident_mib": 100.0,
        "groups": [
            {
                "requests": rate,
                "canvases": canvases * rate,
                "requests_per_s": rate,
                "first_ms": {"p50": first, "p99": 2 * first},
                "last_ms": {"p50": p50, "p99": p99},
                "failures": {},
            }
        ],
    }


def both(*rounds):
    """Loads of several groups out of loads of one."""
    return rounds[0] | {"groups": [one["groups"][0] for one in rounds]}


def a_loop(rate, graph_ms=0.8, png_ms=0.2):
    return {"drawings_per_s": rate, "graph_ms": graph_ms, "png_ms": png_ms}


def made_up():
    """Results of three rounds whose ratios are known."""

    def name(contender, **asked):
        return case_name(contender, [group(32, **asked)])

    beside = {what: case_name("server", [SHORT, long]) for what, long in BESIDE.items()}
    return Results(
        {
            limit_name(GRAN, 1): [a_loop(500)] * 3,
            # The best batch by its median, though another one had the best round.
            limit_name(GRAN, 8): [a_loop(700), a_loop(2000), a_loop(700)],
            limit_name(GRAN, 32): [a_loop(1000), a_loop(1000), a_loop(500)],
            name("server"): [a_round(900, p99=40), a_round(800, p99=40), a_round(450, p99=40)],
            name("plain"): [a_round(600, p99=80), a_round(400, p99=80), a_round(300, p99=80)],
            name("batched"): [a_round(500, p99=100), a_round(500, p99=100), a_round(400, p99=30)],
            name("server", n=64): [a_round(12.5), a_round(14.0625), a_round(7.8125)],
            name("server", form="ndjson"): [a_round(100, first=5.0)] * 3,
            name("stream", form="ndjson"): [a_round(50, first=f) for f in (9.0, 10.0, 20.0)],
            name("server", model=ROWS): [a_round(rate) for rate in (60, 55, 40)],
            name("plain", model=ROWS): [a_round(10)] * 3,
            case_name("server", [SHORT]): [a_round(100, p50=2.0)] * 3,
            beside["8 drawings of 64 steps"]: [
                both(a_round(50, p50=p50), a_round(10, p50=64.0)) for p50 in (5.0, 6.0, 4.0)
            ],
        }
    )


def test_the_aims_are_ratios_within_a_round():
    spreads = [verdict.ratio for verdict in verdicts(made_up())]
    assert spreads == [
        Spread(0.9, 0.8, 0.9),  # of the limit: 900/1000, 800/1000, 450/500
        Spread(1.5, 1.125, 1.6),  # of the better handler: 900/600, 800/500, 450/400
        Spread(0.5, 0.5, pytest.approx(4 / 3)),  # of the lower p99: 40/80, 40/80, 40/30
        Spread(0.9, 0.8, 1.0),  # n=64: 800/1000, 900/1000, 500/500
        Spread(0.5, 0.25, pytest.approx(5 / 9)),  # first canvas
        Spread(5.5, 4.0, 6.0),  # the row model
        Spread(1.0, 0.8, 1.2),  # 5, 6 and 4 ms, of 2 * 2 ms + 64 ms / 64 steps
    ]
    assert all(verdict.met for verdict in verdicts(made_up()))


def test_an_aim_is_met_by_its_median_and_by_nothing_else():
    verdict = verdicts(made_up())[0]
    just_below = dataclasses.replace(verdict, ratio=Spread(0.849, 0.7, 0.99))
    assert verdict.aim.wanted == 0.85 and just_below.met is False
    assert dataclasses.replace(verdict, ratio=Spread(0.85, 0.1, 0.9)).met is True
    at_most = verdicts(made_up())[2]
    assert dataclasses.replace(at_most, ratio=Spread(1.01, 0.5, 1.2)).met is False
    assert [verdict.met for verdict in verdicts(Results({}))] == [None] * len(verdicts(Results({})))


def test_the_table_of_aims_says_what_was_measured():
    lines = tables.reach_table(made_up()).splitlines()
    assert lines[2].endswith("| at least 0.85 | 0.90 [0.80..0.90] | yes |")
    slow = made_up()
    slow.rounds[case_name("server", [group(32)])] = [a_round(100, p99=500)] * 3
    assert tables.reach_table(slow).splitlines()[2].endswith("| 0.10 [0.10..0.20] | **no** |")
    assert all(line.endswith("| not measured |") for line in tables.reach_table(Results({})).splitlines()[2:])


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
    assert [path.stem for path in plots] == ["limit", "clients"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in plots)
    report = markdown(content(made_up()), plots, tmp_path)
    assert "(images/limit.png)" in report and "(images/clients.png)" in report


def test_a_whole_run_has_every_plot_and_every_aim(tmp_path):
    cases = planned(FULL, SECTIONS)
    rounds = {
        case.name: [both(*[a_round(9.0)] * len(case.groups)) if case.groups else a_loop(9.0)]
        for case in cases
    }
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
