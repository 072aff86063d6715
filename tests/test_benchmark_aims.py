"""The aims of `make bench` and the better plain handler, with made-up results."""

import dataclasses

import pytest

from benchmarks.bench import tables
from benchmarks.bench.better import P50, P99, RATE, better_handler, better_sentence
from benchmarks.bench.cases import FULL, SECTIONS, case_name, group, planned
from benchmarks.bench.contenders import LABELS, PLAIN_STREAMS, PLAIN_WHOLE, ROWS
from benchmarks.bench.figures import Results, Spread
from benchmarks.bench.reach import verdicts
from tests.benchmark_results import a_round, made_up


def test_the_aims_are_ratios_within_a_round():
    found = [(verdict.figure, verdict.against) for verdict in verdicts(made_up())]
    assert found == [
        (Spread(0.9, 0.8, 0.9), "the bare loop at batches of 32"),  # 900/1000, 800/1000, 450/500
        (Spread(1.6, 1.5, 1.8), LABELS["inline"]),  # 900/500, 800/500, 450/300
        (Spread(0.8, 0.8, 1.25), LABELS["batched"]),  # p99: 40/50, 40/50, 40/32
        (Spread(1.0, 0.95, 1.05), LABELS["inline"]),  # one client: 1.9, 2.0 and 2.1 ms of 2
        (Spread(0.93, 0.9, 1.0), "the bare loop at batches of 32"),  # n=64: 930/1000, 900/1000, 500/500
        (Spread(0.9, 0.8, 1.0), "the bare loop at batches of 32"),  # and of 32 clients
        (Spread(0.5, 0.25, pytest.approx(5 / 9)), LABELS["inline-stream"]),  # first canvas
        (Spread(0.4, 0.4, 0.4), LABELS["stream"]),  # its p99
        (Spread(5.5, 4.0, 6.0), LABELS["plain"]),  # the row model
        (Spread(0.8, 0.6, 1.0), "itself alone, and a step of the others"),  # of 2 * 2 ms + 64 ms / 64 steps
        (Spread(380, 350, 390), ""),
    ]
    assert all(verdict.met for verdict in verdicts(made_up()))


def test_the_better_handler_is_the_best_of_all_by_its_median():
    results, asked = made_up(), group(32)
    assert better_handler(results, asked, RATE) == ("inline", [500, 500, 300])
    assert better_handler(results, asked, P99) == ("batched", [50, 50, 32])
    assert better_handler(results, group(1), P50)[0] == "inline"
    said = better_sentence(results, asked, (RATE, P99))
    assert said == (
        "The better plain handler is *inline, on the event loop* by requests/s; *requests batched* by p99.\n"
    )


@pytest.mark.parametrize("missing", PLAIN_WHOLE)
def test_without_all_handlers_there_is_no_better_one(missing):
    results = made_up()
    del results.rounds[case_name(missing, [group(32)])]
    assert better_handler(results, group(32), RATE) == ("", [])
    assert better_sentence(results, group(32), (RATE, P99)) == ""
    assert [verdict.met for verdict in verdicts(results)][:3] == [True, None, None]


def test_every_plain_handler_has_a_name_and_is_measured():
    names = {case.name for case in planned(FULL, SECTIONS)}
    for handlers, asked in (
        (PLAIN_WHOLE, group(32)),
        (PLAIN_WHOLE, group(1)),
        (PLAIN_WHOLE, group(32, model=ROWS)),
        (PLAIN_STREAMS, group(32, form="ndjson")),
    ):
        assert {case_name(who, [asked]) for who in handlers} <= names
    plain = {who for who, label in LABELS.items() if label.startswith("plain: ")}
    assert plain == {*PLAIN_WHOLE, *PLAIN_STREAMS}


def test_an_aim_is_met_by_its_median_and_by_nothing_else():
    verdict = verdicts(made_up())[0]
    just_below = dataclasses.replace(verdict, figure=Spread(0.749, 0.7, 0.99))
    assert verdict.aim.wanted == 0.75 and just_below.met is False
    assert dataclasses.replace(verdict, figure=Spread(0.75, 0.1, 0.9)).met is True
    at_most = verdicts(made_up())[2]
    assert dataclasses.replace(at_most, figure=Spread(0.91, 0.5, 1.2)).met is False
    assert [verdict.met for verdict in verdicts(Results({}))] == [None] * len(verdicts(Results({})))


def test_the_table_of_aims_says_what_was_measured():
    lines = tables.reach_table(made_up()).splitlines()
    assert lines[2].endswith("| at least 0.75 | 0.90 [0.80..0.90] | yes | the bare loop at batches of 32 |")
    assert lines[3].endswith(f"| at least 1.1 | 1.60 [1.50..1.80] | yes | {LABELS['inline']} |")
    assert lines[-1].endswith("MiB | at most 380 | 380 [350..390] | yes | - |")
    slow = made_up()
    slow.rounds[case_name("server", [group(32)])] = [a_round(100, p99=500)] * 3
    assert "| 0.10 [0.10..0.20] | **no** |" in tables.reach_table(slow).splitlines()[2]
    nothing = tables.reach_table(Results({})).splitlines()[2:]
    assert all(line.endswith("| - | not measured | - |") for line in nothing)


def test_the_table_of_memory_says_what_is_shared():
    assert "| 3 | 380 [350..390] | 480 [450..490] |" in tables.memory_table(made_up())
