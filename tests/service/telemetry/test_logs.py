"""The log: a line for each request on both transports, for people and as JSON, whatever clients send."""

import io
import json
import logging
import random
import re

import grpc
import pytest
from PIL import Image

from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from pentimento.service.telemetry.request_log import RequestFacts, configure_logging, log_request, request_id
from tests.reliability.server import ServerProcess
from tests.service.live import wait_until

EVIL = 'a\nforged\r\x1b[31m\u2028\u202e\xe9\x00"'


@pytest.fixture
def lines(caplog):
    """Waits for as many lines, which are written when the answers are out, and gives their fields."""
    caplog.set_level(logging.INFO, "pentimento.request")

    def wait(number):
        fields = lambda: [record.fields for record in caplog.records if hasattr(record, "fields")]  # noqa: E731
        assert wait_until(lambda: len(fields()) == number), fields()
        return fields()

    return wait


@pytest.fixture
def logger(monkeypatch):
    """Sets up the log as the server does, into memory; undone in the end."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers)
    monkeypatch.setattr(root, "level", root.level)
    monkeypatch.setattr(logging, "_srcfile", logging._srcfile)
    for name in ("logThreads", "logProcesses", "logMultiprocessing"):
        monkeypatch.setattr(logging, name, getattr(logging, name))

    def configure(form, level="info"):
        stream = io.StringIO()
        configure_logging(level, form, stream)
        return stream

    yield configure
    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)


def call(live, method, request, *metadata):
    """Trailing metadata of a whole RPC, and its error if it has one."""
    with grpc.insecure_channel(live.grpc) as channel:
        rpc = getattr(pb_grpc.CanvasServiceStub(channel), method)
        streams = method == "StreamCanvas"
        running = (rpc if streams else rpc.future)(request, metadata=metadata, timeout=30)
        try:
            list(running) if streams else running.result()
        except grpc.RpcError as error:
            return dict(running.trailing_metadata()), error
        return dict(running.trailing_metadata()), None


def without_times(fields):
    assert isinstance(fields["ms"], float) and 0 < fields["ms"] < 60_000
    return {name: value for name, value in fields.items() if name != "ms"}


def test_a_drawing_over_http(http, lines):
    http.post("/generate?n=2&seed=3", headers={"X-Request-Id": "mine-1"})
    assert [without_times(line) for line in lines(1)] == [
        {
            "transport": "http",
            "method": "POST",
            "path": "/generate",
            "status": 200,
            "outcome": "ok",
            "model": "toy-steps",
            "n": 2,
            "steps": 5,
            "client": "127.0.0.1",
            "request_id": "mine-1",
        }
    ]


@pytest.mark.parametrize("method", ["Generate", "StreamCanvas"])
def test_a_drawing_over_grpc(live, lines, method):
    request = getattr(pb, f"{method}Request")(drawing=pb.DrawingSpec(image_count=2))
    trailing, _ = call(live, method, request, ("x-request-id", "mine-2"))
    assert trailing["x-request-id"] == "mine-2"
    assert [without_times(line) for line in lines(1)] == [
        {
            "transport": "grpc",
            "rpc": method,
            "status": "OK",
            "outcome": "ok",
            "model": "toy-steps",
            "n": 2,
            "steps": 5,
            "client": "127.0.0.1",
            "request_id": "mine-2",
        }
    ]


def test_what_is_refused_says_what_was_asked(live, http, lines):
    http.post("/generate?model=gran9&steps=3")
    trailing, error = call(
        live, "Generate", pb.GenerateRequest(drawing=pb.DrawingSpec(model="gran9", step_count=3))
    )
    assert error.code() is grpc.StatusCode.NOT_FOUND
    over_http, over_grpc = lines(2)
    for line in (over_http, over_grpc):
        assert (line["model"], line["n"], line["steps"], line["outcome"]) == ("gran9", None, 3, "not_found")
    assert (over_http["status"], over_grpc["status"]) == (404, "NOT_FOUND")
    assert trailing["x-request-id"] == over_grpc["request_id"]
    assert re.fullmatch("[0-9a-f]{16}", over_grpc["request_id"])


def test_a_reading(live, http, lines):
    file = io.BytesIO()
    Image.new("L", (8, 6)).save(file, "PNG")
    picture = file.getvalue()
    http.post("/score", content=picture, headers={"Content-Type": "image/png"})
    call(live, "Score", pb.ScoreRequest(images=[picture] * 2))
    over_http, over_grpc = lines(2)
    assert (over_http["model"], over_http["n"], over_http["steps"]) == ("toy-steps", 1, None)
    assert (over_grpc["model"], over_grpc["n"]) == ("toy-steps", 2)


def test_probes_are_quiet_unless_they_fail(live, http, caplog):
    caplog.set_level(logging.DEBUG, "pentimento.request")
    for path in ("/healthz", "/readyz", "/metrics", "/nothing"):
        http.get(path)
    http.post("/healthz")
    assert wait_until(lambda: len(caplog.records) == 5)
    of_requests = [record for record in caplog.records if hasattr(record, "fields")]
    assert [(record.fields["path"], record.levelname) for record in of_requests] == [
        ("/healthz", "DEBUG"),
        ("/readyz", "DEBUG"),
        ("/metrics", "DEBUG"),
        ("/nothing", "INFO"),
        ("/healthz", "INFO"),
    ]


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 129, "é", "a\x1b[31m"])
def test_a_request_id_that_is_none_is_replaced(given):
    assert re.fullmatch("[0-9a-f]{16}", request_id(given))


def test_a_request_id_that_was_made_cannot_be_foreseen():
    made = set()
    for _ in range(50):
        random.seed(7)  # whoever knew the state of a generator would know the next id
        made.add(request_id(None))
    assert len(made) == 50


def test_a_request_id_that_makes_no_sense_is_replaced_on_both(live, http):
    made = http.get("/healthz", headers={"X-Request-Id": "x" * 129}).headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{16}", made)
    trailing, _ = call(live, "ListModels", pb.ListModelsRequest(), ("x-request-id", "a b"))
    assert re.fullmatch("[0-9a-f]{16}", trailing["x-request-id"])


def facts(**fields):
    return RequestFacts("id-1", client="127.0.0.1", **fields)


def test_a_line_for_people(logger):
    stream = logger("text")
    log_request(facts(model=EVIL, n=1), "http", 200, method="POST", path="/models/" + EVIL)
    (line,) = stream.getvalue().splitlines()
    escaped = r"a\nforged\r\u001b[31m\u2028\u202e\u00e9\u0000\""
    head, _, rest = line.partition(" INFO pentimento.request: ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", head)
    assert re.sub(r"ms=[0-9.]+", "ms=1", rest) == (
        f'transport=http method=POST path="/models/{escaped}" status=200 outcome=ok ms=1 '
        f'model="{escaped}" n=1 client=127.0.0.1 request_id=id-1'
    )


def test_a_line_as_json(logger):
    stream = logger("json")
    log_request(facts(model=EVIL, n=1), "grpc", "OK", rpc="Generate")
    (line,) = stream.getvalue().splitlines()
    assert line.isascii()
    content = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", content.pop("time"))
    assert content.pop("ms") >= 0
    assert content == {
        "level": "info",
        "logger": "pentimento.request",
        "message": "request",
        "transport": "grpc",
        "rpc": "Generate",
        "status": "OK",
        "outcome": "ok",
        "model": EVIL,
        "n": 1,
        "client": "127.0.0.1",
        "request_id": "id-1",
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_is_long_is_cut(logger, form):
    stream = logger(form)
    log_request(facts(model="m" * 10_000), "http", 404, method="GET", path="/" + "p" * 10_000)
    assert len(stream.getvalue()) < 800
    assert "m" * 200 in stream.getvalue() and "m" * 201 not in stream.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_other_line_can_be_forged_either(logger, form):
    stream = logger(form)
    log = logging.getLogger("pentimento.test")
    log.info("a bundle called %s", EVIL)
    try:
        raise ValueError(EVIL)
    except ValueError:
        log.exception("it failed")
    log.debug("this is below the level")
    text = stream.getvalue()
    assert text.isascii() and "\x1b" not in text and "\r" not in text
    if form == "json":
        plain, failed = (json.loads(line) for line in text.splitlines())
        assert plain["message"] == f"a bundle called {EVIL}"
        assert failed["level"] == "error" and "ValueError" in failed["error"]
    else:
        beginnings = [line for line in text.splitlines() if not line.startswith("  ")]
        assert len(beginnings) == 2 and all(re.match(r"\d{4}-\d\d-\d\d ", line) for line in beginnings)


def test_the_level_counts(logger):
    stream = logger("text", level="warning")
    log_request(facts(), "http", 200, method="GET", path="/models")
    logging.getLogger("uvicorn.error").info("Started server process")
    assert stream.getvalue() == ""


async def test_a_server_logs_json(toys):
    server = ServerProcess(toys, log_format="json", default_model="toy-steps", calibrate=False)
    try:
        for path in ("/models", "/healthz", "/nothing"):
            await server.get(path)
        assert wait_until(lambda: len(server.log.splitlines()) == 3)
        ready, *logged = [json.loads(line) for line in server.log.splitlines()]
        assert ready["message"] == "Pentimento is ready"
        assert [(line["path"], line["status"]) for line in logged] == [("/models", 200), ("/nothing", 404)]
        server.stop()
    finally:
        server.kill()
