"""`python -m tests.soak`: a server under everything at once, for minutes; exit code 0 if nothing was lost.

Four parts, all on the same server: a mix of all kinds of clients; many streams that are left early; ten
times more work than it can do; SIGTERM under load. Meanwhile peers vanish from another server. It writes a
table of what came of it.
"""

import argparse
import asyncio
import os
import random
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.reliability.asks import WAYS, Ask, Way
from tests.reliability.churn import leave_streams
from tests.reliability.drawings import Clients
from tests.reliability.server import REPOSITORY, ServerProcess, Snapshot, eventually
from tests.reliability.storm import capacity, storm
from tests.soak.attacks import attack
from tests.soak.guests import Guests
from tests.soak.kinds import KINDS as USUAL
from tests.soak.kinds import Kind, Scene
from tests.soak.progress import Progress
from tests.soak.tally import Memory, Tally, table
from tests.soak.vanish import vanish

ROWS = 512  # that the server admits
FLAT_MIX = 1 << 20  # bytes a minute that its memory may grow by in the mix, at most
FLAT_STREAM = 512  # bytes that a stream that was left may leave behind, at most
REFUSED_MS = 50.0  # in which overload should be refused; here clients and server share the processors
KINDS = (*USUAL, Kind(attack, sum(kind.clients for kind in USUAL) // 9, 0.5))  # a tenth of all
NAMES = [kind.act.__name__ for kind in KINDS]


def main() -> int:
    """Runs the soak; returns 0 if all promises were kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="of the mix (10)")
    parser.add_argument("--streams", type=int, default=10_000, help="that are left early (10000)")
    parser.add_argument("--overload-seconds", type=float, default=30.0, help="of overload (30)")
    parser.add_argument("--workers", type=int, default=2, help="of the server (2)")
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, default=NAMES, help="kinds of clients in the mix (all)"
    )
    parser.add_argument("--write", action="store_true", help="put the results into docs/reliability.md")
    parser.add_argument("--seed", type=int, default=0, help="of what the clients choose (0)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pentimento-soak-") as folder:
        return asyncio.run(soak(options, Path(folder)))


@dataclass
class Report:
    """The report of a soak.

    Attributes:
        lines: What is reported, each a paragraph.
        broken: Promises that were not kept.
    """

    lines: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        verdict = "\n".join(f"BROKEN: {each}" for each in self.broken) or "Every promise was kept."
        return "\n\n".join([*self.lines, verdict])


async def soak(options: argparse.Namespace, folder: Path) -> int:
    """Runs all parts and prints the report; returns the exit status."""
    guests, progress = Guests(folder), Progress()
    report = Report([f"{cpu_model()}, {len(os.sched_getaffinity(0))} CPUs, shared by server and clients."])
    server = ServerProcess(
        guests.bundles,
        workers=options.workers,
        max_rows_in_flight=ROWS,
        max_batch_rows=32,  # as toy-puppet takes longest on the zeros that it would be measured with
        drain_grace_s=30,
    )
    try:
        vanishing = asyncio.create_task(vanish())
        await mixed(server, guests, options, progress, report)
        try:
            report.lines.append(await vanishing)
        except AssertionError as error:
            report.broken.append(f"half-open connections: {error}")
        await left(server, options.streams, progress, report)
        await flooded(server, options.overload_seconds, progress, report)
        await stopped(server, progress, report)
    finally:
        server.kill()
    progress.end()
    print(report)
    if options.write:
        write(report)
    return 1 if report.broken else 0


async def mixed(
    server: ServerProcess, guests: Guests, options: argparse.Namespace, progress: Progress, report: Report
) -> None:
    """First part: all kinds of clients at once."""
    tally, memory = Tally(), Memory(server)
    before = await server.snapshot()
    watching = asyncio.create_task(memory.watch())
    await mix(server, guests, tally, options, progress)
    watching.cancel()
    after = await settled(server)
    report.lines += [
        f"{options.minutes:g} minutes, {tally.requests} requests, {len(tally.unexpected)} unexpected ends",
        table(("kind", "requests", "ends"), tally.rows()),
        table(("after", "resident memory"), memory.rows()),
        f"slope of the memory over the second half: {memory.slope / 1e6:+.3f} MB a minute",
        f"gauges before: {worded(before)}; after: {worded(after)}",
    ]
    report.broken += [f"unexpected: {each}" for each in tally.unexpected[:20]]
    if memory.slope > FLAT_MIX:
        report.broken.append("the memory is not flat")
    if after.gauges != before.gauges:
        report.broken.append("gauges are not back where they were")
    for transport in ("http", "grpc"):
        if count := after.outcomes(transport).get("internal"):
            report.broken.append(f"{transport}: {count} requests counted as internal errors")


async def left(server: ServerProcess, streams: int, progress: Progress, report: Report) -> None:
    """Second part: many streams that are left early."""
    churn = await leave_streams(server, streams, progress=progress)
    await settled(server)
    report.lines.append(str(churn))
    if churn.slope > FLAT_STREAM:
        report.broken.append("cancelled streams leave memory behind")


async def flooded(server: ServerProcess, seconds: float, progress: Progress, report: Report) -> None:
    """Third part: ten times more work than the server can do; then it must draw at once."""
    ask = Ask(n=ROWS // 16, steps=4, work=300)
    async with Clients(server) as clients:
        able = await capacity(clients, ask, 16)
        at_first = server.rss
        weather = await storm(clients, ask, rate=10 * able, seconds=seconds, ways=WAYS, progress=progress)
        await settled(server)
        grown = (server.rss - at_first) / 1e6
        began = time.monotonic()
        again = await clients.draw(Way.JSON, Ask(steps=1))
        took_ms = 1000 * (time.monotonic() - began)
    report.lines.append(
        f"overload: {able:.1f} drawings a second are possible; at ten times that for {seconds:g} s, "
        f"{weather}; {grown:+.1f} MB; the next drawing took {took_ms:.0f} ms"
    )
    report.broken += [f"overload: {each}" for each in weather.wrong[:20]]
    if weather.refused_ms(50) > REFUSED_MS:
        report.broken.append(f"refusals took more than {REFUSED_MS:.0f} ms")
    if again.code != "OK":
        report.broken.append(f"after the overload: {again.code}: {again.detail}")


async def stopped(server: ServerProcess, progress: Progress, report: Report) -> None:
    """Last part: SIGTERM while streams run."""
    progress("SIGTERM under load")
    async with Clients(server) as clients:
        ask = Ask(n=2, steps=60, work=60)
        sittings = [await clients.begin(way, ask) for way in WAYS for _ in range(4)]
        await eventually(server.snapshot, lambda now: now.rows == 2 * len(sittings), "all are admitted")
        server.signal()
        endings = await asyncio.gather(*(sitting.ending() for sitting in sittings))
    code = await asyncio.to_thread(server.wait)
    whole = sum(ending.code == "OK" for ending in endings)
    report.lines.append(f"SIGTERM: {whole} of {len(endings)} streams ended well; exit code {code}")
    if code or whole < len(endings):
        report.broken.append("SIGTERM cut streams, or did not end with 0")


def write(report: Report) -> None:
    """Puts the report into the documentation's page about reliability."""
    page = REPOSITORY / "docs/reliability.md"
    before, begins, rest = page.read_text().partition("<!-- soak: begins -->\n")
    _, ends, after = rest.partition("<!-- soak: ends -->")
    page.write_text(f"{before}{begins}\n{report}\n\n{ends}{after}")


async def mix(
    server: ServerProcess, guests: Guests, tally: Tally, options: argparse.Namespace, progress: Progress
) -> None:
    """Runs all kinds of clients until the time is over."""
    luck, end = random.Random(options.seed), time.monotonic() + options.minutes * 60
    async with Clients(server) as clients, Clients(server, small_buffer=True) as idlers:
        scene = Scene(server=server, clients=clients, idlers=idlers, luck=luck, tally=tally, guests=guests)

        async def client(kind: Kind) -> None:
            while time.monotonic() < end:
                await asyncio.sleep(luck.random() * kind.pause_s)
                try:
                    await kind.act(scene)
                except Exception as error:
                    tally.note(kind.act.__name__, "EXCEPTION", expected=False, detail=repr(error))

        async def show() -> None:
            while True:
                left = max(0.0, end - time.monotonic())
                progress(
                    f"mix: {left / 60:.1f} min left, {tally.requests} requests, "
                    f"{len(tally.unexpected)} unexpected, {server.rss / 1e6:.0f} MB"
                )
                await asyncio.sleep(1)

        showing = asyncio.create_task(show())
        chosen = [kind for kind in KINDS if kind.act.__name__ in options.only]
        await asyncio.gather(*(client(kind) for kind in chosen for _ in range(kind.clients)))
        showing.cancel()


async def settled(server: ServerProcess) -> Snapshot:
    """Waits until nothing is in flight, and returns the metrics."""
    return await eventually(server.snapshot, lambda now: now.rows == 0, "all rows are free", 90)


def cpu_model() -> str:
    """Name of the processor by /proc/cpuinfo."""
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else "unknown processor"


def worded(snapshot: Snapshot) -> str:
    """The gauges as text in one line."""
    return ", ".join(f"{key[0]} {value:g}" for key, value in snapshot.gauges.items())


if __name__ == "__main__":
    sys.exit(main())
