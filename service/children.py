"""How this server starts Python programs of its own: workers, and trials of graphs."""

__all__ = ["ISOLATED", "environment"]

import os

ISOLATED = "-P"
"""Option of Python: the folder that the server was started in is nobody's to import from."""


def environment() -> dict[str, str]:
    """The environment of a child: without settings, among which are keys, and which it is told otherwise."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PENTIMENTO_")}
