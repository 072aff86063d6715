"""Drawings of other steps and guidance in one batch: what mixing costs, against clients who all ask alike.

    python -m benchmarks.mixed_controls --model flow-mnist

Steps and controls reach the graph as values a row, so a call takes along whoever waits. As many clients
ask in turns: all for the same, for other guidance, for other steps, for both. A canvas is a call a row, so
canvases a second are compared.
"""

import argparse
import re
import statistics
import urllib.request
from contextlib import ExitStack

from benchmarks.bench.asks import Ask, Group
from benchmarks.bench.contenders import SERVER_SETTINGS
from benchmarks.bench.load import Job
from benchmarks.bench.procs import Worker
from benchmarks.serving import ROOT, served

STEPS, GUIDANCE = 8, 1.5
MIXED_STEPS, MIXED_GUIDANCE = (4, 8, 12), (1.2, 1.5, 3.0)
"""Of the mixed requests; their mean is `STEPS`, and no guidance is 1, as that asks the network only once."""

CASES = {
    "all alike": [(STEPS, GUIDANCE)],
    "other guidance": [(STEPS, guidance) for guidance in MIXED_GUIDANCE],
    "other steps": [(steps, GUIDANCE) for steps in MIXED_STEPS],
    "both": list(zip(MIXED_STEPS, MIXED_GUIDANCE, strict=True)),
}


def main() -> None:
    """Measures all cases in turns, and prints a table."""
    parser = argparse.ArgumentParser(description="Drawings of other steps and guidance in one batch.")
    parser.add_argument("--model", default="flow-mnist")
    parser.add_argument("--clients", type=int, default=12, help="a multiple of three")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=4)
    arguments = parser.parse_args()
    found: dict[str, list[tuple[float, float, float]]] = {case: [] for case in CASES}
    with ExitStack() as stack:
        load = stack.enter_context(Worker("benchmarks.bench.load"))
        address, _, pid = stack.enter_context(served(ROOT / "zoo", **SERVER_SETTINGS))
        for turn in range(arguments.rounds):
            for case in list(CASES)[:: -1 if turn % 2 else 1]:
                before = _calls(address, arguments.model)
                job = _job(address, pid, case, arguments)
                groups = load.do(job.to_json())["groups"]
                calls, rows, steps = (
                    after - then for after, then in zip(_calls(address, arguments.model), before, strict=True)
                )
                canvases = sum(
                    group["requests_per_s"] * asked.ask.steps
                    for group, asked in zip(groups, job.groups, strict=True)
                )
                found[case].append((canvases, rows / calls, steps / calls))
    alike = [canvases for canvases, _, _ in found["all alike"]]
    print(f"{arguments.model}, {arguments.clients} clients, {arguments.rounds} rounds in turns\n")
    print("| clients ask for | canvases/s | of all alike | rows a call | different steps in a call |")
    print("|---|---:|---:|---:|---:|")
    for case, values in found.items():
        canvases, rows, steps = zip(*values, strict=True)
        ratios = [mine / theirs for mine, theirs in zip(canvases, alike, strict=True)]
        print(
            f"| {case} | {_spread(canvases, 0)} | {_spread(ratios, 2)} | "
            f"{statistics.median(rows):.1f} | {statistics.median(steps):.1f} |"
        )


def _job(address: str, pid: int, case: str, arguments: argparse.Namespace) -> Job:
    asks = [
        Ask(model=arguments.model, steps=steps, more={"label": 3, "controls": {"guidance": guidance}})
        for steps, guidance in CASES[case]
    ]
    return Job(
        http_port=int(address.rpartition(":")[2]),
        path="/generate",
        grpc_target="",
        pid=pid,
        groups=tuple(Group(ask=ask, clients=arguments.clients // len(asks)) for ask in asks),
        warm_s=1.0,
        seconds=arguments.seconds,
    )


def _calls(address: str, model: str) -> tuple[float, float, float]:
    """Calls of the step graph so far, and over all of them rows and different time steps."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:
        page = answer.read().decode()
    series = f'bundle="{model}",graph="step"'
    names = ("batch_rows_count", "batch_rows_sum", "batch_distinct_t_sum")
    calls, rows, steps = (
        sum(map(float, re.findall(rf"^pentimento_{name}\{{{series}\}} (\S+)$", page, re.MULTILINE)))
        for name in names
    )
    return calls, rows, steps


def _spread(values: list[float] | tuple[float, ...], digits: int) -> str:
    middle, low, high = (
        f"{each:,.{digits}f}" for each in (statistics.median(values), min(values), max(values))
    )
    return f"{middle} [{low}..{high}]"


if __name__ == "__main__":
    main()
