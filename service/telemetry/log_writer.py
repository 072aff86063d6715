"""Writes the log from a thread, so that a reader who takes nothing of it stops nobody.

Lines wait in a queue that is bounded. When it is full, lines are dropped, and counted, until all that waits
is written; then a line says how many there were. Each is written whole, in order, to the file descriptor
itself: a thread that waits within Python's own stream would hold a lock that everybody who prints needs.
"""

__all__ = ["QueuedHandler", "dropped_lines", "flush_log"]

import collections
import logging
import os
import select
import threading
import time

_MOST_BYTES = 1 << 20  # that wait: some thousand lines
_PIECE = select.PIPE_BUF  # bytes that a pipe takes whole, whoever else writes to it
_FLUSH_S = 1.0  # in which a log must be taken when a process ends


class QueuedHandler(logging.Handler):
    """Hands lines to a thread that writes them to a file descriptor.

    Args:
        handle: Where they are written; it stays open.
        most_bytes: Bytes of lines that may wait; beyond them lines are dropped.
    """

    def __init__(self, handle: int, most_bytes: int = _MOST_BYTES) -> None:
        super().__init__()
        self.dropped = 0
        """Lines that were never written, as nobody read the log."""
        self._handle, self._most = handle, most_bytes
        self._state = threading.Condition()  # of what follows; never held while something is written
        self._waiting: collections.deque[bytes] = collections.deque()
        self._bytes = 0  # that wait, or are being written
        self._unsaid = 0  # lines dropped since the last line that said so; while there are any, all are
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Queues a record's line or drops it; never waits for who reads the log."""
        try:
            line = self._line(record)
        except Exception:
            self.handleError(record)
            return
        with self._state:
            if self._unsaid or (self._bytes and self._bytes + len(line) > self._most):
                self._unsaid += 1
                self.dropped += 1
                return
            self._waiting.append(line)
            self._bytes += len(line)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
                self._thread.start()
            self._state.notify_all()

    def flush(self) -> None:
        """Waits until what was queued is written, a second at most: nobody may read it any more.

        Python calls it when a process ends.
        """
        end = time.monotonic() + _FLUSH_S
        with self._state:
            while self._bytes and (left := end - time.monotonic()) > 0:
                self._state.wait(left)

    def _line(self, record: logging.LogRecord) -> bytes:
        return f"{self.format(record)}\n".encode(errors="backslashreplace")

    def _write_all(self) -> None:
        while True:
            with self._state:
                while not self._waiting:
                    self._state.wait()
                lines = self._next()
            self._write(lines)
            with self._state:
                self._bytes -= len(lines)
                if not self._waiting and self._unsaid:
                    notice = self._line(self._notice(self._unsaid))
                    self._unsaid = 0
                    self._waiting.append(notice)
                    self._bytes += len(notice)
                self._state.notify_all()

    def _next(self) -> bytes:
        """The lines that fit into one piece; one that is longer is a piece by itself."""
        lines = self._waiting.popleft()
        while self._waiting and len(lines) + len(self._waiting[0]) <= _PIECE:
            lines += self._waiting.popleft()
        return lines

    def _write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._handle, data) :]
            except BlockingIOError:  # somebody made the descriptor one that does not wait
                select.select([], [self._handle], [])
            except OSError:  # the reader is gone, or the disk is full
                return

    def _notice(self, lines: int) -> logging.LogRecord:
        text = "%d lines of the log were dropped here: what was written before was not read in time"
        return logging.LogRecord("pentimento", logging.ERROR, "", 0, text, (lines,), None)


def dropped_lines() -> int:
    """Lines of this process's log that were dropped."""
    handlers = logging.getLogger().handlers
    return sum(handler.dropped for handler in handlers if isinstance(handler, QueuedHandler))


def flush_log() -> None:
    """Waits a moment for the log to be written; for who ends the process without Python's own end."""
    for handler in logging.getLogger().handlers:
        handler.flush()
