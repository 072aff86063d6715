"""Several workers are one server to the outside: same bytes, limits, metrics, reload, signals, ports."""

import asyncio
import errno
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from pentimento.service.settings import Settings
from pentimento.service.workers.parent import Parent
from pentimento.service.workers.ports import Ports
from pentimento.service.workers.run import BOTH
from tests.reliability.puppets import write_puppets
from tests.reliability.server import REPOSITORY, ServerProcess, Snapshot
from tests.service.live import wait_until
from tests.service.toys import write_toys

WORK = {"latents": {"work": [[200.0]], "mood": [[0.0]]}}  # of a step

TOKEN = "t" * 20
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    write_toys(folder, ["toy-steps", "toy-once"])
    write_puppets(folder)
    server = ServerProcess(
        folder,
        workers=2,
        default_model="toy-steps",
        admin_token=TOKEN,
        max_rows_in_flight=64,
        max_batch_rows=32,
    )
    server.folder = folder
    yield server
    server.stop()


def asked(server, method, path, **options):
    """An answer on a connection of its own, so that any worker may give it."""
    with httpx.Client(base_url=server.http, trust_env=False, timeout=30) as client:
        return client.request(method, path, **options)


def workers_in(log):
    return set(re.findall(r"INFO (worker \d) pentimento.request", log))


def test_all_answer_and_with_the_same_bytes(server):
    answers = [asked(server, "POST", "/generate", params={"n": 3, "seed": 5}) for _ in range(24)]
    assert len({str(answer.json()["frames"][-1]["images"]) for answer in answers}) == 1
    assert workers_in(server.log) == {"worker 0", "worker 1"}


def test_metrics_are_of_all_together(server):
    before = Snapshot(asked(server, "GET", "/metrics").text)
    for _ in range(16):
        asked(server, "POST", "/generate", params={"n": 2})
    after = [Snapshot(asked(server, "GET", "/metrics").text) for _ in range(4)]
    for seen in after:
        ok = {"operation": "generate", "outcome": "ok"}
        assert (
            seen.total("pentimento_requests_total", **ok)
            == before.total("pentimento_requests_total", **ok) + 16
        )
    assert after[0].total("process_resident_memory_bytes") > 0.8 * server.rss
    assert len(server.workers) == 2


def test_rows_in_flight_are_limited_over_all(server):
    long = {"model": "toy-puppet", "n": 60, "steps": 100}
    long["latents"] = {"work": [[600.0]] * 60, "mood": [[0.0]] * 60}
    with httpx.Client(base_url=server.http, trust_env=False, timeout=60) as first:
        with first.stream("POST", "/generate", json=long, headers={"Accept": "text/event-stream"}) as drawing:
            lines = drawing.iter_lines()  # kept: who lets go of it closes the connection
            next(lines)
            answers = [asked(server, "POST", "/generate", params={"n": 8}) for _ in range(16)]
    assert {answer.status_code for answer in answers} == {429}
    assert "60 rows are in flight and 8 more would pass the limit of 64" in answers[0].text
    assert wait_until(lambda: asked(server, "POST", "/generate", params={"n": 8}).status_code == 200)


def test_a_reload_reaches_all(server):
    shutil.copytree(server.folder / "toy-once", server.folder / "toy-late")
    manifest = server.folder / "toy-late" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"toy-once"', '"toy-late"'))
    answer = asked(server, "POST", "/models:reload", headers=BEARER)
    assert answer.status_code == 200 and [each["name"] for each in answer.json()["added"]] == ["toy-late"]
    for _ in range(16):
        assert asked(server, "POST", "/generate", params={"model": "toy-late"}).status_code == 200
    shutil.rmtree(server.folder / "toy-late")
    os.kill(server.popen.pid, signal.SIGHUP)
    assert wait_until(lambda: server.log.count("removed toy-late") == 2)
    assert asked(server, "POST", "/generate", params={"model": "toy-late"}).status_code == 404


def test_one_that_comes_back_serves_what_all_serve(server):
    """The folder changed meanwhile, and nobody asked for a reload: all read it, or versions would mix."""
    write_toys(server.folder, ["toy-color"])
    ok = {"operation": "generate", "outcome": "ok"}
    for _ in range(24):
        assert asked(server, "POST", "/generate", params={"n": 1}).status_code == 200
    before = Snapshot(asked(server, "GET", "/metrics").text).total("pentimento_requests_total", **ok)
    dead = server.workers[0]
    os.kill(dead, signal.SIGKILL)
    assert wait_until(lambda: "has taken the place" in server.log, 30)
    assert "the bundle folder has changed since it was read" in server.log
    for _ in range(16):
        assert asked(server, "POST", "/generate", params={"model": "toy-color"}).status_code == 200
    counted = Snapshot(asked(server, "GET", "/metrics").text)
    total = counted.total("pentimento_requests_total", **ok)
    assert before >= 24 and total == before + 16, "what a worker counted stays counted"


def test_a_reload_while_a_worker_restarts_reaches_it_too(server):
    """It may have read the folder before the change; then it reads it again before it answers anybody."""
    came_back = server.log.count("has taken the place")
    os.kill(server.workers[0], signal.SIGKILL)
    # Now and then another is asked while the one that ended still has connections in its queue: they end.
    names, deadline = ["toy-first", "toy-second", "toy-third"], time.monotonic() + 60
    for name in names:
        shutil.copytree(server.folder / "toy-once", server.folder / name)
        manifest = server.folder / name / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"toy-once"', f'"{name}"'))
        while (answer := reloaded(server)) is None:
            assert time.monotonic() < deadline
        assert answer.status_code == 200 and name in {each["name"] for each in asked_models(server)}
        time.sleep(0.3)  # at other moments of its start
    assert wait_until(lambda: server.log.count("has taken the place") > came_back, 60)
    for name in names:
        answers = [asked(server, "POST", "/generate", params={"model": name}) for _ in range(12)]
        assert [answer.status_code for answer in answers] == [200] * 12
    assert len(server.workers) == 2


def reloaded(server):
    """The answer of a reload; None if the connection was one of a worker that was killed."""
    try:
        return asked(server, "POST", "/models:reload", headers=BEARER)
    except httpx.TransportError:
        return None


def asked_models(server):
    return asked(server, "GET", "/models").json()["models"]


def test_keys_and_tokens_are_not_in_the_environment_of_workers(server):
    for pid in server.workers:
        with open(f"/proc/{pid}/environ", "rb") as environment:
            assert b"PENTIMENTO_" not in environment.read()
        with open(f"/proc/{pid}/cmdline", "rb") as line:
            words = line.read()
            assert TOKEN.encode() not in words and b"\0-P\0" in words


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_server_on_the_same_ports_is_refused(server, workers, tmp_path):
    write_toys(tmp_path, ["toy-once"])
    for name in ("http_port", "grpc_port"):
        ports = {name: getattr(server.place, name)}
        with pytest.raises(AssertionError, match="cannot listen on"):
            ServerProcess(tmp_path, workers=workers, **ports)
    assert asked(server, "GET", "/readyz").status_code == 200


def test_of_two_servers_that_start_at_once_one_has_the_ports():
    with socket.socket() as free, socket.socket() as other:
        for sock in (free, other):
            sock.bind(("127.0.0.1", 0))
        http, grpc = free.getsockname()[1], other.getsockname()[1]
    settings = Settings(http_port=http, grpc_port=grpc)
    first = Ports(settings)
    with pytest.raises(OSError, match="HTTP cannot listen on"):
        Ports(settings)
    first.close()
    Ports(settings).close()


def test_what_is_wrong_is_said_once_and_ends_all(tmp_path):
    with pytest.raises(AssertionError, match="the server did not start: pentimento cannot start: "):
        ServerProcess(tmp_path / "nowhere", workers=2)


async def test_a_drain_lets_drawings_on_all_workers_finish(tmp_path):
    write_puppets(tmp_path)
    server = ServerProcess(
        tmp_path, workers=2, default_model="toy-puppet", max_batch_rows=32, drain_grace_s=300
    )
    async with httpx.AsyncClient(base_url=server.http, trust_env=False, timeout=300) as client:
        drawings = [
            asyncio.create_task(client.post("/generate", json={"steps": 30, "seed": seed} | WORK))
            for seed in range(8)
        ]
        while (await server.snapshot()).rows < 8:
            await asyncio.sleep(0.01)
        began = time.monotonic()
        server.signal()
        answers = await asyncio.gather(*drawings)
    assert [answer.status_code for answer in answers] == [200] * 8
    assert server.wait() == 0 and time.monotonic() - began < 200  # and not the grace period
    server.kill()


async def test_one_that_cannot_be_started_is_tried_again(tmp_path, monkeypatch, caplog):
    """As when there are no descriptors, no memory, no processes left for a moment."""
    write_toys(tmp_path, ["toy-once"])
    monkeypatch.setattr("pentimento.service.workers.parent._RESTARTS_S", (0.0, 0.1))
    parent = Parent(Settings(bundles=tmp_path, http_port=0, grpc_port=0, workers=2), [BOTH, BOTH])
    running = asyncio.create_task(parent.run())
    while len(parent._children) < 2 or not all(child.opened.is_set() for child in parent._children.values()):
        assert not running.done(), await running
        await asyncio.sleep(0.05)
    refusals, start = iter(range(40)), asyncio.create_subprocess_exec

    async def refused(*arguments, **options):
        if next(refusals, None) is not None:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return await start(*arguments, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refused)
    first = parent._children[0]
    http = f"http://127.0.0.1:{parent._settings.http_port}"
    first.kill()
    await first.process.wait()  # until then the kernel may deal it a connection, which ends with it
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client, asyncio.timeout(30):
        while (ready := (await client.get(f"{http}/readyz")).json())["workers"] != 1:
            await asyncio.sleep(0.01)
        assert ready == {"status": "ready", "workers": 1, "workers_wanted": 2}
        page = Snapshot((await client.get(f"{http}/metrics")).text)
        assert page.total("pentimento_workers") == 1 and page.total("pentimento_workers_wanted") == 2
    assert (await parent._reload()).kept == ("toy-once",), "a reload goes on without it"
    async with asyncio.timeout(60):
        while parent._children[0] is first or not parent._children[0].opened.is_set():
            await asyncio.sleep(0.05)
    assert caplog.text.count("worker 0 cannot be started: [Errno 24] Too many open files") == 40
    end = Snapshot((await parent._answer("expose", None)).decode())
    assert end.total("pentimento_workers") == 2 and end.total("pentimento_worker_ends_total") == 41
    parent._stop.set()
    await asyncio.wait_for(running, 60)


async def test_a_worker_that_does_not_reload_is_replaced_by_one_that_serves_what_the_others_do(
    tmp_path, monkeypatch, caplog
):
    write_toys(tmp_path, ["toy-once"])
    monkeypatch.setattr("pentimento.service.workers.reloading._RELOAD_S", 2.0)
    parent = Parent(Settings(bundles=tmp_path, http_port=0, grpc_port=0, workers=2), [BOTH, BOTH])
    running = asyncio.create_task(parent.run())
    while len(parent._children) < 2 or not all(child.opened.is_set() for child in parent._children.values()):
        assert not running.done(), await running
        await asyncio.sleep(0.05)
    first, second = parent._children[0], parent._children[1]
    write_toys(tmp_path, ["toy-color"])
    os.kill(second.process.pid, signal.SIGSTOP)
    reload = await parent._reload()
    assert [each.name for each in reload.added] == ["toy-color"]
    async with asyncio.timeout(60):
        while parent._children[1] is second or not parent._children[1].opened.is_set():
            await asyncio.sleep(0.05)
    assert "worker 1 did not reload its bundles and is replaced" in caplog.text
    assert parent._children[0] is first
    assert parent._children[1].served == first.served == parent._served
    parent._stop.set()
    await asyncio.wait_for(running, 60)


ROLES = """
import sys
from pathlib import Path
from pentimento.service.settings import Settings
from pentimento.service.workers.run import FRONT, LANE, run
options = dict(http_port=0, grpc_port=0, default_model="toy-steps", admin_token="t" * 20)
sys.exit(run(Settings(bundles=Path(sys.argv[1]), **options), roles=[LANE, FRONT, FRONT]))
"""


def test_one_process_may_compute_for_front_ends_that_have_no_lane(server, tmp_path):
    """As on a GPU: the same bytes, reloads; when it dies nothing is drawn for a moment, and then again."""
    write_toys(tmp_path, ["toy-steps", "toy-once"])
    command = [sys.executable, "-c", ROLES, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as popen:
        try:
            http = re.search(r"http://[\d.:]+\d", popen.stdout.readline())[0]
            assert "2 workers and one that computes" in popen.stdout.readline()
            wanted = asked(server, "POST", "/generate", params={"n": 40, "seed": 5}).json()["frames"]

            def drawn(**params):
                with httpx.Client(base_url=http, trust_env=False, timeout=30) as client:
                    return client.post("/generate", params=params)

            assert all(
                drawn(n=40, seed=5).json()["frames"][-1]["images"] == wanted[-1]["images"] for _ in range(6)
            )
            write_toys(tmp_path, ["toy-color"])
            assert (
                httpx.post(f"{http}/models:reload", headers=BEARER, trust_env=False, timeout=30).status_code
                == 200
            )
            assert [drawn(model="toy-color").status_code for _ in range(6)] == [200] * 6
            (lane,) = [pid for pid in children(popen.pid) if not listens(pid)]
            os.kill(lane, signal.SIGKILL)
            answers = []
            assert wait_until(lambda: answers.append(drawn(n=2)) or answers[-1].status_code == 200, 60)
            assert {answer.status_code for answer in answers[:-1]} <= {500, 503}
        finally:
            popen.terminate()
    assert popen.returncode == 0


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as found:
        return list(map(int, found.read().split()))


def listens(pid):
    """Whether a process has a TCP socket that listens."""
    with open(f"/proc/{pid}/net/tcp") as table:
        listening = {line.split()[9] for line in table.readlines()[1:] if line.split()[3] == "0A"}
    return any(
        os.readlink(each) in {f"socket:[{inode}]" for inode in listening}
        for each in Path(f"/proc/{pid}/fd").iterdir()
    )
