"""Measures the server against the machine's limit and against the plain way; benchmarks/README.md explains.

    python -m benchmarks.bench                   everything; writes docs/benchmarks.md
    python -m benchmarks.bench --quick           in two minutes, for a look; the docs stay as they are
    python -m benchmarks.bench --only gran fair
    python -m benchmarks.bench --report          measures nothing: the last run's report anew

Everything else on the machine should be still. Results are kept after every round.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from benchmarks.bench.cases import FULL, MEMORY, QUICK, SECTIONS, Case, Pace, planned, seconds_of
from benchmarks.bench.contenders import Arena, prepare_bundles, running
from benchmarks.bench.figures import Results
from benchmarks.bench.limit import drawing_rate
from benchmarks.bench.load import Job
from benchmarks.bench.machine import describe, others_share
from benchmarks.bench.memory import memory_at_rest
from benchmarks.bench.plots import draw_plots
from benchmarks.bench.reach import verdicts
from benchmarks.bench.report import markdown, put_into
from benchmarks.serving import ROOT
from pentimento.program.console import make_console

RESULTS = "results.json"


def measure(arena: Arena, case: Case, pace: Pace, zoo: Path) -> dict[str, Any]:
    """Measures one case for one round; returns its figures."""
    if case.name == MEMORY:
        return memory_at_rest(zoo, arena.cache)
    if not case.groups:
        loop = {"model": case.model, "rows": case.rows, "steps": case.steps, "seconds": pace.loop_seconds}
        return drawing_rate(arena.loops, loop)
    who = arena.contenders[case.contender]
    job = Job(
        http_port=who.http_port,
        path=who.path,
        grpc_target=who.grpc_target,
        pid=who.pid,
        groups=case.groups,
        warm_s=pace.warm_s,
        seconds=pace.seconds if case.core else pace.survey_seconds,
    )
    return arena.load.do(job.to_json())


def run(sections: Sequence[str], pace: Pace, zoo: Path, output: Path, console: Console) -> dict[str, Any]:
    """Measures all cases in rounds: each round has every case once, every second one backwards.

    Args:
        sections: Names of the sections to measure.
        pace: How long and how often.
        zoo: Folder of bundles.
        output: Folder for the results, which are written after every round.
        console: Where progress is shown.

    Returns:
        What is also in the file RESULTS of the output folder.
    """
    cases = planned(pace, sections)
    others = others_share()
    content: dict[str, Any] = {
        "machine": describe(),
        "others": others,
        "quick": pace is QUICK,
        "sections": list(sections),
        "finished": False,
        "seconds": 0.0,
        "rounds": {case.name: [] for case in cases},
    }
    console.print(f"{len(cases)} cases, about {seconds_of(cases, pace) / 60:.0f} minutes")
    if others > 0.1:
        console.print(f"Other programs use {100 * others:.0f} % of the CPUs.", style="yellow")
    rounds = {case.name: pace.rounds if case.core else pace.survey_rounds for case in cases}
    began = time.monotonic()
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with tempfile.TemporaryDirectory() as folder, Progress(*columns, console=console) as progress:
        task = progress.add_task("starting the servers", total=sum(rounds.values()))
        bundles = Path(folder) / "bundles"
        prepare_bundles(zoo, bundles)
        with running(bundles) as arena:
            content["machine"]["server"] = arena.server_says
            for number in range(max(rounds.values())):
                for case in cases if number % 2 == 0 else reversed(cases):
                    if number < rounds[case.name]:
                        progress.update(task, description=case.name)
                        content["rounds"][case.name].append(measure(arena, case, pace, zoo))
                        progress.advance(task)
                content["seconds"] = time.monotonic() - began
                content["finished"] = number + 1 == max(rounds.values())
                (output / RESULTS).write_text(json.dumps(content, indent=1))
    return content


def write_report(content: dict[str, Any], output: Path, console: Console) -> None:
    """Writes the report to the output folder and, after a whole run, into the docs; prints the aims met."""
    results = Results(content["rounds"])
    plots = draw_plots(results, output)
    report = output / "report.md"
    report.write_text("# Results\n\n" + markdown(content, plots, output))
    written = [report]
    if content["finished"] and not content["quick"] and set(content["sections"]) == set(SECTIONS):
        document = ROOT / "docs" / "benchmarks.md"
        plots = draw_plots(results, ROOT / "docs" / "images" / "bench")
        put_into(document, markdown(content, plots, document.parent))
        written.append(document)
    for verdict in verdicts(results):
        aim = verdict.aim
        sign = {True: ("met    ", "green"), False: ("not met", "red"), None: ("-      ", "")}[verdict.met]
        told = f" {aim.what}: {aim.figure}: {verdict.figure_text}, wanted {aim.wanted_text}"
        console.print(Text.assemble(sign, told, f" ({verdict.against})" if verdict.against else ""))
    for name, reasons in results.failures().items():
        console.print(Text.assemble(("failed", "red"), f" {name}: {reasons}"))
    console.print(f"written: {', '.join(str(path) for path in written)}")


def main() -> None:
    """Reads the command line, measures, and writes the report."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bench",
        description=__doc__,
        epilog="sections:\n" + "\n".join(f"  {name:<11} {what}" for name, what in SECTIONS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="short rounds, few of them")
    parser.add_argument(
        "--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS), metavar="SECTION"
    )
    parser.add_argument("--report", action="store_true", help="write the report of the last run anew")
    parser.add_argument("--zoo", type=Path, default=ROOT / "zoo", help="folder of bundles")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench", help="results and report")
    arguments = parser.parse_args()
    output: Path = arguments.output
    output.mkdir(parents=True, exist_ok=True)
    console = make_console()
    if arguments.report:
        content = json.loads((output / RESULTS).read_text())
    else:
        pace = QUICK if arguments.quick else FULL
        content = run(arguments.only, pace, arguments.zoo, output, console)
    write_report(content, output, console)


if __name__ == "__main__":
    main()
