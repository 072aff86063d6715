"""Lets links of the pages that lead out of docs/ lead somewhere: the files they name become pages, too.

A Markdown file of the repository (ARCHITECTURE.md, a README) is shown as it is, any other file as its text.
So the same relative links work on the pages as they lie in the repository and in the site. A link to a file
that is not there fails the build.
"""

__all__ = ["on_files", "on_page_markdown"]

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).parents[2]
FOLDER = "repository/"  # where such pages are in the site
LANGUAGES = {"Makefile": "make", "Dockerfile": "docker"}  # that the end of the name does not tell

_NOT_SEARCHED = "---\nsearch:\n  exclude: true\n---\n\n"  # programs would hide the pages about them
_FENCED = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?\[[^\]]*\]\()([^)#\s:]+)((?:#[^)\s]*)?\))")


def on_files(files: Files, config: Any) -> Files:
    """Adds the files of the repository that the pages and the navigation name, and those that these name."""
    wanted = {uri.removeprefix(FOLDER) for uri in _in_nav(config.nav) if uri.startswith(FOLDER)}
    for file in list(files.documentation_pages(inclusion=InclusionLevel.is_included)):
        _relink((ROOT / "docs" / file.src_uri).read_text(), file.src_uri, wanted)
    added: set[str] = set()
    while wanted - added:
        path = min(wanted - added)
        added.add(path)
        text = _text(path)
        if path.endswith(".md"):
            _relink(text, _page(path), wanted)
        files.append(File.generated(config, _page(path), content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The page with its links leading within the site."""
    uri = page.file.src_uri
    if uri.startswith(FOLDER) and not _origin(uri).endswith(".md"):
        return markdown  # the text of a program
    return _relink(markdown, uri, set())


def _relink(markdown: str, uri: str, wanted: set[str]) -> str:
    """The text with links that lead within the site; files that must be pages for it go to `wanted`."""
    here = posixpath.dirname(_origin(uri))

    def lead(link: re.Match[str]) -> str:
        before, target, after = link.groups()
        path = posixpath.normpath(posixpath.join(here, target))
        if path.startswith("docs/") and not uri.startswith(FOLDER):
            return link[0]  # MkDocs checks these itself
        if not (ROOT / path).is_file():
            raise PluginError(f"{_origin(uri)} links to {target}, and there is no such file")
        if not path.startswith("docs/"):
            wanted.add(path)
        return before + posixpath.relpath(_page(path), posixpath.dirname(uri) or ".") + after

    parts = _FENCED.split(markdown)  # every second one is code
    return "".join(part if index % 2 else _LINK.sub(lead, part) for index, part in enumerate(parts))


def _origin(uri: str) -> str:
    """Where a page of the site lies in the repository."""
    if not uri.startswith(FOLDER):
        return "docs/" + uri
    path = uri.removeprefix(FOLDER)
    return path if (ROOT / path).is_file() else path.removesuffix(".md")


def _page(path: str) -> str:
    """The page of the site that shows a file of the repository."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return FOLDER + path if path.endswith(".md") else f"{FOLDER}{path}.md"


def _text(path: str) -> str:
    text = (ROOT / path).read_text()
    if path.endswith(".md"):
        return text
    language = LANGUAGES.get(Path(path).name, Path(path).suffix.lstrip("."))
    return f"{_NOT_SEARCHED}# {path}\n\n`````{language}\n{text}\n`````\n"


def _in_nav(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav or []
    return [uri for part in parts for uri in _in_nav(part)]
