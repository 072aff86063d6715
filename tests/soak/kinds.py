"""The kinds of clients of a soak, well and ill behaved, each with the ends that its requests may have."""

__all__ = ["KINDS", "Kind", "Scene"]

import asyncio
import json
import random
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.reliability.asks import STREAMED, WAYS, Ask, Ending, Way
from tests.reliability.bad_input import BODIES, FRAMES, post
from tests.reliability.drawings import Clients
from tests.reliability.puppets import FAILS, PUTS_OUT_NAN
from tests.reliability.server import REPOSITORY, ServerProcess
from tests.reliability.wire import Cut, HttpConnection
from tests.soak.guests import GUEST, VISITOR, Guests
from tests.soak.tally import Tally

_DRAWN = (  # model, most images, most steps
    ("gran1-mnist", 8, 1),
    ("gran5-mnist", 16, 16),
    ("pixelvae-mnist", 4, 28),
    ("vae-mnist", 8, 1),
    (GUEST, 4, 1),
    ("toy-steps", 64, 16),
    ("toy-rows", 16, 6),
    ("toy-puppet", 8, 60),
    ("toy-wide", 4, 10),
)
_SEEDS = 3  # few, so that the same drawing is asked for again and again, and must be the same


@dataclass
class Scene:
    """What all clients of a soak share.

    Attributes:
        server: The server.
        clients: Clients that read what they are sent.
        idlers: Clients with small receive buffers, which soon hold up what they do not read.
        luck: Random generator of all choices.
        tally: Counts how requests ended.
        guests: Bundles that change while they are served.
        known: The last pictures of each drawing so far, with which the same drawing must agree.
    """

    server: ServerProcess
    clients: Clients
    idlers: Clients
    luck: random.Random
    tally: Tally
    guests: Guests
    known: dict[Ask, list[bytes]] = field(default_factory=dict)

    def ask(self) -> Ask:
        """A request for a drawing, of a random model, size and length."""
        model, n, steps = self.luck.choice(_DRAWN)
        return Ask(
            model=model,
            n=self.luck.randint(1, n),
            steps=self.luck.randint(1, steps),
            seed=self.luck.randrange(_SEEDS),
        )

    def note(self, kind: str, way: Way, ending: Ending, *allowed: str) -> None:
        """Counts the end of a drawing; expected are `allowed`, and a refusal that says when to retry."""
        expected = ending.code in (*allowed, "OVERLOADED")
        if ending.code == "OVERLOADED" and not ending.retry_after_s:
            expected = False
        self.tally.note(kind, ending.code, expected=expected, detail=f"{way.name}: {ending.detail}")


async def draw(scene: Scene) -> None:
    """Reads a drawing to its end, and compares it with what the same request gave before."""
    way, ask = scene.luck.choice(WAYS), scene.ask()
    ending = await scene.clients.draw(way, ask)
    scene.note("drawn", way, ending, "OK")
    if ending.code == "OK":
        same = scene.known.setdefault(ask, ending.frames[-1]) == ending.frames[-1]
        if len(ending.frames) != ask.steps or not same:
            scene.tally.note("drawn", "WRONG", expected=False, detail=f"{way.name}: {ask}")


async def leave(scene: Scene) -> None:
    """Hangs up before the first frame of a drawing, or after some, or at the last."""
    way, ask = scene.luck.choice(WAYS), scene.ask()
    sitting = await scene.clients.begin(way, ask)
    if way in STREAMED:
        for _ in range(scene.luck.randint(0, ask.steps)):
            if await sitting.frame() is None:
                scene.note("left", way, await sitting.ending(), "OK")
                return
    else:
        await asyncio.sleep(scene.luck.random() / 20)
    sitting.hang_up()
    scene.tally.note("left", "by the client", expected=True)


async def stall(scene: Scene) -> None:
    """Reads one frame of a large stream, and nothing more until after the deadline."""
    way = scene.luck.choice(STREAMED)
    sitting = await scene.idlers.begin(way, Ask(model="toy-wide", n=16, steps=1000, timeout_ms=3000))
    if await sitting.frame() is None:
        scene.note("stalled", way, await sitting.ending(), "DEADLINE_EXCEEDED")
        return
    await asyncio.sleep(4)
    sitting.hang_up()
    scene.tally.note("stalled", "left after the deadline", expected=True)


async def kill(scene: Scene) -> None:
    """Kills a client process that has three streams open."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.reliability.doomed",
            str(scene.server.http_port),
            str(scene.server.place.grpc_port),
            "1",
        ],
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    await asyncio.sleep(2 + 2 * scene.luck.random())
    process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(process.wait)
    scene.tally.note("killed", "by SIGKILL", expected=True)


async def poison(scene: Scene) -> None:
    """Asks for rows of which one makes its graph fail or become NaN."""
    way, mood = scene.luck.choice(WAYS), scene.luck.choice((FAILS, PUTS_OUT_NAN))
    ending = await scene.clients.draw(way, Ask(n=3, steps=6, mood=(0.0, mood, 0.0)))
    scene.note("poisoned", way, ending, "INFERENCE_FAILED")


async def expire(scene: Scene) -> None:
    """Asks for a drawing with a deadline that it cannot meet."""
    way = scene.luck.choice(WAYS)
    ask = Ask(steps=1000, work=30, timeout_ms=scene.luck.randint(20, 200))
    scene.note("expired", way, await scene.clients.draw(way, ask), "DEADLINE_EXCEEDED")


async def burst(scene: Scene) -> None:
    """Asks for more drawings at once than the server admits."""
    ask = Ask(model="toy-puppet", n=32, steps=4, work=20)
    ways = [scene.luck.choice(WAYS) for _ in range(60)]
    for way, ending in zip(
        ways, await asyncio.gather(*(scene.clients.draw(way, ask) for way in ways)), strict=True
    ):
        scene.note("burst", way, ending, "OK")


async def abuse(scene: Scene) -> None:
    """Sends malformed input over HTTP."""
    name, data = scene.luck.choice([*FRAMES.items(), *((k, post("/generate", v)) for k, v in BODIES.items())])
    try:
        async with HttpConnection(scene.server.http_port) as connection:
            await connection.send(data)
            connection.end_of_sending()
            status = (await connection.head())[0]
    except (Cut, ConnectionError):
        status = 0
    scene.tally.note(
        "abused", str(status or "closed"), expected=not status or 400 <= status < 500, detail=name
    )


async def refuse(scene: Scene) -> None:
    """Sends requests that can never succeed, in every way of asking."""
    way = scene.luck.choice(WAYS)
    ask = scene.luck.choice([Ask(steps=0), Ask(n=-1), Ask(model="nobody"), Ask(timeout_ms=0), Ask(seed=-1)])
    scene.note("refused", way, await scene.clients.draw(way, ask), "INVALID_ARGUMENT", "NOT_FOUND")


async def look(scene: Scene) -> None:
    """Asks for what operators and dashboards ask for."""
    path = scene.luck.choice(["/models", "/models/gran5-mnist", "/healthz", "/readyz", "/openapi.json"])
    answer = await scene.server.get(path)
    scene.tally.note("looked", str(answer.status), expected=answer.status == 200, detail=path)


async def reload(scene: Scene) -> None:
    """Changes the folder of bundles and sends SIGHUP, after which the server must have the new ones."""
    wanted = scene.guests.change()
    scene.server.signal(signal.SIGHUP)
    for _ in range(600):
        await asyncio.sleep(0.05)
        models = json.loads((await scene.server.get("/models")).text)["models"]
        served = {model["name"]: model["version"] for model in models if model["name"] in (GUEST, VISITOR)}
        if served == wanted:
            scene.tally.note("reloaded", "by SIGHUP", expected=True)
            return
    scene.tally.note("reloaded", "not", expected=False, detail=f"{served} is served, not {wanted}")


@dataclass(frozen=True)
class Kind:
    """An activity, how many clients do it at the same time, and how long each pauses in between, at most."""

    act: Callable[[Scene], Awaitable[None]]
    clients: int
    pause_s: float


KINDS = (
    Kind(draw, 12, 0.05),
    Kind(leave, 6, 0.05),
    Kind(stall, 3, 2.0),
    Kind(kill, 1, 10.0),
    Kind(poison, 1, 0.5),
    Kind(expire, 2, 0.5),
    Kind(burst, 1, 20.0),
    Kind(abuse, 1, 0.5),
    Kind(refuse, 1, 0.2),
    Kind(look, 1, 0.5),
    Kind(reload, 1, 15.0),
)
