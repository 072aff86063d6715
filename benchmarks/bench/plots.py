"""Plots of the report: medians as lines, ranges over the rounds as bars."""

__all__ = ["PLOTS", "draw_plots"]

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.bench.asks import FORMS, Group
from benchmarks.bench.cases import CROWDED, FULL, GROWING, PER_IMAGE, PER_STEP, case_name, group
from benchmarks.bench.contenders import GRAN, LABELS
from benchmarks.bench.figures import Results, Spread

_DPI = 110

_LATENCIES = {("first_ms", "p50"): "o--", ("last_ms", "p50"): "o-", ("last_ms", "p99"): "o:"}
"""Line styles of latencies."""

Asked = Callable[[int], Group]
Points = Iterable[tuple[float, Sequence[float]]]


def draw_plots(results: Results, folder: Path) -> list[Path]:
    """Writes every plot of which something was measured.

    Args:
        results: The results.
        folder: Is made if it is not there.

    Returns:
        The files, in the order of PLOTS.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, draw in PLOTS.items():
        figure = Figure(figsize=(11, 4.2), layout="constrained")
        draw(results, figure)
        if not all(axes.lines for axes in figure.axes):
            continue  # a part of it was not measured in this run
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=_DPI, metadata={"Software": None})
        written.append(path)
    return written


def _line(axes: Axes, points: Points, label: str, style: str = "o-") -> None:
    spreads = [(x, spread) for x, values in points if (spread := Spread.of(values)) is not None]
    if spreads:
        x, y = [x for x, _ in spreads], [s.median for _, s in spreads]
        errors = [[s.median - s.low for _, s in spreads], [s.high - s.median for _, s in spreads]]
        axes.errorbar(x, y, errors, fmt=style, label=label, capsize=2, markersize=4, linewidth=1.3)


def _finish(axes: Axes, x: str, y: str, ticks: Sequence[int], scale: str = "linear") -> None:
    axes.set(xlabel=x, ylabel=y, xscale="log", yscale=scale)
    if scale == "linear":
        axes.set_ylim(0)
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(fontsize=7)


def _limit(results: Results, figure: Figure) -> None:
    rate, cost = figure.subplots(1, 2)
    loops = results.loops(GRAN)
    _line(rate, ((batch, results.loop_rate(name)) for batch, name in loops.items()), "bare loop, all CPUs")
    for key, label in (("graph_ms", "ONNX Runtime"), ("png_ms", "PNG")):
        _line(cost, ((batch, results.loop_ms(name, key)) for batch, name in loops.items()), label)
    _finish(rate, "batch", "drawings a second", list(loops))
    _finish(cost, "batch", "CPU ms a drawing", list(loops))


def _clients(results: Results, figure: Figure) -> None:
    rates, times = figure.subplots(1, 2)
    for form in FORMS:
        _line(rates, _by_clients(results.rate, "server", form), form)
    for contender in CROWDED:
        _line(rates, _by_clients(results.rate, contender, "json"), LABELS[contender], "s--")
    spread = Spread.of(results.limit(GRAN)[1])
    if spread is not None:
        rates.axhline(spread.median, color="black", linewidth=1, linestyle=":", label="limit")
    for form, colour in (("json", "C0"), ("ndjson", "C1"), ("grpc-stream", "C4")):
        for (which, percent), style in _LATENCIES.items():
            if form == "json" and which == "first_ms":
                continue  # all canvases come at once
            read = _latency(results, which, percent)
            label = f"{form}, {which[:-3]} canvas, {percent}"
            _line(times, _by_clients(read, "server", form), label, f"{colour}{style}")
    _finish(rates, "clients", "drawings a second", FULL.clients)
    _finish(times, "clients", "ms", FULL.clients, scale="log")


def _steps(results: Results, figure: Figure) -> None:
    _growth(results, figure, "steps", PER_STEP, lambda steps: group(1, steps=steps))


def _images(results: Results, figure: Figure) -> None:
    _growth(results, figure, "images in a request, n", PER_IMAGE, lambda n: group(1, n=n))


def _growth(results: Results, figure: Figure, x: str, values: Sequence[int], asked: Asked) -> None:
    times, cost = figure.subplots(1, 2)
    for contender in GROWING:
        names = [(value, case_name(contender, [asked(value)])) for value in values]
        p50 = _latency(results, "last_ms", "p50")
        _line(times, ((value, p50(name)) for value, name in names), f"{LABELS[contender]}, p50")
        _line(cost, ((value, results.server_ms(name)) for value, name in names), LABELS[contender])
    _finish(times, x, "ms until the answer, one client", values)
    _finish(cost, x, "CPU ms a request", values)


def _latency(results: Results, which: str, percent: str) -> Callable[[str], list[float]]:
    return lambda name: results.latency(name, which, percent)


def _by_clients(read: Callable[[str], Sequence[float]], contender: str, form: str) -> Points:
    for clients in FULL.clients:
        yield clients, read(case_name(contender, [group(clients, form=form)]))


PLOTS: dict[str, Callable[[Results, Figure], None]] = {
    "limit": _limit,
    "clients": _clients,
    "steps": _steps,
    "images": _images,
}
"""Functions that draw a plot, by its file's name."""
