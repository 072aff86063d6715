"""The pieces of `make bench` work with real servers; nothing here looks at how fast anything is."""

import asyncio
from base64 import b64decode
from pathlib import Path

import httpx
import pytest

from benchmarks.bench.asks import FORMS, Ask, Group
from benchmarks.bench.cases import SHORT, group
from benchmarks.bench.contenders import GRAN, ROWS, plain_served, prepare_bundles
from benchmarks.bench.limit import bare_loop
from benchmarks.bench.load import Job
from benchmarks.bench.painting import Painter, encode, read_painters
from benchmarks.bench.plain_handlers import Batcher, Wish
from benchmarks.bench.procs import Worker
from benchmarks.serving import served
from pentimento.bundle.noise import draw_noise
from pentimento.bundle.store import read_manifest

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """The bundles of the benchmark."""
    folder = tmp_path_factory.mktemp("bench") / "bundles"
    prepare_bundles(ROOT / "zoo", folder)
    return folder


@pytest.fixture(scope="module")
def server(bundles):
    """A real server: HTTP address, gRPC target, process id."""
    with served(bundles, calibrate=False, lanes=1) as started:
        yield started


@pytest.fixture(scope="module")
def load():
    """The load generator."""
    with Worker("benchmarks.bench.load") as worker:
        yield worker


def a_job(groups, *, http_port, pid, path="/generate", grpc_target=""):
    return Job(
        http_port=http_port,
        path=path,
        grpc_target=grpc_target,
        pid=pid,
        groups=groups,
        warm_s=0.02,
        seconds=0.1,
    ).to_json()


def measured(load, server, *groups):
    address, grpc_target, pid = server
    port = int(address.rpartition(":")[2])
    return load.do(a_job(groups, http_port=port, pid=pid, grpc_target=grpc_target))


@pytest.mark.parametrize("form", FORMS)
def test_a_round_in_every_form(form, load, server):
    result = measured(load, server, group(2, form=form, n=2))
    (seen,) = result["groups"]
    assert seen["failures"] == {}
    assert seen["canvases"] == pytest.approx(10 * seen["requests"])
    assert 0 < seen["first_ms"]["p50"] <= seen["last_ms"]["p50"] <= seen["last_ms"]["p99"]
    assert result["resident_mib"] > 10
    assert result["wall_s"] > 0.09  # the loop's timers count in milliseconds


def test_groups_are_measured_side_by_side(load, server):
    result = measured(load, server, SHORT, group(2, model=ROWS, form="ndjson"))
    assert all(seen["requests"] > 0 and not seen["failures"] for seen in result["groups"])


@pytest.mark.parametrize(
    ("asked", "failure"),
    [
        (Ask(model="nobody", steps=1), "status 404"),
        (
            Ask(model=GRAN, steps=99, form="grpc-stream"),
            "INVALID_ARGUMENT: step_count must be 1..16 for model 'gran5-mnist', got 99",
        ),
    ],
)
def test_failures_are_counted(asked, failure, load, server):
    (seen,) = measured(load, server, Group(ask=asked, clients=3))["groups"]
    assert seen["failures"] == {failure: 3}
    assert seen["requests"] == 0 and seen["last_ms"] == {"p50": None, "p99": None}


@pytest.mark.parametrize(
    ("asked", "body", "parts", "fault"),
    [
        (Ask(model=GRAN, steps=2), b"iVBORw0KGgo", 0, "1 pictures instead of 2"),
        (Ask(model=GRAN, steps=1, form="ndjson"), b"iVBORw0KGgo", 2, "0 frames instead of 1"),
        (Ask(model=GRAN, steps=1, form="ndjson"), b"iVBORw0KGgo", 3, None),
        (Ask(model=GRAN, steps=1, form="grpc-unary"), b"\x89PNG\r\n", 0, None),
    ],
)
def test_answers_are_looked_into(asked, body, parts, fault):
    assert asked.fault(body, parts) == fault


def test_the_plain_handlers_answer(load, bundles):
    with plain_served("whole", bundles) as (pid, port):
        for path, form in (("/generate", "json"), ("/stream", "ndjson")):
            groups = (group(2, form=form), group(1, model=ROWS, form=form))
            result = load.do(a_job(groups, http_port=port, pid=pid, path=path))
            assert all(seen["requests"] > 0 and not seen["failures"] for seen in result["groups"])
            assert result["resident_mib"] > 10


async def test_the_plain_batches_give_everyone_their_own(bundles):
    batcher = Batcher(read_painters(bundles), lanes=1)
    wishes = [Wish(model=GRAN, n=n, steps=steps) for n, steps in ((1, 2), (40, 2), (3, 2), (2, 4))]
    lane = asyncio.create_task(batcher.lane())
    answers = await asyncio.gather(*map(batcher.draw, wishes))
    lane.cancel()
    for wish, answer in zip(wishes, answers, strict=True):
        assert bytes(answer.body).count(b"iVBORw0KGgo") == wish.n * wish.steps
        assert f'"n":{wish.n},"steps":{wish.steps}'.encode() in answer.body


@pytest.mark.parametrize(("model", "steps"), [(GRAN, 3), (ROWS, 5)])
def test_the_bare_loop_draws_what_the_server_draws(model, steps, bundles, server):
    manifest = read_manifest(bundles / model)
    noise = draw_noise(manifest.drawing, manifest.graphs, seed=3, rows=range(2), steps=steps)
    files = encode(list(Painter(bundles / model).draw(noise, steps)))
    wish = {"model": model, "n": 2, "steps": steps, "seed": 3}
    answer = httpx.post(f"{server[0]}/generate", json=wish, trust_env=False).json()
    assert [[b64decode(text) for text in frame["images"]] for frame in answer["frames"]] == files


@pytest.mark.parametrize("rows", [1, 2])
def test_the_limit_counts_what_it_draws(rows, bundles):
    result = bare_loop(Painter(bundles / GRAN), rows=rows, steps=2, seconds=0.05)
    assert result["wall_s"] >= 0.05
    assert result["drawings"] >= rows and result["drawings"] % rows == 0
    assert result["graph_cpu_s"] > 0 and result["png_cpu_s"] > 0
