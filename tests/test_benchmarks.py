"""The pieces of `make bench` work with real servers; nothing here looks at how fast anything is."""

import asyncio
import json
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import httpx
import pytest

from benchmarks.bench.asks import FORMS, Ask, Group
from benchmarks.bench.cases import SHORT, group
from benchmarks.bench.contenders import GRAN, ROWS, plain_served, prepare_bundles, ready_words
from benchmarks.bench.limit import bare_loop
from benchmarks.bench.load import Job
from benchmarks.bench.memory import memory_at_rest
from benchmarks.bench.painting import Painter, encode, read_painters
from benchmarks.bench.plain_handlers import BUNDLES, Batcher, Wish, inline
from benchmarks.bench.procs import Worker, cpu_seconds, resident_mib, together_mib, tree
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
    with served(bundles, calibrate=False, workers=1) as started:
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


@pytest.mark.parametrize("app", ["whole", "inline"])
def test_the_plain_handlers_answer(app, load, bundles):
    with plain_served(app, bundles) as (pid, port):
        for path, form in (("/generate", "json"), ("/stream", "ndjson")):
            groups = (group(2, form=form), group(1, model=ROWS, form=form))
            result = load.do(a_job(groups, http_port=port, pid=pid, path=path))
            assert all(seen["requests"] > 0 and not seen["failures"] for seen in result["groups"])
            assert result["resident_mib"] > 10


async def test_the_inline_handler_gives_others_a_turn_after_each_frame(bundles, monkeypatch):
    monkeypatch.setenv(BUNDLES, str(bundles))
    (stream,) = (route.endpoint for route in inline().routes if route.path == "/stream")
    order = []

    async def read(name):
        answer = await stream(Wish(model=GRAN, steps=3))
        async for line in answer.body_iterator:
            order.append((name, json.loads(line).get("step", "done")))

    await asyncio.gather(read("a"), read("b"))
    assert order == [(name, step) for step in (1, 2, 3, "done") for name in "ab"]


_CHILD = "held = bytearray(20 << 20); sum(range(4_000_000)); print('held', flush=True); input()"

_PARENT = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {_CHILD!r}])  # a line to both ends it
print("alone", flush=True)
input()
"""


def test_a_parent_is_counted_with_its_children():
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    with subprocess.Popen([sys.executable, "-c", _PARENT], **pipes) as parent:
        assert parent.stdout.readline() == "held\n"
        pids = tree(parent.pid)
        assert len(pids) == 2 and pids[0] == parent.pid
        alone, both, together = resident_mib(pids[:1]), resident_mib(pids), together_mib(pids)
        assert both > alone + 20
        assert alone + 20 < together < both, "they have the interpreter in common"
        used = cpu_seconds(pids)
        assert used > cpu_seconds(pids[:1])
        parent.stdin.write("\n")
        assert parent.stdout.readline() == "alone\n"
        assert tree(parent.pid) == pids[:1]
        assert cpu_seconds(pids) >= used, "what the child used is not forgotten"
        assert resident_mib(pids) < both - 20
        parent.stdin.write("\n")


def test_the_memory_of_a_server_is_that_of_all_its_processes(bundles, tmp_path):
    found = memory_at_rest(bundles, tmp_path)
    assert found["processes"] >= 1
    assert 50 < found["together_mib"] <= found["resident_mib"] + 1


@pytest.mark.parametrize(
    "words", ["cpu, 2 lane processes", "cpu, 1 lane process", "cuda, 1 lane", "cpu, 2 workers"]
)
def test_the_ready_line_in_its_wordings(words):
    assert ready_words(f"serves 3 models, by default gran5-mnist; {words}\n") == words
    assert ready_words("no idea") == "no idea"


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
