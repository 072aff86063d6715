"""`python -m tests.soak`: a server under everything at once, for minutes; exit code 0 if nothing was lost.

Four parts, all on the same server: a mix of all kinds of clients; many streams that are left early; ten
times more work than it can do; SIGTERM under load. Meanwhile peers vanish from another server. It writes a
table of what came of it.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.reliability.asks import WAYS, Ask
from tests.reliability.churn import leave_streams
from tests.reliability.drawings import Clients
from tests.reliability.server import ServerProcess, Snapshot, eventually
from tests.reliability.storm import capacity, storm
from tests.soak.guests import Guests
from tests.soak.kinds import KINDS, Kind, Scene
from tests.soak.progress import Progress
from tests.soak.tally import Memory, Tally, table
from tests.soak.vanish import vanish

ROWS = 512  # that the server admits
FLAT_MIX = 1 << 20  # bytes a minute that its memory may grow by in the mix, at most
FLAT_STREAM = 512  # bytes that a stream that was left may leave behind, at most
REFUSED_MS = 50.0  # in which overload should be refused; here clients and server share the processors
NAMES = [kind.act.__name__ for kind in KINDS]
STORM = Ask(steps=4, work=300)


def main() -> int:
    """Runs the soak; 0 if all promises were kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="of the mix (10)")
    parser.add_argument("--streams", type=int, default=10_000, help="that are left early (10000)")
    parser.add_argument("--overload-seconds", type=float, default=30.0, help="of overload (30)")
    parser.add_argument("--lanes", type=int, default=2, help="of the server (2)")
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, default=NAMES, help="kinds of clients in the mix (all)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of what the clients choose (0)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pentimento-soak-") as folder:
        return asyncio.run(soak(options, Path(folder)))


async def soak(options: argparse.Namespace, folder: Path) -> int:
    """Runs all parts and prints what came of them."""
    guests, progress, broken = Guests(folder), Progress(), []
    server = ServerProcess(guests.bundles, lanes=options.lanes, max_rows_in_flight=ROWS, drain_grace_s=30)
    try:
        tally, memory = Tally(), Memory(server)
        before = await server.snapshot()
        watching = asyncio.create_task(memory.watch())
        vanishing = asyncio.create_task(vanish())
        await mix(server, guests, tally, options, progress)
        watching.cancel()
        after = await settled(server, before)
        lines = [
            f"{options.minutes:g} minutes, {tally.requests} requests, {len(tally.unexpected)} unexpected",
            table(("kind", "requests", "ends"), tally.rows()),
            table(("after", "resident memory"), memory.rows()),
            f"slope of the memory over the second half: {memory.slope / 1e6:+.3f} MB a minute",
            f"gauges before: {worded(before)}; after: {worded(after)}",
        ]
        broken += [f"unexpected: {each}" for each in tally.unexpected[:20]]
        if memory.slope > FLAT_MIX:
            broken.append("the memory is not flat")
        if after.gauges != before.gauges:
            broken.append("gauges are not back where they were")
        faults = [
            f"{transport}: {count} requests counted as internal errors"
            for transport in ("http", "grpc")
            if (count := after.outcomes(transport).get("internal", 0))
        ]

        try:
            lines.append(await vanishing)
        except AssertionError as error:
            broken.append(f"half-open connections: {error}")

        churn = await leave_streams(server, options.streams, progress=progress)
        lines.append(str(churn))
        if churn.slope > FLAT_STREAM:
            broken.append("cancelled streams leave memory behind")

        async with Clients(server) as clients:
            ask = Ask(n=ROWS // 16, steps=STORM.steps, work=STORM.work)
            able = await capacity(clients, ask, 16)
            weather = await storm(
                clients, ask, rate=10 * able, seconds=options.overload_seconds, ways=WAYS, progress=progress
            )
            await settled(server, before)
            lines.append(f"overload: {able:.1f} drawings a second are possible; at ten times that, {weather}")
            broken += [f"overload: {each}" for each in weather.wrong[:20]]
            if weather.refused_ms(50) > REFUSED_MS:
                broken.append(f"refusals took more than {REFUSED_MS:.0f} ms")
            await clients.draw(WAYS[0], Ask(steps=1))

        broken += faults + await stop(server, progress)
    finally:
        server.kill()
    progress.end()
    print("\n\n".join(lines))
    print("\n" + ("\n".join(f"BROKEN: {each}" for each in broken) or "every promise was kept"))
    return 1 if broken else 0


async def mix(
    server: ServerProcess, guests: Guests, tally: Tally, options: argparse.Namespace, progress: Progress
) -> None:
    """All kinds of clients at once, until the time is over."""
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


async def settled(server: ServerProcess, before: Snapshot) -> Snapshot:
    """The metrics once nothing is in flight."""
    return await eventually(server.snapshot, lambda now: now.rows == before.rows, "all rows are free", 90)


async def stop(server: ServerProcess, progress: Progress) -> list[str]:
    """SIGTERM while streams run; what was not as promised."""
    progress("SIGTERM under load")
    async with Clients(server) as clients:
        ask = Ask(n=2, steps=60, work=60)
        sittings = [await clients.begin(way, ask) for way in WAYS for _ in range(4)]
        await eventually(server.snapshot, lambda now: now.rows == 2 * len(sittings), "all are admitted")
        server.signal()
        endings = await asyncio.gather(*(sitting.ending() for sitting in sittings))
    code = await asyncio.to_thread(server.wait)
    wrong = [f"SIGTERM: {ending.code} {ending.detail}" for ending in endings if ending.code != "OK"]
    return wrong + ([f"SIGTERM: exit code {code}"] if code else [])


def worded(snapshot: Snapshot) -> str:
    """Gauges in a line."""
    return ", ".join(f"{key[0]} {value:g}" for key, value in snapshot.gauges.items())


if __name__ == "__main__":
    sys.exit(main())
