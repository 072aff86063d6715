"""Reloads the bundle folder, one reload at a time whoever asks for it, and logs what each changed."""

__all__ = ["Reloading"]

import asyncio
import logging

from pentimento.bundle.store import BundleError
from pentimento.service.catalog.catalog import Catalog
from pentimento.service.catalog.served import Reload, Revision
from pentimento.service.engine.memory import give_back_memory
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.turns import Turns

_log = logging.getLogger(__name__)


class Reloading(Turns[Reload]):
    """Reads the bundle folder again when called, and serves what it holds.

    It raises PentimentoError: UNAVAILABLE, the folder cannot be read; INTERNAL, a defect. In both cases
    everything is served as before.

    Args:
        catalog: What is to be brought up to date.
    """

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(self._reload)
        self._catalog = catalog

    async def _reload(self) -> Reload:
        try:
            reload = self._catalog.swap(await asyncio.to_thread(self._catalog.read))
        except BundleError as error:
            message = f"{error}; what was served before still is"
            raise PentimentoError(Code.UNAVAILABLE, message) from None
        except Exception:
            _log.exception("bundles were not reloaded; what was served before still is")
            message = "bundles were not reloaded: internal error; the server's log has the reason"
            raise PentimentoError(Code.INTERNAL, message) from None
        # Of what was replaced; what drawings still hold is given back the next time.
        await asyncio.to_thread(give_back_memory)
        _log.log(logging.WARNING if reload.refused else logging.INFO, "%s", _in_words(reload))
        return reload


def _in_words(reload: Reload) -> str:
    """What a reload changed, in one line for the log, even where a reason has several lines."""
    parts = [f"kept {len(reload.kept)}"]
    for verb, revisions in (("added", reload.added), ("replaced", reload.replaced)):
        if revisions:
            parts.append(f"{verb} {', '.join(map(_revision, revisions))}")
    if reload.removed:
        parts.append(f"removed {', '.join(reload.removed)}")
    parts += [f"refused {refusal.name}: {refusal.reason}" for refusal in reload.refused]
    return " ".join(f"bundles reloaded: {'; '.join(parts)}; default {reload.default or 'none'}".split())


def _revision(revision: Revision) -> str:
    if revision.previous_version is None:
        return f"{revision.name} {revision.version}"
    return f"{revision.name} {revision.previous_version} by {revision.version}"
