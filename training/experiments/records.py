"""Parts of an experiment, each computed once: a file a part, so that a call that was interrupted goes on."""

__all__ = ["keep_table", "markdown_table", "recorded"]

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Found = dict[str, Any]


def recorded(path: Path, settings: Mapping[str, Any], compute: Callable[[], Found]) -> Found:
    """What a part found: read from its file, or computed and written there, whole or not at all.

    Args:
        path: The part's file.
        settings: All that decides the outcome, as JSON values.
        compute: Finds it, as JSON values.

    Raises:
        ValueError: The file is damaged, or of other settings; the message names the first that differs.
    """
    wanted = json.loads(json.dumps(settings))
    if path.is_file():
        try:
            saved = json.loads(path.read_text(encoding="utf-8"))
            there, found = saved["settings"], saved["found"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is damaged, or of no experiment: remove it") from error
        for name in (*wanted, *there):
            if there.get(name) != wanted.get(name):
                raise ValueError(
                    f"{path} was made with another {name}, {there.get(name)!r} and not {wanted.get(name)!r}; "
                    f"name another --out"
                )
        return dict(found)
    found = compute()
    _write(path, {"settings": wanted, "found": found})
    return found


def keep_table(folder: Path, name: str, table: str, results: Mapping[str, Any]) -> None:
    """Writes a table as `NAME.md`, and all that it is made of as `NAME.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(table, encoding="utf-8")
    _write(folder / f"{name}.json", results)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> str:
    """A Markdown table; the first `words` columns stand to the left, figures to the right."""
    marks = ["---" if column < words else "---:" for column in range(len(head))]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, marks, *rows))


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)
