"""Fills `<!-- site: name arguments -->` in the pages with what the repository says when the site is built.

A marker stands alone on its line. On the pages as they lie in the repository it is an invisible comment; in
the site it becomes tables of the bundles' manifests, or the reference of an interface. So no page can be out
of date.
"""

__all__ = ["on_page_markdown"]

import re
from collections.abc import Callable
from typing import Any

import figures  # the folder of a hook is on the path while it is loaded
import grpc_reference
import http_reference
import programs
import schemas
from mkdocs.exceptions import PluginError

MARKERS: dict[str, Callable[..., str]] = {
    "drawing-figures": figures.drawing_figures,
    "likelihood-figures": figures.likelihood_figures,
    "reconstruction-figures": figures.reconstruction_figures,
    "bundles": figures.bundles,
    "zoo": figures.zoo,
    "http-reference": http_reference.reference,
    "grpc-reference": grpc_reference.reference,
    "program": programs.program,
    "manifest-reference": schemas.manifest_reference,
}

_MARKER = re.compile(r"^<!-- site: ([a-z-]+) ?(.*?) ?-->$", re.MULTILINE)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The page with its markers filled in.

    Raises:
        PluginError: A marker is not known, or names what is not there.
    """

    def fill(marker: re.Match[str]) -> str:
        name, arguments = marker.groups()
        if name not in MARKERS:
            raise PluginError(f"{page.file.src_uri}: no marker {name!r}; there are {', '.join(MARKERS)}")
        try:
            return MARKERS[name](*arguments.split())
        except (OSError, KeyError, ValueError) as error:
            raise PluginError(f"{page.file.src_uri}: {marker.group()}: {error}") from error

    return _MARKER.sub(fill, markdown)
