"""Runs jobs of other processes on the lane of this one, and sends back what they put out."""

__all__ = ["Host", "Hosts"]

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from pentimento.service.engine.job import Call, Graph, Job
from pentimento.service.engine.lane.lane import Handed, Lanes
from pentimento.service.engine.lane.wire import (
    Cancel,
    DropPlan,
    Grant,
    GraphName,
    Hold,
    NewJob,
    NewPlan,
    Report,
    Returned,
    Serves,
)
from pentimento.service.engine.rows import Rows
from pentimento.service.engine.runtime import OnnxGraph
from pentimento.service.errors import PentimentoError


class Hosts:
    """All other processes whose jobs run here.

    Args:
        lanes: Where they run.
        ids: Numbers for jobs, which are shared with those of this process.
        on_rows: Told when jobs of others have come or gone.
    """

    def __init__(self, lanes: Lanes, ids: Iterator[int], on_rows: Callable[[], None] = lambda: None) -> None:
        self.lanes, self.ids, self._on_rows = lanes, ids, on_rows
        self.graphs: dict[GraphName, Graph] = {}
        self._hosts: set[Host] = set()
        self._owners: dict[int, Host] = {}  # of the jobs that run here, by their ids here

    def open(self, send: Callable[[NamedTuple], None]) -> "Host":
        """Begins with another process; `send` sends it a message."""
        host = Host(self, send)
        self._hosts.add(host)
        host.tell()
        return host

    def keep(self, graphs: Sequence[Graph]) -> None:
        """Says which graphs new jobs may call, and tells the others; jobs that run keep theirs."""
        self.graphs = {(graph.label, graph.sha256): graph for graph in graphs if isinstance(graph, OnnxGraph)}
        for host in self._hosts:
            host.drop_plans()
            host.tell()

    def hand_over(self, handed: Sequence[Handed]) -> None:
        """Sends back what jobs of others put out."""
        by_host: dict[Host, list[Handed]] = {}
        for each in handed:
            host = self._owners.get(each.job_id)
            if host is not None:
                by_host.setdefault(host, []).append(each)
        for host, theirs in by_host.items():
            host.report(theirs)

    async def gone(self, grace_s: float) -> None:
        """Waits until the other processes have left, for so many seconds at most."""
        end = time.monotonic() + grace_s
        while self._hosts and time.monotonic() < end:
            await asyncio.sleep(0.02)

    async def idle(self, grace_s: float) -> None:
        """Waits until no job of others runs here, for so many seconds at most."""
        end = time.monotonic() + grace_s
        while self._owners and time.monotonic() < end:
            await asyncio.sleep(0.01)

    def own(self, job_id: int, host: "Host") -> None:
        """Notes whose a job is."""
        self._owners[job_id] = host
        self._on_rows()

    def forget(self, job_id: int) -> None:
        """Forgets a job that is over."""
        self._owners.pop(job_id, None)
        self._on_rows()

    def leave(self, host: "Host") -> None:
        """Forgets another process."""
        self._hosts.discard(host)


class Host:
    """The jobs of one other process."""

    def __init__(self, hosts: Hosts, send: Callable[[NamedTuple], None]) -> None:
        self._hosts, self._send = hosts, send
        self._plans: dict[int, tuple[Call, ...] | None] = {}  # None: a graph of it is not here
        self._here: dict[int, int] = {}  # ids here by theirs
        self._theirs: dict[int, int] = {}  # and back

    def tell(self) -> None:
        """Tells the other which graphs its jobs may call."""
        graphs = self._hosts.graphs
        limits = {name: graph.limits for name, graph in graphs.items() if isinstance(graph, OnnxGraph)}
        self._send(Serves(limits))

    def drop_plans(self) -> None:
        """Lets go of the plans that call graphs which are served no more."""
        served = set(self._hosts.graphs.values())
        for key, plan in self._plans.items():
            if plan is not None and any(call.graph not in served for call in plan):
                self._plans[key] = None

    def take(self, message: object) -> None:
        """Takes a message about a job or a plan."""
        match message:
            case NewJob():
                self._begin(message)
            case Grant():
                if (here := self._here.get(message.job_id)) is not None:
                    self._hosts.lanes.grant(here, message.frames)
            case Hold():
                if (here := self._here.get(message.job_id)) is not None:
                    self._hosts.lanes.hold(here)
            case Cancel():
                if (here := self._here.get(message.job_id)) is not None:
                    self._hosts.lanes.cancel(here)
                    self._end(here)
            case NewPlan():
                self._plans[message.key] = self._plan(message)
            case DropPlan():
                del self._plans[message.key]

    def _begin(self, message: NewJob) -> None:
        plan = self._plans[message.plan]
        if plan is None:
            self._send(Returned(message.id))
            return
        job = Job(
            id=next(self._hosts.ids),
            rows=message.rows,
            plan=plan,
            tensors={name: Rows.of(values) for name, values in message.tensors.items()},
            deadline=message.deadline,
            room=message.room,
            admitted_at=message.admitted_at,
        )
        self._here[message.id], self._theirs[job.id] = job.id, message.id
        self._hosts.lanes.add([job])
        self._hosts.own(job.id, self)

    def _plan(self, message: NewPlan) -> tuple[Call, ...] | None:
        """The plan with the graphs of this process; None if it lacks one of them."""
        calls = []
        for call in message.calls:
            graph = self._hosts.graphs.get(call.graph)
            if graph is None:
                return None
            calls.append(
                Call(
                    graph=graph,
                    t=call.t,
                    takes_t=call.takes_t,
                    feeds=call.feeds,
                    keeps=call.keeps,
                    emits=call.emits,
                    step=call.step,
                )
            )
        return tuple(calls)

    def report(self, handed: Sequence[Handed]) -> None:
        """Sends what jobs put out."""
        self._send(Report.of([each._replace(job_id=self._theirs[each.job_id]) for each in handed]))
        for each in handed:
            if each.event is None or isinstance(each.event, PentimentoError):
                self._end(each.job_id)

    def close(self) -> None:
        """The other process is gone: its jobs are dropped."""
        for here in list(self._theirs):
            self._hosts.lanes.cancel(here)
            self._end(here)
        self._plans.clear()
        self._hosts.leave(self)

    def _end(self, here: int) -> None:
        self._here.pop(self._theirs.pop(here), None)
        self._hosts.forget(here)
