"""Parts of programs that lie beside the pages, so that what a page shows is what is run."""

__all__ = ["program"]

import re
from pathlib import Path

DOCS = Path(__file__).parents[1]


def program(path: str, part: str) -> str:
    """The lines of a program from the comment `# [part]` to the next such comment, as a block of code."""
    pieces = re.split(r"^# \[(\w+)\]\n", (DOCS / path).read_text(), flags=re.MULTILINE)
    parts = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    return f'```python title="{path}: {part}"\n{parts[part].strip()}\n```'
