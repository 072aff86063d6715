"""Parts of programs that lie beside the pages, so that what a page shows is what is run."""

__all__ = ["program"]

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def program(path: str, part: str | None = None) -> str:
    """A program as a block of code: all of it, or the lines from `# [part]` to the next such comment.

    Args:
        path: From the root of the repository.
        part: Name of the part; None for the whole file.
    """
    text, title = (ROOT / path).read_text(), path
    if part is not None:
        pieces = re.split(r"^# \[(\w+)\]\n", text, flags=re.MULTILINE)
        text, title = dict(zip(pieces[1::2], pieces[2::2], strict=True))[part], f"{path}: {part}"
    return f'```python title="{title}"\n{text.strip()}\n```'
