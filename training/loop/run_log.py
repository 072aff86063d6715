"""The log of a training, a JSON object a line; resuming cuts it back to where the checkpoint was written.

Fields that start with `wall_` hold times measured by the clock, in seconds; all others depend on the recipe,
the data and the machine's arithmetic alone.
"""

__all__ = ["Meters", "RunLog"]

import json
from pathlib import Path
from typing import Any


class Meters:
    """Running means of named figures."""

    def __init__(self, sums: dict[str, float] | None = None, count: int = 0) -> None:
        self.sums = dict(sums or {})
        self.count = count

    def add(self, values: dict[str, float]) -> None:
        """Adds one iteration's figures."""
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.count += 1

    def means(self) -> dict[str, float]:
        """The mean of each figure so far, rounded to six decimals."""
        return {name: round(total / self.count, 6) for name, total in self.sums.items()}

    def to_json(self) -> dict[str, Any]:
        """Sums and count for a checkpoint; pass them to the constructor to go on."""
        return {"sums": self.sums, "count": self.count}


class RunLog:
    """Appends JSON lines to a file; none waits in a buffer."""

    def __init__(self, path: Path, length: int = 0) -> None:
        """Opens the log and drops whatever follows its first `length` bytes."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as stream:
            stream.truncate(length)

    @property
    def length(self) -> int:
        """Length of the file in bytes; a checkpoint keeps it."""
        return self.path.stat().st_size

    def write(self, kind: str, values: dict[str, Any]) -> None:
        """Appends one line: its `kind`, such as `updates` or `evaluation`, then `values`."""
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"kind": kind, **values}) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """Reads all lines so far."""
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]
