"""Tries graphs in a process of its own, with limits of time and memory, before this one loads them.

Who may write into the bundle folder could otherwise stop a server by a graph that never ends. What came of a
trial is known by the graph's content: each is tried once, and one that was measured on this machine before
need not be tried at all.
"""

__all__ = ["Trials", "Verdict"]

import contextlib
import json
import logging
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, NamedTuple

from pentimento.bundle.manifest import Manifest
from pentimento.bundle.store import Bundle, BundleError, read_manifest
from pentimento.service import children
from pentimento.service.engine.calibration import Curve
from pentimento.service.engine.runtime import Runtime, graph_key
from pentimento.service.settings import Settings

_log = logging.getLogger(__name__)

_MANY = 10  # bundles: of fewer nobody wonders why it takes so long
_START_S = 60.0  # for the process to begin: it imports ONNX Runtime


class Verdict(NamedTuple):
    """What came of a trial: how long calls took, or why the graph is refused."""

    curve: Curve | None
    sentence: str = ""


class Trials:
    """Verdicts by the keys of graphs, and the process that finds those out that are not known.

    Its methods block; `close` may be called from another thread.

    Args:
        runtime: Knows what was measured here before.
        settings: Those of the runtime, and the limits.
        told: Verdicts that another process of this server has found. Then none is found out again, while else
            each reading of the folder tries again what was refused before.
    """

    def __init__(
        self, runtime: Runtime, settings: Settings, told: Mapping[str, Verdict] | None = None
    ) -> None:
        self._runtime, self._settings = runtime, settings
        self._told = told is not None
        self.known: dict[str, Verdict] = dict(told or {})
        self._state = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def learn(self, told: Mapping[str, Verdict]) -> None:
        """Takes the verdicts that another process has found since."""
        self.known = dict(told)

    def try_folder(self, folder: Path) -> None:
        """Finds out about every graph of a bundle folder; what is no bundle is left to who reads it."""
        keys, entries = set(), []
        for entry in _entries(folder):
            try:
                manifest = read_manifest(entry)
            except (BundleError, OSError):
                continue
            keys |= set(self._keys(manifest).values())
            if not all(self._knows(manifest, again=not self._told).values()):
                entries.append(entry)
        self.known = {key: verdict for key, verdict in self.known.items() if key in keys}
        if entries:
            if self._settings.calibrate and len(entries) > _MANY:
                said = (
                    "graphs of %d bundles are new on this machine: they are tried and measured, a second each"
                )
                _log.info(said, len(entries))
            self._find_out(entries)

    def curves(self, entry: Path, bundle: Bundle) -> dict[str, Curve]:
        """How long calls of a bundle's graphs took, by the graphs' names.

        Raises:
            BundleError: A graph is refused, or could not be tried.
        """
        keys = self._keys(bundle.manifest)
        if not all(self._knows(bundle.manifest).values()):  # it has changed since the folder was looked at
            self._find_out([entry])
        curves = {}
        for graph, key in keys.items():
            verdict = self.known.get(key)
            if verdict is None:
                raise BundleError(
                    f"graph {graph!r} was not tried: its bundle is being changed, or the server ends"
                )
            if verdict.curve is None:
                raise BundleError(verdict.sentence)
            curves[graph] = verdict.curve
        return curves

    def close(self) -> None:
        """Ends a trial that runs; from then on what is not known is refused."""
        with self._state:
            self._closed = True
            if self._process is not None:
                self._process.kill()

    def _keys(self, manifest: Manifest) -> dict[str, str]:
        return {graph: graph_key(graph, spec) for graph, spec in manifest.graphs.items()}

    def _knows(self, manifest: Manifest, *, again: bool = False) -> dict[str, bool]:
        """Which graphs need no trial; with `again`, what was refused does."""
        for graph, key in self._keys(manifest).items():
            if key not in self.known or (again and self.known[key].curve is None):
                self.known.pop(key, None)
                curve = self._runtime.remembered(manifest.graphs[graph])
                if curve is not None:
                    self.known[key] = Verdict(curve)
        return {graph: key in self.known for graph, key in self._keys(manifest).items()}

    def _find_out(self, entries: Iterable[Path]) -> None:
        """Tries what is not known of some bundles; after a graph that ends the process others go on."""
        folders = [str(entry) for entry in entries]
        while True:
            known = len(self.known)
            try:
                code = self._run(folders)
            except OSError as error:
                raise BundleError(f"graphs cannot be tried: {error.strerror}") from None
            if code == 0:
                return
            if len(self.known) == known:
                how = "takes too long" if code is None else f"ended, {_ending(code)}"
                raise BundleError(f"graphs cannot be tried: the process that tries them {how}")

    def _run(self, folders: list[str]) -> int | None:
        """Runs the process once; returns its exit code, None if it took too long."""
        with self._state:
            if self._closed:
                return 0
            process = self._process = subprocess.Popen(
                [sys.executable, children.ISOLATED, "-m", "pentimento.service.catalog.trial"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=children.environment(),
            )
        assert process.stdin is not None and process.stdout is not None
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        reader = threading.Thread(target=_read, args=(process.stdout, lines), name="trial", daemon=True)
        reader.start()
        graph, key, limit_s = "", "", _START_S
        try:
            with contextlib.suppress(OSError):  # it has ended already
                process.stdin.write(json.dumps(self._job(folders)).encode() + b"\n")
                process.stdin.flush()
            while line := lines.get(timeout=limit_s):
                said = json.loads(line)
                if "begins" in said:
                    key, graph, limit_s = said["begins"], said["graph"], self._settings.max_trial_s
                    continue
                curve = said.get("curve")
                self.known[key] = Verdict(curve and Curve(tuple(map(tuple, curve))), said.get("sentence", ""))
                graph, limit_s = "", _START_S
        except queue.Empty:
            process.kill()
            if graph:
                self.known[key] = Verdict(None, self._too_long(graph))
            return None
        finally:
            process.stdin.close()
            code = process.wait()
            reader.join()
            process.stdout.close()
            with self._state:
                self._process = None
        if graph and not self._closed:
            self.known[key] = Verdict(None, self._ended(graph, code))
        return code

    def _job(self, folders: list[str]) -> dict[str, object]:
        settings = self._settings
        return {
            "folders": folders,
            "known": list(self.known),
            "provider": settings.provider,
            "cuda_graphs": settings.cuda_graphs,
            "calibrate": settings.calibrate,
            "cache": None if settings.cache is None else str(settings.cache),
            "max_bytes": settings.max_trial_bytes,
            "max_s": settings.max_trial_s,
        }

    def _too_long(self, graph: str) -> str:
        limit = f"{self._settings.max_trial_s:g} s, the limit of --max-trial-s"
        return f"graph {graph!r} took longer than {limit}, to be loaded and tried"

    def _ended(self, graph: str, code: int) -> str:
        if code == -signal.SIGXCPU:
            return self._too_long(graph)
        limit = f"may take {self._settings.max_trial_bytes} bytes of memory, the limit of --max-trial-bytes"
        return f"graph {graph!r} ended the process that tried it, {_ending(code)}; it {limit}"


def _ending(code: int) -> str:
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if not each.name.startswith(".") and each.is_dir())
    except OSError:
        return []  # who reads it says so


def _read(stream: IO[bytes], lines: "queue.SimpleQueue[bytes]") -> None:
    for line in stream:
        lines.put(line)
    lines.put(b"")
