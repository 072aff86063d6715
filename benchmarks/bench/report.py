"""The report of a run in Markdown, for a file of its own or for the results section of the docs."""

__all__ = ["BEGIN", "END", "markdown", "put_into"]

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.bench import tables
from benchmarks.bench.asks import Group
from benchmarks.bench.better import FIRST_P50, FIRST_P99, P50, P99, RATE, better_sentence, handlers_of
from benchmarks.bench.cases import FULL, QUICK, SECTIONS, Case, Pace, group, planned
from benchmarks.bench.contenders import GRAN, ROWS
from benchmarks.bench.figures import Results
from benchmarks.bench.plots import PLOTS

BEGIN, END = "<!-- results: written by make bench -->", "<!-- end of the results -->"

_BUSY = 0.1
"""Share of the CPUs that others may use before the report says so."""


def markdown(content: dict[str, Any], plots: Sequence[Path], beside: Path) -> str:
    """Writes the report as text.

    Args:
        content: What the run wrote to its JSON file.
        plots: Files of plots.
        beside: Folder of the file that the report will be in; plots are linked relative to it.
    """
    results = Results(content["rounds"])
    pace = QUICK if content["quick"] else FULL
    links = {path.stem: f"![{path.stem}]({os.path.relpath(path, beside)})\n" for path in plots}
    loops = [links[name] for name in PLOTS if name == "limit" and name in links]
    grown = [links[name] for name in PLOTS if name in ("steps", "images") and name in links]
    parts = [
        _machine(content),
        "### Aims\n\n" + tables.reach_table(results),
        *_failures(results),
        "### GRAN, 5 steps, JSON\n\n" + _compared(results, group(32), "constant"),
        "One client:\n\n" + _compared(results, group(1)),
        "### The first canvas, NDJSON\n\n" + _compared(results, group(32, form="ndjson")),
        "### PixelVAE, 7 of 28 rows shown, JSON\n\n" + _compared(results, group(32, model=ROWS)),
        "### Short beside long\n\n" + tables.beside_table(results),
        "### The limit\n\nGRAN, 5 steps:\n\n" + tables.limit_table(results, GRAN),
        "PixelVAE, 7 canvases:\n\n" + tables.limit_table(results, ROWS),
        *loops,
        "### Where the CPU time goes\n\nGRAN, 5 steps:\n\n" + tables.cpu_table(results, GRAN),
        "PixelVAE, 7 canvases:\n\n" + tables.cpu_table(results, ROWS),
        "### Every transport\n\n" + tables.load_table(results, _loads(results, pace, "transports")),
        *([links["clients"]] if "clients" in links else []),
        "### Two models and five lengths at once\n\n"
        "A row a group of clients; CPU and memory are those of the whole mix.\n\n"
        + tables.load_table(results, _loads(results, pace, "mix")),
        "### Growth\n\nOne client.\n\n" + tables.load_table(results, _loads(results, pace, "growth")),
        *grown,
        "### Memory with the zoo\n\nAt rest.\n\n" + tables.memory_table(results),
    ]
    return "\n".join(parts)


def put_into(document: Path, report: str) -> None:
    """Replaces the results section of a document.

    Raises:
        ValueError: The document has no such section.
    """
    text = document.read_text()
    start, end = text.find(BEGIN), text.find(END)
    if not 0 <= start < end:
        raise ValueError(f"{document} must hold the lines {BEGIN} and {END}, in this order")
    document.write_text(f"{text[: start + len(BEGIN)]}\n\n{report}\n{text[end:]}")


def _machine(content: dict[str, Any]) -> str:
    lines = [f"- {name}: {value}" for name, value in content["machine"].items()]
    rounds = QUICK if content["quick"] else FULL
    lines.append(
        f"- rounds: {rounds.rounds} of {rounds.seconds:g} s for what the aims rest on, "
        f"{rounds.survey_rounds} of {rounds.survey_seconds:g} s for the rest; "
        f"{content['seconds'] / 60:.0f} minutes in all"
    )
    notes = []
    if content["quick"]:
        notes.append("A quick run: good for seeing that everything works, not for its figures.")
    if not content["finished"]:
        notes.append("The run was interrupted.")
    if set(content["sections"]) != set(SECTIONS):
        notes.append(f"Only a part was measured: {', '.join(content['sections'])}.")
    if content["others"] > _BUSY:
        notes.append(
            f"Other programs used {100 * content['others']:.0f} % of the CPUs before the run began: these "
            "figures are worth little."
        )
    return "\n".join(lines + [f"\n**{note}**" for note in notes]) + "\n"


def _compared(results: Results, asked: Group, *others: str) -> str:
    """The table of the server and all plain handlers that answer `asked`, and which of them is the better."""
    shown = tables.contender_table(results, ("server", *handlers_of(asked), *others), asked)
    first = (FIRST_P50, FIRST_P99) if asked.ask.streams else ()
    better = better_sentence(results, asked, (RATE, *first, P50, P99))
    return f"{shown}\n{better}" if better else shown


def _failures(results: Results) -> list[str]:
    lines = [
        f"- {name}: {count} x {reason}"
        for name, reasons in results.failures().items()
        for reason, count in reasons.items()
    ]
    return ["### Requests that failed\n\n" + "\n".join(lines) + "\n"] if lines else []


def _loads(results: Results, pace: Pace, section: str) -> list[str]:
    """The server's measured cases that a section shows, also those that an earlier section measured."""

    def shown(case: Case) -> bool:
        return case.contender == "server" and case.name in results.rounds

    return [case.name for case in planned(pace, [section]) if shown(case)]
