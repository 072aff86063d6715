"""A reload of the bundles by all workers of a server, one after the other."""

__all__ = ["reload_all"]

import logging
from collections.abc import Iterable, Mapping
from typing import cast

from pentimento.service.catalog.served import Reload
from pentimento.service.catalog.trials import Verdict
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.workers.child import Child

_log = logging.getLogger(__name__)

_RELOAD_S = 300.0  # for one worker to read the folder


async def reload_all(children: Iterable[Child], tried: Mapping[str, Verdict]) -> tuple[Reload, Reload, str]:
    """Has one worker after the other read the folder, first who has a lane that others depend on.

    A worker that does not, once another did, is killed: whoever takes its place reads the folder anew, as
    workers must not serve different things.

    Args:
        children: The workers; those that do not serve are passed over.
        tried: What came of trials of the graphs.

    Returns:
        What the first did; what the last did, and what it serves, as a digest.

    Raises:
        PentimentoError: The first did not, or nobody serves; what was served before still is.
    """
    first: Reload | None = None
    last, served = None, ""
    for child in sorted((child for child in children if child.serves), key=lambda child: child.begin.front):
        try:
            answer = await child.channel.call("reload", _RELOAD_S, tried)
        except PentimentoError as error:
            if first is None and not child.channel.over:
                raise
            text = "worker %d did not reload its bundles and is replaced: %s"
            _log.error(text, child.number, error.message)
            child.kill()
            continue
        last, child.served = cast("tuple[Reload, str]", answer)
        first, served = first or last, child.served
    if first is None or last is None:
        raise PentimentoError(Code.UNAVAILABLE, "no worker serves at the moment", retry_after_s=1.0)
    return first, last, served
