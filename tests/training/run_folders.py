"""What tests read from the folder of a training."""

__all__ = ["timeless"]

import json


def timeless(folder):
    """The log without the fields measured by the clock."""
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if not key.startswith("wall_")} for line in lines]
