"""The log on stderr: a line for each request, and one format for everything, for people or as JSON.

What a client sent cannot begin a line of its own or steer a terminal: all of it is escaped. Neither pictures
nor keys are ever among it, as nobody hands them over.
"""

__all__ = ["Asked", "RequestFacts", "configure_logging", "log_request", "request_id"]

import json
import logging
import os
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Literal, TextIO

from pentimento.service.messages import (
    AutoencodeRequest,
    CompleteRequest,
    EncodeRequest,
    GenerateRequest,
    Header,
    LikelihoodRequest,
    ScoreRequest,
)
from pentimento.service.telemetry.log_writer import QueuedHandler

Asked = (
    GenerateRequest | CompleteRequest | AutoencodeRequest | ScoreRequest | EncodeRequest | LikelihoodRequest
)

_log = logging.getLogger("pentimento.request")

_ID = re.compile(r"[A-Za-z0-9._~+/=:@-]{1,128}")
_MAX_TEXT = 200  # characters of what a client made up
_PLAIN = re.compile(r"[!#-<>-\[\]-~]+")  # visible ASCII without quote, equals sign and backslash


@dataclass(slots=True)
class RequestFacts:
    """What the log records of one request, on whatever transport; filled in as it becomes known."""

    id: str
    client: str = "-"  # its key's name, or its address
    model: str | None = None
    n: int | None = None
    steps: int | None = None
    outcome: str = "ok"  # ok, cancelled, stalled, or an error code in lower case
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since the request began."""
        return time.monotonic() - self.started

    def asks(self, request: Asked) -> None:
        """Notes model, images and steps as asked for; what the client left to the server is not known yet."""
        self.model = request.model
        if isinstance(request, GenerateRequest | CompleteRequest):
            self.n, self.steps = request.n, request.steps
        elif isinstance(request, AutoencodeRequest):
            self.n, self.steps = request.samples, request.steps
        else:
            self.n = len(request.images)

    def draws(self, header: Header) -> None:
        """Notes model, images and steps as they are drawn, with the server's defaults."""
        self.model, self.n, self.steps = header.model, header.n, header.steps


def request_id(given: str | None) -> str:
    """The client's own request id if it is 1..128 letters, digits and ._~+/=:@-, else a new random one."""
    if given is not None and _ID.fullmatch(given):
        return given
    return os.urandom(8).hex()  # of a generator's numbers, some would give the next ones away


def log_request(
    facts: RequestFacts,
    transport: Literal["http", "grpc"],
    status: int | str,
    *,
    method: str | None = None,
    path: str | None = None,
    rpc: str | None = None,
    level: int = logging.INFO,
) -> None:
    """Writes the log line of a request that is over.

    Args:
        facts: What is known of it.
        transport: How it came.
        status: What the transport answered; `-` where nothing was answered.
        method: The HTTP method.
        path: The HTTP path, without the query.
        rpc: Name of the RPC, for gRPC.
        level: Below info for what is asked all the time, and went well.
    """
    if not _log.isEnabledFor(level):
        return
    fields: dict[str, object] = {"transport": transport}
    if rpc is None:
        fields["method"], fields["path"] = method, path
    else:
        fields["rpc"] = rpc
    fields["status"] = status
    fields["outcome"] = facts.outcome
    fields["ms"] = round(facts.seconds * 1000, 2)
    fields["model"], fields["n"], fields["steps"] = facts.model, facts.n, facts.steps
    fields["client"], fields["request_id"] = facts.client, facts.id
    _log.log(level, "request", extra={"fields": fields})


def configure_logging(
    level: str, form: Literal["text", "json"], stream: TextIO = sys.stderr, *, worker: int | None = None
) -> None:
    """Sets up the log of this process.

    Args:
        level: The least that is written, of the names of `logging`, in any case.
        form: Lines for people, or a JSON object a line.
        stream: Where it is written.
        worker: Number of this process among several, which each line then names.
    """
    handler = _handler(stream)
    handler.setFormatter(_JsonFormatter(worker) if form == "json" else _TextFormatter(worker))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, root.level))
    if form == "json":
        _log_everything()
    # gRPC's own library prints to stderr, from threads that wait there if nobody reads it, and lines that are
    # no JSON; what it cannot do is raised besides.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # What no format here shows need not be found out, for each line anew.
    logging._srcfile = None  # as the manual of `logging` has it
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def _handler(stream: TextIO) -> logging.Handler:
    """What writes to a stream: from a thread, if that can take long."""
    try:
        return QueuedHandler(stream.fileno())
    except (OSError, ValueError, AttributeError):  # in memory, or closed
        return logging.StreamHandler(stream)


def _log_everything() -> None:
    """Hands to the log what Python would print beside it: warnings, and errors that nobody has caught."""
    logging.captureWarnings(True)
    log = logging.getLogger("pentimento")

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.critical("a defect ended the process", exc_info=(kind, error, trace))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            error = (args.exc_type, args.exc_value, args.exc_traceback)
            log.critical("a defect ended a thread", exc_info=error)

    def unraisable(args: "sys.UnraisableHookArgs") -> None:
        if args.exc_value is not None:
            error = (args.exc_type, args.exc_value, args.exc_traceback)
            log.error("%s", args.err_msg or "an error could not be raised", exc_info=error)

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, in_thread, unraisable


class _TextFormatter(logging.Formatter):
    def __init__(self, worker: int | None) -> None:
        super().__init__()
        self._worker = "" if worker is None else f"worker {worker} "

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] | None = getattr(record, "fields", None)
        if fields is None:
            message = _escaped(record.getMessage())
        else:
            shown = (f"{name}={_shown(value)}" for name, value in fields.items() if value is not None)
            message = " ".join(shown)
        moment = f"{_local(int(record.created))},{int(record.msecs):03}"
        line = f"{moment} {record.levelname} {self._worker}{record.name}: {message}"
        if record.exc_info:
            # Indented, so that no line of an error's text can pass for a line of the log.
            lines = self.formatException(record.exc_info).splitlines()
            line = "\n".join([line, *(f"  {_escaped(part)}" for part in lines)])
        return line


class _JsonFormatter(logging.Formatter):
    def __init__(self, worker: int | None) -> None:
        super().__init__()
        self._worker = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = getattr(record, "fields", {})
        content: dict[str, object] = {
            "time": f"{_utc(int(record.created))}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            **self._worker,
            "logger": record.name,
            "message": record.getMessage(),
            **{name: _cut(value) for name, value in fields.items() if value is not None},
        }
        if record.exc_info:
            content["error"] = self.formatException(record.exc_info)
        return json.dumps(content)  # in ASCII, on one line


@lru_cache(maxsize=2)
def _local(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))


@lru_cache(maxsize=2)
def _utc(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _shown(value: object) -> str:
    if not isinstance(value, str):
        return str(value)
    text = value[:_MAX_TEXT]
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def _cut(value: object) -> object:
    return value[:_MAX_TEXT] if isinstance(value, str) else value


def _escaped(text: str) -> str:
    """Escapes all but visible ASCII and spaces, so that the text stays on one line."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if " " <= c <= "~" else c.encode("unicode_escape").decode() for c in text)
