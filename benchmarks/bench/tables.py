"""Tables of the report in Markdown; ratios stand in the first columns."""

__all__ = [
    "beside_table",
    "contender_table",
    "cpu_table",
    "limit_table",
    "load_table",
    "memory_table",
    "reach_table",
]

from collections.abc import Iterable, Sequence
from operator import itemgetter
from statistics import median

from benchmarks.bench.asks import FORMS, Group
from benchmarks.bench.cases import BESIDE, MEMORY, SHORT, case_name, group
from benchmarks.bench.contenders import LABELS
from benchmarks.bench.figures import Results, Spread, divide
from benchmarks.bench.measures import short_beside_long
from benchmarks.bench.reach import verdicts

_NONE = "-"

_PARTS = ("graph_ms", "png_ms")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with all columns but the first aligned right; without rows, a sentence instead."""
    rows = list(rows)
    if not rows:
        return "Not measured in this run.\n"
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(values: Sequence[float], digits: int = 2) -> str:
    """Median and range of the rounds' values as text, or a dash if there is none."""
    spread = Spread.of(values)
    return _NONE if spread is None else spread.text(digits)


def middle(values: Sequence[float], digits: int = 1) -> str:
    """The median of the rounds' values as text, or a dash if there is none."""
    spread = Spread.of(values)
    return _NONE if spread is None else f"{spread.median:,.{digits}f}"


def reach_table(results: Results) -> str:
    """The table of aims: wanted, measured, against what, met or not."""
    rows = []
    for verdict in verdicts(results):
        aim = verdict.aim
        met = {True: "yes", False: "**no**", None: "not measured"}[verdict.met]
        measured = _NONE if verdict.figure is None else verdict.figure_text
        told = f"{aim.what}: {aim.figure}"
        rows.append((told, aim.wanted_text, measured, met, verdict.against or _NONE))
    return table(("aim", "wanted", "measured", "met", "against"), rows)


def limit_table(results: Results, model: str) -> str:
    """The table of a model's bare loops, a row a batch; the best is in bold."""
    best, _ = results.limit(model)
    rows = []
    for batch, name in results.loops(model).items():
        graph, png = (results.loop_ms(name, part) for part in _PARTS)
        rate = cell(results.loop_rate(name), 0)
        total = [a + b for a, b in zip(graph, png, strict=True)]
        rows.append(
            (
                f"**{batch}**" if batch == best else str(batch),
                f"**{rate}**" if batch == best else rate,
                middle(total, 3),
                middle(graph, 3),
                middle(png, 3),
            )
        )
    heads = ("batch", "drawings/s, all CPUs", "CPU ms a drawing", "of which ONNX Runtime", "of which PNG")
    return table(heads, rows)


def contender_table(results: Results, contenders: Sequence[str], asked: Group) -> str:
    """The table of several servers under the same load, with ratios to Pentimento."""
    _, limit = results.limit(asked.ask.model)
    server = results.rate(case_name("server", [asked]))
    rows = []
    for contender in contenders:
        name = case_name(contender, [asked])
        if name not in results.rounds:
            continue
        rate = results.rate(name)
        rows.append(
            (
                LABELS[contender],
                _NONE if contender in ("server", "constant") else cell(divide(server, rate)),
                _NONE if contender == "constant" else cell(divide(rate, limit)),
                cell(rate, 0),
                *_latencies(results, name),
                middle(results.server_ms(name), 2),
                middle(results.resident_mib(name), 0),
                _share(results, name),
            )
        )
    heads = (
        f"{asked.clients} client{'s' if asked.clients > 1 else ''}",
        "Pentimento is faster by",
        "of the limit",
        "requests/s",
        "first canvas p50 / p99, ms",
        "last canvas p50 / p99, ms",
        "CPU ms a request",
        "memory, MiB",
        "load generator, of a CPU",
    )
    return table(heads, rows)


def cpu_table(results: Results, model: str) -> str:
    """The table of where the CPU time of a drawing goes, form by form: why the limit is not reached."""
    best, _ = results.limit(model)
    loop = results.loops(model).get(best, "")
    base = sum(median(results.loop_ms(loop, part)) for part in _PARTS) if loop else 0.0
    rows = []
    for form in FORMS:
        name = case_name("server", [group(32, model=model, form=form)])
        if name in results.rounds and loop:
            server, load = median(results.server_ms(name)), median(results.load_ms(name))
            parts = (f"{value:.2f}" for value in (base, server - base, load))
            rows.append((form, *parts, f"{base / (server + load):.2f}"))
    heads = (
        "32 clients",
        "the bare loop's work, CPU ms a drawing",
        "the rest of the server",
        "the load generator",
        "of the limit, if no CPU is ever idle",
    )
    return table(heads, rows)


def beside_table(results: Results) -> str:
    """The table of a short drawing's latency, alone and beside long ones."""
    alone = case_name("server", [SHORT])
    rows = []
    if alone in results.rounds:
        rows.append(("nothing", _NONE, *_latencies(results, alone)[1:], _NONE))
    for what, beside in BESIDE.items():
        name = case_name("server", [SHORT, beside])
        if name not in results.rounds:
            continue
        step = [long / beside.ask.steps for long in results.latency(name, "last_ms", "p50", group=1)]
        ratio = cell(short_beside_long(results, what).values)
        rows.append((what, ratio, _latencies(results, name)[1], middle(step, 2)))
    heads = ("1 step beside", "of twice its time alone plus a step", "its p50 / p99, ms", "a step, ms")
    return table(heads, rows)


def memory_table(results: Results) -> str:
    """The table of the server's memory with the whole zoo."""
    rows = []
    if MEMORY in results.rounds:
        fields = ("processes", "together_mib", "resident_mib")
        processes, *memory = (results.values(MEMORY, itemgetter(field)) for field in fields)
        rows.append((middle(processes, 0), *(cell(values, 0) for values in memory)))
    heads = ("processes", "MiB, what they share counted once", "MiB, summed over the processes")
    return table(heads, rows)


def load_table(results: Results, names: Iterable[str]) -> str:
    """The table of the server's loads by the names of their cases, a row a group of clients."""
    rows = []
    for name in names:
        rounds = results.rounds[name]
        groups = name.partition(": ")[2].split(" + ")
        for i, asked in enumerate(groups[: len(rounds[0]["groups"])]):
            first = i == 0
            rows.append(
                (
                    asked,
                    cell(results.rate(name, i), 1),
                    middle(results.canvas_rate(name, i), 0),
                    *_latencies(results, name, i),
                    middle(results.server_ms(name), 2) if first else "",
                    middle(results.resident_mib(name), 0) if first else "",
                    _share(results, name) if first else "",
                )
            )
    heads = (
        "clients and what they ask for",
        "requests/s",
        "canvases/s",
        "first canvas p50 / p99, ms",
        "last canvas p50 / p99, ms",
        "CPU ms a request",
        "memory, MiB",
        "load generator, of a CPU",
    )
    return table(heads, rows)


def _share(results: Results, name: str) -> str:
    """CPU time of the load generator as text, in per cent of a CPU."""
    return f"{middle([100 * share for share in results.load_share(name)], 0)} %"


def _latencies(results: Results, name: str, group: int = 0) -> tuple[str, str]:
    """p50 / p99 in milliseconds as text, of the first canvas and of the last."""
    return tuple(
        " / ".join(middle(results.latency(name, which, percent, group), 1) for percent in ("p50", "p99"))
        for which in ("first_ms", "last_ms")
    )  # type: ignore[return-value]
