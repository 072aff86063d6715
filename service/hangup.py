"""SIGHUP: reloads the bundles, or stops the server if the signal came because its terminal was closed."""

__all__ = ["Hangups"]

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable

from pentimento.service.errors import PentimentoError

_log = logging.getLogger(__name__)


class Hangups:
    """Handles SIGHUP from its construction on, which must be in a running event loop.

    By default the signal ends what runs in a terminal when that is closed. It still does so here, except
    under `nohup`, which makes a program ignore it so as to outlive its terminal.

    Args:
        on_lost_terminal: Called once, when a SIGHUP comes and the terminal that there was at first is gone.
    """

    def __init__(self, on_lost_terminal: Callable[[], None]) -> None:
        self._on_lost_terminal = on_lost_terminal
        self._lost_terminal = False
        self._wanted = asyncio.Event()
        if hasattr(signal, "SIGHUP"):  # not on Windows
            self._minds_terminal = signal.getsignal(signal.SIGHUP) is signal.SIG_DFL and _has_terminal()
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._receive)

    def _receive(self) -> None:
        if self._minds_terminal and not _has_terminal():
            if not self._lost_terminal:  # a shell sends once more what the kernel has sent already
                self._lost_terminal = True
                self._on_lost_terminal()
        else:
            self._wanted.set()

    async def answer(self, reload: Callable[[], Awaitable[object]]) -> None:
        """Calls `reload` after each SIGHUP, for ever; a PentimentoError is logged.

        Signals that come during a reload are answered by one more.
        """
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await reload()
            except PentimentoError as error:
                _log.error("SIGHUP: bundles were not reloaded: %s", error.message)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
