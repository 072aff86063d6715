"""Peers that vanish without a word: `unshare --map-root-user --net python -m tests.soak.vanish`.

In a network namespace of its own, where routes can be taken away: clients draw over 127.0.0.9, and from one
moment on no packet passes between that address and anybody. Nothing closes their connections, so the server
has to find out by itself. Prints how long it took, in JSON.
"""

__all__ = ["HELD_S", "vanish"]

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tests.reliability.asks import STREAMED, Ask
from tests.reliability.drawings import Clients
from tests.reliability.puppets import write_puppets
from tests.reliability.server import REPOSITORY, ServerProcess, eventually

HELD_S = 90.0  # for which a vanished peer may hold its rows, at most

_AWAY = "127.0.0.9"
_TAKE_AWAY = (  # what is looked up before the table of local addresses has to come before it
    "ip rule add pref 10 lookup local",
    "ip rule del pref 0",
    f"ip rule add pref 5 from {_AWAY} blackhole",
    f"ip rule add pref 6 to {_AWAY} blackhole",
)


async def vanish() -> str:
    """Runs the trial in a network namespace of its own.

    Returns:
        A sentence about how long the server took to notice, or why it could not be tried.

    Raises:
        AssertionError: The server still held requests of the peers that vanished.
    """
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--map-root-user", "--net", sys.executable, "-m", "tests.soak.vanish"),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if b"unshare" in errors and b"failed" in errors:
        return f"half-open connections: not tried here, {errors.decode().strip()}"
    assert process.returncode == 0, errors.decode()[-2000:]
    seconds = json.loads(output)
    return "half-open connections: their rows were free after " + ", ".join(
        f"{took:.0f} s ({way})" for way, took in seconds.items()
    )


async def _watch(folder: Path) -> dict[str, float]:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    write_puppets(folder)
    server = ServerProcess(folder, host="0.0.0.0")
    took: dict[str, float] = {}
    try:
        away = replace(server.place, host=_AWAY)
        async with Clients(away) as clients:
            ask = Ask(n=1, steps=1000, work=1500, timeout_ms=600_000)
            for way in STREAMED:
                await (await clients.begin(way, ask)).frame()
            before = await server.snapshot()
            for command in _TAKE_AWAY:
                subprocess.run(command.split(), check=True)
            began = time.monotonic()
            for left, way in zip((2, 1, 0), ("the first", "the second", "the last"), strict=True):
                await eventually(
                    server.snapshot, lambda now, left=left: now.rows <= left, f"{way} is noticed", HELD_S
                )
                took[way] = time.monotonic() - began
            after = await server.snapshot()
            assert after.calls("toy-puppet") - before.calls("toy-puppet") < 1000, "they were drawn to the end"
    finally:
        server.kill()
    return took


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(asyncio.run(_watch(Path(place)))))
