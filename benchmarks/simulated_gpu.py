"""What a GPU would see of the server: graph calls that take a fixed time, whatever the batch, and no CPU.

    python -m benchmarks.simulated_gpu --clients 32 --seconds 3 --rounds 5

One process owns the device, whose calls sleep and give back zeros; one or two have front ends. Measured in
turns: drawings a second, and CPU time a drawing of all processes of the server. The load generator takes part
of the same CPUs, which is shown: subtract it.
"""

import argparse
import statistics
import sys
from contextlib import ExitStack

from benchmarks.bench.asks import Ask, Group
from benchmarks.bench.contenders import GRAN
from benchmarks.bench.load import Job
from benchmarks.bench.procs import Worker
from benchmarks.serving import ROOT, free_port, until_stopped

CALL_S = 0.3e-3

_SERVER = """
import sys
from pathlib import Path
from pentimento.service.settings import Settings
from pentimento.service.workers.run import FRONT, LANE, run
bundles, http, grpc, fronts = sys.argv[1:]
bundles = Path(bundles)
settings = Settings(
    bundles=bundles, http_port=int(http), grpc_port=int(grpc), log_level="warning", calibrate=False,
    max_rows_in_flight=16384,
)
program = f"import sys; sys.path.insert(0, {str(bundles.parent)!r}); "
program += "from benchmarks.simulated_worker import main; main()"
sys.exit(run(settings, roles=[LANE, *[FRONT] * int(fronts)], program=["-c", program]))
"""


def main() -> None:
    """Measures one and two front ends in turns, and prints medians with their ranges."""
    parser = argparse.ArgumentParser(description="The host's ceiling before a simulated GPU.")
    parser.add_argument("--fronts", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    group = Group(ask=Ask(model=GRAN, steps=5), clients=arguments.clients)
    found: dict[int, list[dict[str, float]]] = {fronts: [] for fronts in arguments.fronts}
    with ExitStack() as stack:
        load = stack.enter_context(Worker("benchmarks.bench.load"))
        jobs = {}
        for fronts in arguments.fronts:
            http, grpc = free_port(), free_port()
            command = [sys.executable, "-c", _SERVER, str(ROOT / "zoo"), str(http), str(grpc), str(fronts)]
            pid = stack.enter_context(until_stopped(command, {}, f"http://127.0.0.1:{http}/readyz"))
            jobs[fronts] = Job(
                http_port=http,
                path="/generate",
                grpc_target="",
                pid=pid,
                groups=(group,),
                warm_s=0.5,
                seconds=arguments.seconds,
            )
        for _ in range(arguments.rounds):
            for fronts, job in jobs.items():
                found[fronts].append(load.do(job.to_json()))
    rate = {
        fronts: [each["groups"][0]["requests_per_s"] for each in results] for fronts, results in found.items()
    }
    for fronts, results in found.items():
        cpu = statistics.median(
            1000 * each["server_cpu_s"] / each["groups"][0]["requests"] for each in results
        )
        took = statistics.median(each["load_cpu_s"] / each["wall_s"] for each in results)
        print(
            f"{fronts} front ends: {_shown(rate[fronts])} drawings/s, {cpu:.2f} ms of CPU each, "
            f"load generator {took:.0%} of a CPU"
        )
    first, *others = arguments.fronts
    for fronts in others:
        ratios = [ours / one for ours, one in zip(rate[fronts], rate[first], strict=True)]
        print(f"{fronts} front ends draw {_shown(ratios, 2)} times as many as {first}")


def _shown(values: list[float], digits: int = 0) -> str:
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} [{low:.{digits}f}..{high:.{digits}f}]"


if __name__ == "__main__":
    main()
