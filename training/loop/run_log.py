"""The log of a training: JSON lines, cut back on resume so that it reads as if nothing had happened.

Fields that start with `wall_` hold times measured by the clock; all others depend on the recipe, the data
and the machine's arithmetic alone.
"""

__all__ = ["Meters", "RunLog"]

import json
from pathlib import Path
from typing import Any


class Meters:
    """Running means."""

    def __init__(self, sums: dict[str, float] | None = None, count: int = 0) -> None:
        self.sums = dict(sums or {})
        self.count = count

    def add(self, values: dict[str, float]) -> None:
        """Adds one iteration's values."""
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.count += 1

    def means(self) -> dict[str, float]:
        """The means so far."""
        return {name: round(total / self.count, 6) for name, total in self.sums.items()}

    def to_json(self) -> dict[str, Any]:
        """For checkpoints; pass it to the constructor to go on."""
        return {"sums": self.sums, "count": self.count}


class RunLog:
    """Appends lines to a file, at once on disk."""

    def __init__(self, path: Path, length: int = 0) -> None:
        """Opens the log and drops whatever follows its first `length` bytes."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as stream:
            stream.truncate(length)

    @property
    def length(self) -> int:
        """Bytes written, for the checkpoint."""
        return self.path.stat().st_size

    def write(self, kind: str, values: dict[str, Any]) -> None:
        """Appends one line."""
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"kind": kind, **values}) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """All lines so far."""
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]
