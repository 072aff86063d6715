"""The program that tries graphs, for `Trials`: it may take so much memory and time, and is killed beyond.

python -m pentimento.service.catalog.trial

A job comes on stdin, as a line of JSON; on stdout a line says which graph begins, the next what came of it.
"""

__all__ = ["main"]

import json
import math
import os
import re
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from pentimento.bundle.store import Bundle, BundleError, read_bundle
from pentimento.service.engine.calibration import Calibrator
from pentimento.service.engine.runtime import Runtime, graph_key

try:
    import resource
except ImportError:  # Windows: the clock of who started this is the only limit
    resource = None  # type: ignore[assignment]

_WANTS_MEMORY = re.compile(r"alloc", re.IGNORECASE)  # as ONNX Runtime, numpy and C++ say that there is none


def main() -> None:
    """Tries what the job says."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _be_first_to_go()
    runtime = Runtime(
        provider=job["provider"],
        calibrator=Calibrator(job["cache"] and Path(job["cache"])) if job["calibrate"] else None,
        cuda_graphs=job["cuda_graphs"],
    )
    known = set(job["known"])
    for folder in map(Path, job["folders"]):
        try:
            bundle = read_bundle(folder)
        except (BundleError, OSError):
            continue  # who serves it says what is wrong
        for graph, spec in bundle.manifest.graphs.items():
            key = graph_key(graph, spec)
            if key not in known:
                known.add(key)
                _say(out, {"begins": key, "graph": graph})
                _say(out, _try(runtime, bundle, graph, job))


def _try(runtime: Runtime, bundle: Bundle, graph: str, job: Mapping[str, Any]) -> dict[str, object]:
    if runtime.device == "cpu":  # a driver of a GPU takes addresses as it likes
        _limit(job["max_bytes"], job["max_s"])
    try:
        return {"curve": runtime.try_out(bundle, graph).points}
    except (BundleError, MemoryError) as error:
        text = str(error)
        if isinstance(error, MemoryError) or _WANTS_MEMORY.search(text):
            limit = f"{job['max_bytes']} bytes of memory, the limit of --max-trial-bytes"
            text = f"graph {graph!r} took more than {limit}, to be loaded and tried"
        return {"sentence": text}


def _limit(more_bytes: int, more_s: float) -> None:
    """Allows so much memory and processor time more than was taken so far."""
    if resource is None:
        return
    status = Path("/proc/self/status")
    if status.exists():  # elsewhere than on Linux the system does not count what is mapped
        held = int(status.read_text().partition("VmData:")[2].split()[0]) * 1024
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard == resource.RLIM_INFINITY or held + more_bytes < hard:
            resource.setrlimit(resource.RLIMIT_DATA, (held + more_bytes, hard))
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = math.ceil(used.ru_utime + used.ru_stime + more_s) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (most, hard))


def _be_first_to_go() -> None:
    """Where memory runs out, this process is ended before those that serve."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError:
        return  # not on Linux


def _end_with_parent() -> None:
    """Ends this process when nobody waits for it: also at its own end, which is why the code is 0."""
    sys.stdin.read()
    os._exit(0)


def _say(out: IO[str], message: Mapping[str, object]) -> None:
    out.write(json.dumps(message) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
    os._exit(0)
