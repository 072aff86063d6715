"""Reads the folder of a training for tests."""

__all__ = ["timeless"]

import json


def timeless(folder):
    """The lines of the log, without the fields that are measured by the clock."""
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if not key.startswith("wall_")} for line in lines]
