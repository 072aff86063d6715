"""The fenced blocks of README.md and of the pages of docs/, and what the tests are to do with each.

Bash and Python blocks run as they stand. What a block's caption (`title="..."`) says may change that, and the
reader sees it:

    Not run [by the tests]: REASON    it is only looked at
    Refused ...                       each of its commands must fail, with these HTTP statuses if it names any
    ... The tests run ... with: A | B A is added to its first command, B to its second: a smaller form
    Prints                            a text block: what the block before it must print; … stands for anything
"""

__all__ = ["PAGES", "ROOT", "Snippet", "page_of", "snippets"]

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(
    r'^(?P<fence>`{3,})(?P<language>\w*)(?: +title="(?P<title>[^"]*)")?(?P<rest>[^\n]*)\n'
    r"(?P<code>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
_LANGUAGES = {"bash", "python", "json", "yaml", "text"}
_NOT_RUN = re.compile(r"Not run(?: by the tests)?: \S")
_SMALLER = re.compile(r"The tests run .*?with: (.+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Snippet:
    """A fenced block of a page."""

    page: Path
    line: int  # of its first line of code
    language: str
    title: str
    code: str
    prints: str | None = None  # what it must print

    def __str__(self) -> str:
        return f"{page_of(self.page)}:{self.line}"

    @property
    def runs(self) -> bool:
        """Whether the tests run it."""
        return self.language in ("bash", "python") and not _NOT_RUN.match(self.title)

    @property
    def is_refused(self) -> bool:
        """Whether its commands must fail."""
        return self.title.startswith("Refused")

    @property
    def script(self) -> str:
        """What is run: the code, or the smaller form that its caption says."""
        smaller = _SMALLER.search(self.title)
        if smaller is None:
            return self.code
        commands, additions = self.code.splitlines(), [part.strip() for part in smaller[1].split("|")]
        assert len(commands) == len(additions), (
            f"{self}: {len(additions)} additions, {len(commands)} commands"
        )
        return "\n".join(f"{command} {added}" for command, added in zip(commands, additions, strict=True))


def page_of(path: Path) -> str:
    """Name of a page: its path from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


def snippets(page: Path, text: str | None = None) -> list[Snippet]:
    """The blocks of a page in order; text blocks that say what the one before prints are part of that one."""
    text = page.read_text() if text is None else text
    found: list[Snippet] = []
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 2
        assert match["language"] in _LANGUAGES, (
            f"{page}:{line}: a block in {match['language'] or 'no language'}"
        )
        assert not match["rest"].strip(), (
            f"{page}:{line}: the fence says {match['rest']!r}, which nobody reads"
        )
        if match["language"] == "text" and match["title"] == "Prints":
            assert found and found[-1].runs, f"{page}:{line}: nothing before it prints anything"
            before = found.pop()
            found.append(
                Snippet(
                    page=page,
                    line=before.line,
                    language=before.language,
                    title=before.title,
                    code=before.code,
                    prints=match["code"],
                )
            )
            continue
        found.append(
            Snippet(
                page=page,
                line=line,
                language=match["language"],
                title=match["title"] or "",
                code=match["code"],
            )
        )
    return found
