"""The parent of a server's workers: it starts, watches and replaces them, and answers no client."""

__all__ = ["Parent"]

import asyncio
import logging
import math
import os
import signal
from collections.abc import Sequence

from pentimento.bundle.store import BundleError
from pentimento.service.app import StartError, make_runtime
from pentimento.service.catalog.served import Reload
from pentimento.service.catalog.trials import Trials
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.group import Board
from pentimento.service.hangup import Hangups
from pentimento.service.settings import Settings
from pentimento.service.telemetry.log_writer import flush_log
from pentimento.service.telemetry.ready import process_age_s
from pentimento.service.turns import Turns
from pentimento.service.workers.channel import Begin, Drain, Failed, Listen, Started
from pentimento.service.workers.child import Child
from pentimento.service.workers.ports import Ports
from pentimento.service.workers.reloading import reload_all
from pentimento.service.workers.totals import Totals

_log = logging.getLogger(__name__)

_RESTARTS_S = (0.0, 0.5, 2.0, 10.0, 30.0)  # before another takes the place of one that ended, each longer
_STEADY_S = 60.0  # a worker that lived as long was no failure to start
_LOOK_S = 0.5
_LOOKS = 10  # without a sign of life


class Parent:
    """A server of several processes.

    Args:
        settings: Everything that can be set.
        roles: Of each worker, whether it has a front end and whether it has a lane.
        program: Arguments of Python that run a worker; None: the usual one.
    """

    def __init__(
        self, settings: Settings, roles: Sequence[tuple[bool, bool]], program: Sequence[str] | None = None
    ) -> None:
        self._settings, self._roles = settings, list(roles)
        self._asked = settings.workers is not None
        self._program = () if program is None else (program,)
        self._board = Board.create(len(roles))
        self._totals = Totals(self._board)
        self._children: dict[int, Child] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._served = ""  # what all serve, as a digest
        self._default: str | None = None  # the bundle that all take for requests that name none
        self._up = False  # all have started: from now on who ends is replaced
        self._stop = asyncio.Event()
        self._reload = Turns(self._reload_all)
        self._trials: Trials | None = None

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT, then drains.

        A second signal, or one that comes while workers start, ends all processes at once.

        Raises:
            StartError: The server cannot start.
        """
        self._mind_signals()
        try:
            ports = Ports(self._settings)
        except OSError as error:
            raise StartError(str(error)) from None
        self._settings = self._settings.model_copy(
            update={
                "http_port": ports.http,
                "grpc_port": ports.grpc,
                "workers": 1,
                "max_connections": math.ceil(self._settings.max_connections / self._fronts),
            }
        )
        try:
            await self._start()
            watch = asyncio.create_task(self._watch())
            reloads = asyncio.create_task(self._hangups.answer(self._reload))
            await self._stop.wait()
            watch.cancel()
            reloads.cancel()
            await self._drain()
        finally:
            for child in self._children.values():
                child.kill()
            if self._trials is not None:
                self._trials.close()  # of a reload that nobody waits for any more
            ports.close()

    @property
    def _fronts(self) -> int:
        return sum(front for front, _ in self._roles)

    def _mind_signals(self) -> None:
        loop = asyncio.get_running_loop()

        def on_signal(number: signal.Signals) -> None:
            if self._stop.is_set() or not self._up:  # nothing is drawn yet that could be finished
                for child in self._children.values():
                    child.kill()
                if self._trials is not None:
                    self._trials.close()
                flush_log()
                loop.remove_signal_handler(number)
                signal.raise_signal(number)
                os._exit(128 + number)  # still here: as process 1 of a container
            _log.info("%s: no new work is admitted, running drawings finish", number.name)
            self._stop.set()

        self._hangups = Hangups(lambda: on_signal(signal.SIGHUP))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal, number)

    async def _start(self) -> None:
        """Starts all workers side by side, and lets them listen when all have loaded everything."""
        started = []
        for number in range(len(self._roles)):
            try:
                child = await self._open(number)
            except OSError as error:
                raise StartError(f"worker {number} cannot be started: {error}") from None
            self._look_after(child)
            started.append(child)
        await self._try_graphs()  # while they are being loaded
        for child in started:
            try:
                self._begin(child)
            except OSError as error:
                raise StartError(f"worker {child.number} cannot be started: {error}") from None
        results = await asyncio.gather(*(child.started for child in started))
        for result in results:
            if isinstance(result, Failed):
                raise StartError(result.sentence, result.code)
        self._up = True
        first = next(result for result in results if isinstance(result, Started))
        self._served, self._default = first.served, first.default
        ready = next(result.ready for result in results if isinstance(result, Started) and result.ready)
        kept = self._useful([result.useful for result in results if isinstance(result, Started)])
        for child in started[kept:]:
            del self._children[child.number]
            child.channel.send(Drain())
        del self._roles[kept:]
        self._board.wanted = kept
        for child in started[:kept]:
            child.channel.send(Listen())
        await asyncio.gather(*(child.opened.wait() for child in started[:kept]))
        text = f"{self._fronts} workers" + (
            "" if all(lane for _, lane in self._roles) else " and one that computes"
        )
        ready.replaced(start_s=process_age_s(), workers=text).say(self._settings.log_format)

    async def _try_graphs(self) -> None:
        """Finds out, for all workers, which graphs may be loaded."""
        try:
            self._trials = Trials(make_runtime(self._settings, computes=True), self._settings)
            await asyncio.to_thread(self._trials.try_folder, self._settings.bundles)
        except (RuntimeError, BundleError) as error:
            raise StartError(str(error)) from None

    def _useful(self, measured: Sequence[int]) -> int:
        """How many workers are kept: where nothing was asked for, those that add to what is computed."""
        if self._asked or not all(lane for _, lane in self._roles):
            return len(self._roles)
        return max(1, min(len(self._roles), measured[0]))

    async def _open(self, number: int) -> Child:
        front, lane = self._roles[number]
        slot = self._board.slots[number]
        slot.clear()
        begin = Begin(self._settings, number, len(self._roles), front, lane, default=self._default)
        child = Child(begin, self._board.handle, slot, self._answer, *self._program)
        await child.open()
        self._children[number] = child
        return child

    def _begin(self, child: Child) -> None:
        """Tells a worker what it is. Raises OSError: there are no descriptors left."""
        assert self._trials is not None
        try:
            child.tell(self._trials.known)
            for other in self._children.values():
                # Two front ends with lanes share these; front ends without one know only who has one.
                shares = child.begin.lane or other.begin.lane
                if shares and other is not child and other.told and not other.channel.over:
                    child.introduce(other)
        except OSError:
            child.kill()
            raise

    def _look_after(self, child: Child) -> None:
        task = asyncio.create_task(self._outlive(child))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _outlive(self, child: Child) -> None:
        """Waits for a worker's end, and puts another in its place unless it was to end."""
        deaths = 0
        while True:
            lived_s = await self._end_of(child)
            if self._children.get(child.number) is not child or self._stop.is_set() or not self._up:
                return
            deaths = 1 if lived_s > _STEADY_S else deaths + 1
            self._totals.fail()
            number = child.number
            while True:
                pause = _RESTARTS_S[min(deaths, len(_RESTARTS_S)) - 1]
                _log.error(
                    "worker %d ended; its drawings failed, another takes its place in %g s", number, pause
                )
                await asyncio.sleep(pause)
                if self._stop.is_set():
                    return
                try:
                    child = await self._open(number)
                    self._begin(child)
                    break
                except OSError as error:
                    deaths += 1
                    self._totals.fail()
                    _log.error("worker %d cannot be started: %s", number, error)
            asyncio.get_running_loop().create_task(self._welcome(child))

    async def _end_of(self, child: Child) -> float:
        """Waits for a worker's end; returns how long it lived, in seconds."""
        await child.wait()
        child.slot.clear()
        self._totals.bury(child)
        return child.age_s

    async def _welcome(self, child: Child) -> None:
        """Lets a worker that has replaced another answer, with what all serve."""
        result = await child.started
        if isinstance(result, Failed):
            return  # its end is seen to
        child.served = result.served
        if child.served != self._served:
            _log.warning(
                "the bundle folder has changed since it was read: worker %d has another", child.number
            )
            try:
                await self._reload()
            except PentimentoError as error:
                _log.error("bundles were not reloaded: %s", error.message)
        if child.served != self._served:
            child.kill()  # another tries again, after a pause
            return
        child.channel.send(Listen())
        await child.opened.wait()
        _log.info("worker %d has taken the place of one that ended", child.number)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            for child in list(self._children.values()):
                reason = child.looks_stuck(_LOOKS, self._settings.max_call_s)
                if reason:
                    _log.error("worker %d is killed: %s", child.number, reason)
                    child.kill()

    async def _answer(self, name: str, _: object) -> object:
        """Does what a worker asks for: `reload` or `expose`."""
        if name == "reload":
            return await self._reload()
        return await self._totals.expose(list(self._children.values()))

    async def _reload_all(self) -> Reload:
        """Tries what is new in the folder, and has all workers read it."""
        assert self._trials is not None
        try:
            await asyncio.to_thread(self._trials.try_folder, self._settings.bundles)
        except BundleError as error:
            message = f"{error}; what was served before still is"
            raise PentimentoError(Code.UNAVAILABLE, message) from None
        first, last, self._served = await reload_all(self._children.values(), self._trials.known)
        self._default = last.default
        return first

    async def _drain(self) -> None:
        for child in self._children.values():
            child.channel.send(Drain())
        ends = [asyncio.create_task(child.process.wait()) for child in self._children.values()]
        _, late = await asyncio.wait(ends, timeout=self._settings.drain_grace_s + 5)
        if late:
            _log.error("%d workers did not end in time and are killed", len(late))
