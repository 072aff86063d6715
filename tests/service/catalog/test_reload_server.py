"""A server that reloads: one reading at a time, each drawing of one version, and nothing of the old stays."""

import asyncio
import gc
import logging
import shutil
import threading
import weakref

import pytest
from pentimento_client import Client

from pentimento.service.catalog.catalog import Catalog
from pentimento.service.engine.engine import Engine
from pentimento.service.engine.lane.threads import LaneThreads
from pentimento.service.engine.runtime import Runtime
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.messages import GenerateRequest
from pentimento.service.operations.operations import Operations
from pentimento.service.settings import Settings
from pentimento.service.telemetry.metrics import Metrics
from tests.service.live import LiveServer, wait_until
from tests.service.revisions import STEPS, TOKEN, admin, draw, names, reloaded, version, write_revision


@pytest.fixture
def folder(tmp_path):
    """Two bundles: `a` in version 1, `b` in version 2."""
    write_revision(tmp_path / "bundles" / "a", 1)
    write_revision(tmp_path / "bundles" / "b", 2)
    return tmp_path / "bundles"


@pytest.fixture
def catalog(folder):
    return Catalog.load(folder, Runtime())


class Gate:
    """Holds readings of a catalog's folder up until it is opened."""

    def __init__(self, catalog, monkeypatch):
        self.readings, self.began, self.opened = 0, threading.Event(), threading.Event()
        self._read = catalog.read
        monkeypatch.setattr(catalog, "read", self._wait)

    def _wait(self):
        self.readings += 1
        self.began.set()
        assert self.opened.wait(20)
        return self._read()


@pytest.fixture
async def operations(catalog):
    engine = Engine(LaneThreads(2), max_rows_in_flight=64, stream_frames=1)
    engine.start()
    yield Operations(catalog, engine, Settings(admin_token=None))
    await engine.close()


async def test_who_asks_during_a_reload_shares_the_next(folder, catalog, operations, monkeypatch):
    gate = Gate(catalog, monkeypatch)
    first = [asyncio.create_task(operations.reload()) for _ in range(3)]
    await asyncio.to_thread(gate.began.wait, 10)
    later = [asyncio.create_task(operations.reload()) for _ in range(20)]
    await asyncio.sleep(0.05)
    assert gate.readings == 1
    write_revision(folder / "c", 1)
    gate.opened.set()
    assert len({id(done) for done in await asyncio.gather(*first)}) == 1
    shared = await asyncio.gather(*later)
    assert len({id(done) for done in shared}) == 1 and gate.readings == 2
    assert "c" in names(catalog)


async def test_a_reload_goes_on_without_who_asked_for_it(folder, catalog, operations, monkeypatch):
    gate = Gate(catalog, monkeypatch)
    write_revision(folder / "c", 1)
    asked = asyncio.create_task(operations.reload())
    await asyncio.to_thread(gate.began.wait, 10)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    second = asyncio.create_task(operations.reload())
    await asyncio.sleep(0.05)
    assert gate.readings == 1, "two readings at a time"
    gate.opened.set()
    assert (await second).kept == ("a", "b", "c")  # which the first had added


async def test_a_reload_that_fails_changes_nothing(folder, catalog, operations, monkeypatch, caplog):
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(
        PentimentoError, match=r"no bundle folder .*; what was served before still is"
    ) as lost:
        await operations.reload()
    assert lost.value.code is Code.UNAVAILABLE
    folder.with_name("elsewhere").rename(folder)
    write_revision(folder / "c", 1)
    with monkeypatch.context() as patch:
        patch.setattr(Runtime, "load", lambda *_: 1 / 0)
        with pytest.raises(PentimentoError, match="the server's log has the reason") as defect:
            await operations.reload()
    assert defect.value.code is Code.INTERNAL and "ZeroDivisionError" in caplog.text
    assert names(catalog) == ["a", "b"]
    assert [each.name for each in (await operations.reload()).added] == ["c"]


async def test_the_outcome_is_one_line_of_the_log(folder, operations, caplog):
    caplog.set_level(logging.INFO, "pentimento.service.catalog.reloading")
    write_revision(folder / "a", 4)
    write_revision(folder / "c", 1)
    (folder / "two\nlines").mkdir()
    shutil.rmtree(folder / "b")
    await operations.reload()
    (record,) = caplog.records
    assert record.levelname == "WARNING" and record.getMessage() == (
        "bundles reloaded: kept 0; added c 1.1.0; replaced a 1.1.0 by 1.4.0; removed b; refused two lines: "
        "manifest.json is missing; default a"
    )


async def test_a_drawing_ends_as_the_version_that_began_it_and_that_is_then_gone(folder, catalog, operations):
    drawing = await operations.generate(GenerateRequest(model="a", n=2, score_by="b", seed=1))
    finished = await operations.generate(GenerateRequest(model="b", n=2, score=True, seed=1))
    assert len(await finished.frames()) == finished.header.steps
    old = [weakref.ref(graph) for name in "ab" for graph in catalog.get(name).graphs.values()]
    write_revision(folder / "a", 5)
    write_revision(folder / "b", 6)
    await operations.reload()
    async with drawing:
        frames = [frame async for frame in drawing]
    assert (drawing.header.version, drawing.manifest.version) == (version(1), version(1))
    assert drawing.header.scored_by.version == version(2)
    assert [frame.canvas.min() * 255 for frame in frames] == pytest.approx([9, 10, 11, 12, 13, 14, 15])
    assert all((frame.scores.logit == 2).all() for frame in frames)
    del drawing, finished, frames
    assert wait_until(lambda: gc.collect() >= 0 and not any(graph() for graph in old)), "old graphs linger"


async def test_a_kept_bundle_lets_go_of_the_scorer_of_a_replaced_one(folder, catalog, operations):
    drawing = await operations.generate(GenerateRequest(model="a", score_by="b"))
    await drawing.frames()
    scorer = weakref.ref(catalog.get("b").graphs["score"])
    write_revision(folder / "b", 6)
    await operations.reload()
    del drawing
    assert wait_until(lambda: gc.collect() >= 0 and scorer() is None), "the plans of `a` hold the old scorer"


async def test_its_own_scorer_is_of_the_drawings_version(folder, catalog, operations, monkeypatch):
    """A reload between a request's arrival and its admission: here while its latents are read."""
    read = asyncio.to_thread

    async def read_and_reload(work, *args):
        done = await read(work, *args)
        write_revision(folder / "a", 7)
        catalog.swap(await read(catalog.read))
        return done

    monkeypatch.setattr(asyncio, "to_thread", read_and_reload)
    latents = {"latent": [[[[0.0] * 8] * 6]]}
    for by in ({"score": True}, {"score_by": "a"}):
        write_revision(folder / "a", 1)
        reloaded(catalog)
        drawing = await operations.generate(GenerateRequest(model="a", latents=latents, **by))
        frames = await drawing.frames()
        assert drawing.header.version == drawing.header.scored_by.version == version(1)
        assert all((frame.scores.logit == 1).all() for frame in frames)


def test_metrics_forget_bundles_that_are_gone():
    metrics = Metrics()
    for name in ("a", "b"):
        metrics.batch(graph=f"{name}/step", rows=2, distinct_t=1, seconds=0.1)
        metrics.request(model=name, version="1.0.0", outcome="ok", queue_s=0.1, total_s=0.2)
        metrics.request(model=name, version="1.0.0", outcome="cancelled", queue_s=0.1, total_s=0.2)
    assert b'"b"' in metrics.expose()
    metrics.keep_models({"a"})
    assert b'"b"' not in metrics.expose() and b'"a"' in metrics.expose()
    metrics.batch(graph="b/step", rows=2, distinct_t=1, seconds=0.1)  # a drawing that outlived its bundle
    assert b'"b"' in metrics.expose()
    metrics.keep_models({"a"})
    assert b'"b"' not in metrics.expose()


def test_a_server_forgets_the_metrics_of_a_bundle_that_is_gone(folder):
    server = LiveServer(folder, admin_token=TOKEN, calibrate=False)
    try:
        with server.client() as client, Client(server.http) as drawer:
            draw(drawer, "a")
            draw(drawer, "b", score=True)
            assert 'bundle="b"' in client.get("/metrics").text
            shutil.rmtree(folder / "b")
            assert client.post("/models:reload", headers=admin()).json()["removed"] == ["b"]
            page = client.get("/metrics").text
            assert '"b"' not in page and 'bundle="a"' in page
    finally:
        server.close()


def test_nothing_is_reloaded_while_draining_but_what_was_begun(folder, monkeypatch):
    write_revision(folder / "slow", 1, side=768)
    server = LiveServer(folder, admin_token=TOKEN, calibrate=False)
    gate = Gate(server.server.catalog, monkeypatch)
    answers = []

    def ask():
        with server.client() as client:
            answers.append(client.post("/models:reload", headers=admin()))

    asking = threading.Thread(target=ask)
    try:
        write_revision(folder / "c", 1)
        with server.client() as client, Client(server.http) as drawer, drawer.stream("slow") as stream:
            next(stream)  # keeps the server draining
            asking.start()
            assert gate.began.wait(10)
            server.begin_stop()
            assert wait_until(lambda: client.get("/readyz").status_code == 503)
            refused = client.post("/models:reload", headers=admin())
            assert (refused.status_code, refused.json()["code"]) == (503, "UNAVAILABLE")
            assert len(list(stream)) == STEPS - 1
    finally:
        gate.opened.set()
        asking.join(20)
        server.close()
    (answer,) = answers
    assert answer.status_code == 200 and [each["name"] for each in answer.json()["added"]] == ["c"]
