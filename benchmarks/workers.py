"""Drawings a second by the number of workers, and by the number of clients; a table and a picture.

    python -m benchmarks.workers --rounds 3 --out docs/images/bench-workers.svg
    python -m benchmarks.workers --also ../before      # another checkout's server, in the same rounds

One server for each number of workers from 1 to the CPUs, doubling; measured in turns. The clients take their
part of the same CPUs.
"""

import argparse
import statistics
from contextlib import ExitStack
from pathlib import Path

from benchmarks.bench.asks import Ask, Group
from benchmarks.bench.contenders import GRAN, SERVER_SETTINGS
from benchmarks.bench.load import Job
from benchmarks.bench.procs import Worker
from benchmarks.serving import ROOT, of_checkout, served
from pentimento.service.settings import available_cpus

CASES = ((1, 1), (4, 1), (16, 1), (64, 1), (1, 64))
"""Clients, and the images that each asks for."""


def counts(cpus: int) -> list[int]:
    """1, 2, 4 and so on, and as many as there are CPUs."""
    return sorted({min(1 << power, cpus) for power in range(cpus.bit_length() + 1)})


def main() -> None:
    """Measures, prints a table, and writes the picture."""
    parser = argparse.ArgumentParser(description="Drawings a second by the number of workers.")
    parser.add_argument("--seconds", type=float, default=2.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--also", type=Path, action="append", default=[], help="another checkout")
    parser.add_argument("--out", type=Path, help="picture to write")
    arguments = parser.parse_args()
    found: dict[tuple[str, tuple[int, int]], list[tuple[float, float]]] = {}
    workers = {f"{count} worker{'s' if count > 1 else ''}": count for count in counts(available_cpus())}
    with ExitStack() as stack:
        load = stack.enter_context(Worker("benchmarks.bench.load"))
        servers = {
            label: stack.enter_context(served(ROOT / "zoo", workers=count, **SERVER_SETTINGS))
            for label, count in workers.items()
        }
        for folder in arguments.also:
            with of_checkout(folder):
                servers[folder.name] = stack.enter_context(served(ROOT / "zoo", **SERVER_SETTINGS))
        for _ in range(arguments.rounds):
            for clients, n in CASES:
                for label, (address, _, pid) in servers.items():
                    job = Job(
                        http_port=int(address.rpartition(":")[2]),
                        path="/generate",
                        grpc_target="",
                        pid=pid,
                        groups=(Group(ask=Ask(model=GRAN, steps=5, n=n), clients=clients),),
                        warm_s=0.4,
                        seconds=arguments.seconds,
                    )
                    (group,) = load.do(job.to_json())["groups"]
                    measured = n * group["requests_per_s"], group["last_ms"]["p50"]
                    found.setdefault((label, (clients, n)), []).append(measured)
    print("drawings a second, and p50 of a request in ms")
    print("| |" + "".join(f" {_case(*case)} |" for case in CASES))
    print("|---|" + "---:|" * len(CASES))
    for label in servers:
        print(f"| {label} |" + "".join(f" {_shown(found[label, case])} |" for case in CASES))
    if arguments.out:
        rates = {key: statistics.median(rate for rate, _ in values) for key, values in found.items()}
        _plot(rates, workers, arguments.out)


def _case(clients: int, n: int) -> str:
    return f"{clients} client{'s' if clients > 1 else ''}" + (f", n={n}" if n > 1 else "")


def _shown(values: list[tuple[float, float]]) -> str:
    rates, times = zip(*values, strict=True)
    return (
        f"{statistics.median(rates):.0f} [{min(rates):.0f}..{max(rates):.0f}], {statistics.median(times):.1f}"
    )


def _plot(rates: dict[tuple[str, tuple[int, int]], float], workers: dict[str, int], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.4), layout="constrained")
    axes = figure.subplots()
    for case in CASES:
        axes.plot(
            list(workers.values()), [rates[label, case] for label in workers], marker="o", label=_case(*case)
        )
    axes.set(xlabel="workers", ylabel="drawings a second", xticks=list(workers.values()), ylim=(0, None))
    axes.set_title("GRAN, 5 steps, JSON")
    axes.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main()
