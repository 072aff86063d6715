"""The program of a lane's process (`LaneProcess`): one thread reads messages, schedules and calls graphs.

python -m pentimento.service.engine.lane.main SOCKET LOG_LEVEL LOG_FORM
"""

import os
import select
import signal
import socket
import sys
import time
from typing import Literal, NamedTuple, cast

from pentimento.service.engine.job import Call, Job
from pentimento.service.engine.lane.lane import CallFacts, Handed, make
from pentimento.service.engine.lane.wire import (
    Cancel,
    Decoder,
    DropGraphs,
    DropPlan,
    Grant,
    Hold,
    NewJob,
    NewPlan,
    PlaceGraph,
    Ready,
    Report,
    encode,
)
from pentimento.service.engine.memory import give_back_memory
from pentimento.service.engine.rows import Rows
from pentimento.service.engine.runtime import OnnxGraph, Runtime
from pentimento.service.engine.scheduler import Delivery, Scheduler
from pentimento.service.telemetry.request_log import configure_logging

_READ = 1 << 20  # bytes at a time
_UNSENT = 1 << 26  # bytes that may wait; beyond that, the server is waited for
_NICE = 5
_TELL_S = 0.02  # between reports of calls while there is nothing to deliver


class _Lane:
    """The process's scheduler, graphs and plans, and its main loop."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._poll = select.poll()
        self._decoder = Decoder()
        self._unsent = bytearray()
        self._runtime = Runtime(provider="cpu")
        self._scheduler = Scheduler()
        self._graphs: dict[int, OnnxGraph] = {}
        self._plans: dict[int, tuple[Call, ...]] = {}
        self._calls: list[CallFacts] = []
        self._told_at = 0.0

    def run(self) -> None:
        """Reads messages and runs batches until the server ends or closes the socket."""
        while self._listen():
            self._turn()

    def _listen(self) -> bool:
        """Reads messages; blocks only while there is nothing to compute. False when the socket is closed."""
        wait_ms: float | None = 0
        if not self._scheduler.runnable:
            deadline = self._scheduler.next_deadline
            wait_ms = None if deadline is None else max(0.0, (deadline - time.monotonic()) * 1000 + 1)
        self._poll.register(self._link, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        events = sum(event for _, event in self._poll.poll(wait_ms))
        if events & select.POLLOUT:
            self._flush()
        if not events & ~select.POLLOUT:
            return True
        data = self._link.recv(_READ)
        for message in self._decoder.feed(data):
            self._take(message)
        return bool(data)

    def _take(self, message: object) -> None:
        match message:
            case NewJob():
                self._scheduler.add(
                    Job(
                        id=message.id,
                        rows=message.rows,
                        plan=self._plans[message.plan],
                        tensors={name: Rows.of(values) for name, values in message.tensors.items()},
                        deadline=message.deadline,
                        room=message.room,
                        admitted_at=message.admitted_at,
                    )
                )
            case Grant():
                self._scheduler.grant(message.job_id, message.frames)
            case Hold():
                self._scheduler.hold(message.job_id)
            case Cancel():
                self._scheduler.cancel(message.job_id)
            case NewPlan():
                self._plans[message.key] = tuple(
                    Call(
                        graph=self._graphs[call.graph],
                        t=call.t,
                        takes_t=call.takes_t,
                        feeds=call.feeds,
                        keeps=call.keeps,
                        emits=call.emits,
                        step=call.step,
                    )
                    for call in message.calls
                )
            case DropPlan():
                del self._plans[message.key]
            case PlaceGraph():
                placed = self._runtime.place(message.label, message.spec, message.file, message.limits)
                self._graphs[message.key] = placed
            case DropGraphs():
                for key in message.keys:
                    del self._graphs[key]
                give_back_memory()
            case Ready():
                self._send(message)

    def _turn(self) -> None:
        """Runs one batch, if there is one, and reports what came of it."""
        now = time.monotonic()
        deliveries: list[Delivery] = self._scheduler.expire(now)
        batch = self._scheduler.next_batch(1, now)
        if batch is not None:
            results = make(batch, self._calls.append)
            now = time.monotonic()
            self._scheduler.done(batch)
            for part, outputs in results:
                deliveries += self._scheduler.advance(part, outputs, now)
        if deliveries or (self._calls and now - self._told_at > _TELL_S):
            self._send(Report.of([Handed.of(delivery) for delivery in deliveries], self._calls))
            self._calls, self._told_at = [], now

    def _send(self, message: NamedTuple) -> None:
        """Sends without waiting for the server to read: drawings may be larger than a socket's buffer."""
        self._unsent += encode(message)
        self._flush()

    def _flush(self) -> None:
        while self._unsent:
            wait = len(self._unsent) > _UNSENT
            try:
                sent = self._link.send(self._unsent, 0 if wait else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            del self._unsent[:sent]


def main() -> None:
    """Runs a lane on the socket whose file descriptor is the first argument."""
    # What a signal means is decided by the server, which ends this process by closing the socket.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # The server's share of the CPUs is small, and everyone waits for it: it goes before what computes.
    os.nice(_NICE)
    _, handle, level, form = sys.argv
    configure_logging(level, cast("Literal['text', 'json']", form))
    try:
        _Lane(socket.socket(fileno=int(handle))).run()
    except (BrokenPipeError, ConnectionResetError):
        pass  # the server has ended


if __name__ == "__main__":
    main()
