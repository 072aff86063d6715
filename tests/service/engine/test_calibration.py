"""Calibration: what a curve is taken to mean, what is kept, and that it never keeps a graph from working."""

import json
import time

import pytest
from typer.testing import CliRunner

from pentimento.bundle.store import read_bundle
from pentimento.service.cli.main import app
from pentimento.service.engine.calibration import Calibrator, Curve, RowLimits, choose_lanes, choose_limits
from pentimento.service.engine.runtime import Runtime


def curve(us_a_row):
    return Curve(tuple((rows, rows * us / 1e6) for rows, us in us_a_row.items()))


@pytest.mark.parametrize(
    ("us_a_row", "cap", "expected"),
    [
        ({1: 100, 2: 100, 4: 100, 8: 100, 16: 100}, 64, RowLimits(1, 16)),  # flat: any call is efficient
        ({1: 57, 8: 9, 16: 5, 32: 2.2, 64: 2.2}, 64, RowLimits(32, 64)),  # falls: better wait together
        ({1: 400, 2: 300, 4: 205, 8: 200, 16: 260}, 64, RowLimits(4, 8)),  # too large is no good either
        ({1: 100, 8: 100, 64: 100}, 8, RowLimits(1, 8)),  # what was asked for holds
        ({2: 100}, 1, RowLimits(1, 1)),
        ({1: 90_000, 2: 50_000}, 64, RowLimits(1, 1)),  # a call that is long already
        ({1: 10_000, 2: 9_000, 4: 8_000, 8: 7_000}, 64, RowLimits(4, 4)),  # 8 rows would take 56 ms
    ],
)
def test_limits_follow_the_curve(us_a_row, cap, expected):
    assert choose_limits(curve(us_a_row), cap) == expected


def test_lanes_are_no_more_than_help():
    assert choose_lanes({1: 100.0, 2: 190.0}) == 2
    assert choose_lanes({1: 100.0, 2: 101.0}) == 1
    assert choose_lanes({1: 100.0, 4: 380.0, 8: 390.0}) == 4


def test_a_measurement_is_kept_for_this_graph_only(tmp_path):
    calls = []
    calibrator = Calibrator(tmp_path / "kept")
    first = calibrator.curve("a", calls.append)
    assert [rows for rows, _ in first.points] == [1, 2, 4, 8, 16, 32, 64]
    made = len(calls)
    assert Calibrator(tmp_path / "kept").curve("a", calls.append) == first and len(calls) == made
    calibrator.curve("b", calls.append)
    assert len(calls) > made
    for file in (tmp_path / "kept").iterdir():
        file.write_text("not a measurement")
    assert calibrator.curve("a", calls.append).points and len(calls) > 2 * made


@pytest.mark.parametrize("kept", [[], [[1]], {"rows": 1}, [["x", 2]], 7])
def test_what_is_not_a_measurement_is_measured_again(kept, tmp_path):
    calibrator = Calibrator(tmp_path)
    calibrator.curve("a", lambda rows: None)
    (file,) = tmp_path.iterdir()
    file.write_text(json.dumps(kept))
    calls = []
    calibrator.curve("a", calls.append)
    assert calls


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    assert Calibrator(tmp_path / "file" / "folder").curve("a", lambda rows: None).points


class Paced:
    """A graph and the clock that its calls are measured with: they take exactly what is said."""

    def __init__(self, seconds):
        self.now, self.calls, self._seconds = 0.0, [], seconds

    def call(self, rows):
        self.calls.append(rows)
        self.now += self._seconds(rows)

    def curve(self, calibrator=None):
        return (calibrator or Calibrator(None)).curve("paced", self.call, lambda: self.now)


@pytest.mark.parametrize("call_s", [0.0001, 0.016, 0.04])
def test_a_graph_of_which_a_call_takes_as_long_for_all_rows_is_measured_at_all_sizes(call_s):
    found = Paced(lambda rows: call_s + rows * 1e-6).curve()
    assert [rows for rows, _ in found.points] == [1, 2, 4, 8, 16, 32, 64]
    assert choose_limits(found, 64).most == 64


@pytest.mark.parametrize(
    ("row_s", "sizes"), [(0.012, [1, 2]), (0.02, [1, 2]), (0.03, [1, 2]), (0.06, [1]), (2.0, [1])]
)
def test_a_slow_graph_that_gains_nothing_by_more_rows_is_measured_at_few_sizes(row_s, sizes):
    graph = Paced(lambda rows: row_s * rows)
    assert [rows for rows, _ in graph.curve().points] == sizes
    assert len(graph.calls) <= 4


def test_one_slow_call_does_not_end_a_measurement():
    accidents = iter([0.0, 0.02])  # at two rows the first time
    graph = Paced(lambda rows: 0.012 + rows * 1e-5 + next(accidents, 0.0))
    found = graph.curve()
    assert found.points[-1][0] == 64
    assert dict(found.points)[2] == pytest.approx(0.01202)


def test_what_a_busy_machine_takes_away_is_not_measured():
    """A call that waits for the processor is no slow one: the clock of the thread is what counts."""

    def call(rows):
        calls.append(rows)
        time.sleep(0.001 * rows)

    calls = []
    assert [rows for rows, _ in Calibrator(None).curve("a", call).points] == [1, 2, 4, 8, 16, 32, 64]


@pytest.mark.alone
def test_throughput_counts_the_rows_of_all_lanes():
    found = Calibrator(None).throughput("a", 2, 8, lambda rows: time.sleep(0.005), time.perf_counter)
    assert set(found) == {1, 2} and found[2] > 1.3 * found[1]  # sleeping lanes do not hinder each other


def test_a_loaded_graph_has_limits_from_its_curve_unless_they_are_given(toys):
    bundle = read_bundle(toys / "toy-steps")
    for graph in Runtime(calibrator=Calibrator(None)).load(bundle).values():
        assert choose_limits(graph.curve, 64) == graph.limits
        assert 1 <= graph.efficient_rows <= graph.max_rows <= 64
    for graph in Runtime(calibrator=Calibrator(None), max_batch_rows=5).load(bundle).values():
        assert graph.max_rows == 5 and graph.efficient_rows <= 5
    for graph in Runtime().load(bundle).values():
        assert graph.curve is None and graph.max_rows == 32


def test_the_command_shows_curve_and_choice(toys):
    shown = CliRunner().invoke(app, ["bench", "--bundles", str(toys), "--model", "toy-steps", "--again"])
    assert shown.exit_code == 0, shown.output
    assert "toy-steps" in shown.output and "from" in shown.output and "CPUs" in shown.output
    missing = CliRunner().invoke(app, ["bench", "--bundles", str(toys / "nowhere")])
    assert missing.exit_code == 2 and "there is no bundle folder" in missing.output
