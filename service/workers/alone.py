"""A server that is one process: what signals mean to it, from its start to its end."""

__all__ = ["codec_threads", "serve_alone", "settle"]

import asyncio
import gc
import logging
import os
import signal
from concurrent.futures import ThreadPoolExecutor

from pentimento.service.app import Server
from pentimento.service.hangup import Hangups
from pentimento.service.settings import Settings
from pentimento.service.telemetry.log_writer import flush_log

_log = logging.getLogger(__name__)

_COLLECT_AFTER = (10_000, 20, 20)  # objects and rounds between collections; by default every 700 objects


async def serve_alone(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then drains; a second signal ends the process at once.

    SIGHUP reloads the bundles, unless it says that the terminal is gone: then it is one of these signals.

    Raises:
        StartError: The server cannot start.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            flush_log()
            loop.remove_signal_handler(number)
            signal.raise_signal(number)
            os._exit(128 + number)  # still here: as process 1 of a container, whom no default action ends
        _log.info("%s: no new work is admitted, running drawings finish", number.name)
        stop.set()

    hangups = Hangups(lambda: on_signal(signal.SIGHUP))
    codec_threads(loop)
    async with Server(settings) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal, number)
        settle()
        server.ready.say(settings.log_format)
        answering = asyncio.create_task(hangups.answer(server.operations.reload))
        await stop.wait()
    answering.cancel()


def codec_threads(loop: asyncio.AbstractEventLoop) -> None:
    """Gives the loop threads that encode frames and decode uploads; few, as graphs have the CPUs."""
    loop.set_default_executor(ThreadPoolExecutor(max_workers=4, thread_name_prefix="codec"))


def settle() -> None:
    """What is there now stays; requests are taken apart without a collector, but for what went wrong."""
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
