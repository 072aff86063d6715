"""Bundles that do harm when they are loaded: tried elsewhere, within limits, and refused with the reason."""

import asyncio
import shutil
import time
from pathlib import Path

import httpx
import pytest

from tests.reliability.bad_bundles import write_endless, write_greedy, write_vast
from tests.reliability.server import ServerProcess
from tests.service.revisions import write_revision
from tests.service.toys import write_toys

TOKEN = "t" * 20
BEARER = {"Authorization": f"Bearer {TOKEN}"}
MEMORY = 1 << 28
TRIAL_S = 6
SENTENCES = {
    "endless": f"graph 'step' took longer than {TRIAL_S} s, the limit of --max-trial-s, to be loaded and",
    "greedy": f"graph 'step' took more than {MEMORY} bytes of memory, the limit of --max-trial-bytes",
    "vast": "graph 'step' has inputs of 33554432 numbers a row, most of them 'latent'; at most 8388608 are",
}


@pytest.fixture
def folder(tmp_path):
    write_toys(tmp_path / "bundles", ["toy-steps"])
    return tmp_path / "bundles"


def write_all(folder):
    for write in (write_endless, write_greedy, write_vast):
        write(folder / write.__name__.removeprefix("write_"))


def serve(folder, workers, **settings):
    usual = {
        "max_trial_s": TRIAL_S,
        "max_trial_bytes": MEMORY,
        "admin_token": TOKEN,
        "cache": folder / ".cache",
    }
    return ServerProcess(folder, workers=workers, **(usual | settings))


async def reload(server):
    async with httpx.AsyncClient(base_url=server.http, trust_env=False, timeout=300) as client:
        return (await client.post("/models:reload", headers=BEARER)).json()


def reasons(refused):
    return {each["name"]: each["reason"] for each in refused}


def check(found):
    assert set(found) == set(SENTENCES)
    assert all(SENTENCES[name] in found[name] for name in SENTENCES), found


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_start_refuses_them_and_serves_the_others(folder, workers):
    write_all(folder)
    server = serve(folder, workers)
    try:
        models = httpx.get(f"{server.http}/models", trust_env=False).json()
        assert [model["name"] for model in models["models"]] == ["toy-steps"]
        check(reasons(models["refused"]))
    finally:
        server.stop()


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_reload_refuses_them_and_nobody_waits_for_it(folder, workers):
    """While they are tried the server draws, within its memory, and its event loop goes round."""
    server = serve(folder, workers)
    try:
        write_all(folder)
        write_revision(folder / "sound", 1)
        before = server.rss
        server.forget_peak()
        reloading = asyncio.create_task(reload(server))
        drawn, longest = 0, 0.0
        async with httpx.AsyncClient(base_url=server.http, trust_env=False, timeout=60) as client:
            while not reloading.done():
                began = time.monotonic()
                assert (await client.post("/generate?model=toy-steps")).status_code == 200
                longest = max(longest, time.monotonic() - began)
                drawn += 1
        done = await reloading
        check(reasons(done["refused"]))
        assert [each["name"] for each in done["added"]] == ["sound"]
        assert drawn > 20 and longest < TRIAL_S / 2
        assert server.peak_rss - before < MEMORY / 2
    finally:
        server.stop()


def children(pid):
    """Processes that any thread of a process has started."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for each in lists for child in each.read_text().split()}


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_trial_does_not_hold_up_the_end(folder, workers):
    server = serve(folder, workers, max_trial_s=600)
    try:
        write_endless(folder / "endless")
        reloading = asyncio.create_task(reload(server))
        end = time.monotonic() + 60
        while not (trying := children(server.popen.pid) - set(server.workers)):
            assert time.monotonic() < end, "no process tries it"
            await asyncio.sleep(0.05)
        await asyncio.sleep(2)
        assert trying <= children(server.popen.pid), "it is over"
        server.signal()
        assert server.wait(60) == 0
        with pytest.raises((httpx.HTTPError, KeyError, ValueError)):
            (await reloading)["added"]
    finally:
        server.kill()


async def test_what_was_refused_is_tried_again_at_the_next_reload(folder):
    server = serve(folder, 2)
    try:
        write_endless(folder / "endless")
        assert set(reasons((await reload(server))["refused"])) == {"endless"}
        shutil.rmtree(folder / "endless")
        write_revision(folder / "endless", 1)
        assert [each["name"] for each in (await reload(server))["added"]] == ["endless"]
    finally:
        server.stop()
