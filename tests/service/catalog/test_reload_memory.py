"""What reloading leaves behind in memory: nothing that grows."""

import gc
import json
import shutil
import weakref
from pathlib import Path

import numpy as np
import pytest
from pentimento_client import Client, Code, PentimentoError

from pentimento.bundle.store import MANIFEST
from tests.reliability.server import ServerProcess
from tests.service.live import LiveServer, wait_until
from tests.service.revisions import TOKEN, admin, write_revision

ZOO = Path(__file__).parents[3] / "zoo"
WARM_UP, RELOADS = 20, 15  # before, allocators of many threads settle: up to 2 MB a reload


def stamp(bundle, version):
    """Gives a bundle another version, so that all of its graphs are loaded anew."""
    path = bundle / MANIFEST
    manifest = json.loads(path.read_text())
    manifest["version"] = version
    path.with_suffix(".part").write_text(json.dumps(manifest))
    path.with_suffix(".part").rename(path)


@pytest.mark.alone
def test_fifteen_reloads_of_zoo_bundles_give_their_memory_back(tmp_path):
    names = ("gran5-mnist", "pixelvae-mnist")
    for name in names:
        shutil.copytree(ZOO / name, tmp_path / name)
    server = ServerProcess(tmp_path, admin_token=TOKEN, calibrate="false", workers=2)
    sizes = []
    try:
        with Client(server.http) as client:
            for count in range(WARM_UP + RELOADS):
                for name in names:
                    stamp(tmp_path / name, f"2.0.{count}")
                with client.stream("gran5-mnist", n=32, score=True) as held:  # runs across the reload
                    next(held)
                    done = client.reload_models(TOKEN)
                    assert [each.name for each in done.replaced] == list(names) and not done.refused
                    assert len(list(held)) == held.header.steps - 1
                client.generate("pixelvae-mnist", n=4)
                client.generate("gran5-mnist", n=16)
                sizes.append(server.rss / 2**20)
        server.stop()
    finally:
        server.kill()
    settled = np.array(sizes[WARM_UP:])
    slope = np.polyfit(np.arange(RELOADS), settled, 1)[0]  # MiB a reload
    told = f"{slope:+.2f} MiB a reload; MiB after each: {', '.join(f'{size:.0f}' for size in sizes)}"
    print(told)
    # Twelve MB of weights and what is made of them come and go with each reload: kept, they would be 200 MB.
    assert RELOADS * slope < 30, told


def whole(accept):
    def ask(server, client):
        client.post("/generate?n=2&score=true", headers={"Accept": accept}).raise_for_status()

    return ask


def expired(accept):
    def ask(server, client):
        with client.stream("POST", "/generate?n=64&timeout_ms=1", headers={"Accept": accept}) as response:
            assert b"DEADLINE_EXCEEDED" in response.read()

    return ask


def left(server, client):
    with client.stream("POST", "/generate?n=64", headers={"Accept": "text/event-stream"}) as response:
        next(response.iter_bytes())
    assert wait_until(lambda: server.rows == 0)


def over_grpc(**options):
    def ask(server, client):
        with Client(f"grpc://{server.grpc}") as grpc_client:
            try:
                grpc_client.generate(**options)
            except PentimentoError as error:
                assert error.code is Code.DEADLINE_EXCEEDED

    return ask


def left_over_grpc(server, client):
    with Client(f"grpc://{server.grpc}") as grpc_client, grpc_client.stream(n=64) as stream:
        next(stream)


def judged(server, client):
    picture = client.post("/generate", headers={"Accept": "image/png"}).content
    client.post(
        "/score?fit=resize", content=picture, headers={"Content-Type": "image/png"}
    ).raise_for_status()


ASKS = {
    "json": whole("application/json"),
    "npy": whole("application/x-npy"),
    "sse": whole("text/event-stream"),
    "ndjson": whole("application/x-ndjson"),
    "expired json": expired("application/json"),
    "expired sse": expired("text/event-stream"),
    "left": left,
    "grpc": over_grpc(n=2, score=True),
    "expired grpc": over_grpc(n=64, timeout_s=0.001),
    "left grpc": left_over_grpc,
    "score": judged,
}


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    write_revision(folder / "a", 0)
    server = LiveServer(folder, admin_token=TOKEN, calibrate=False)
    yield server
    server.close()


@pytest.mark.parametrize("name", ASKS)
def test_graphs_are_gone_with_their_last_drawing_without_garbage_collection(live, name):
    """What is held in a circle of references stays until the collector comes, which may be never."""
    folder, catalog = live.settings.bundles, live.server.catalog
    gc.collect()
    gc.disable()
    try:
        with live.client() as client:
            graphs = {key: weakref.ref(graph) for key, graph in catalog.get("a").graphs.items()}
            ASKS[name](live, client)
            write_revision(folder / "a", 1 + int(catalog.get("a").manifest.version.split(".")[1]) % 29)
            done = client.post("/models:reload", headers=admin()).json()
            assert [each["name"] for each in done["replaced"]] == ["a"]
            assert wait_until(lambda: not any(graph() for graph in graphs.values())), [
                key for key, graph in graphs.items() if graph()
            ]
    finally:
        gc.enable()
