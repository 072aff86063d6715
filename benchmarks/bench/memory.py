"""The memory of a server with the whole zoo, at rest."""

__all__ = ["memory_at_rest"]

from pathlib import Path

from benchmarks.bench.procs import resident_mib, together_mib, tree
from benchmarks.serving import served


def memory_at_rest(zoo: Path, cache: Path) -> dict[str, float]:
    """Starts a server with its defaults, and takes the memory of all its processes when it is ready.

    Args:
        zoo: Folder of bundles.
        cache: Folder of calibrations; without those of this machine the start takes longer.

    Returns:
        `processes`, their number; `resident_mib`, the sum over all of them; `together_mib`, where what they
        share counts once.
    """
    with served(zoo, cache=cache) as (_, _, pid):
        pids = tree(pid)
        return {
            "processes": len(pids),
            "resident_mib": resident_mib(pids),
            "together_mib": together_mib(pids),
        }
