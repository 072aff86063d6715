"""What every route needs: operations, metrics and settings; and a way to say what a request counts as."""

__all__ = ["Context", "Server", "counted"]

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.params import Depends as Dependency

from pentimento.service.http.etags import Tags
from pentimento.service.http.exchange import Exchange, exchange_of
from pentimento.service.http.once import check_query
from pentimento.service.operations.operations import Operations
from pentimento.service.settings import Settings
from pentimento.service.telemetry.metrics import Metrics, Operation


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What is set once, on the application's state.

    `tags` names what is drawn here; `expose` gives the metrics of all processes; `workers` says how many
    there are, and should be.
    """

    operations: Operations
    metrics: Metrics
    settings: Settings
    tags: Tags
    expose: Callable[[], Awaitable[bytes]] | None = None
    workers: Callable[[], tuple[int, int]] = lambda: (1, 1)


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Server = Annotated[Context, Depends(_context)]


def counted(operation: Operation) -> Dependency:
    """A dependency that gives the request's exchange and says what the request counts as.

    It also refuses a query that FastAPI would read without a word: of a parameter given twice, the last.
    """

    async def count(request: Request) -> Exchange:
        exchange = exchange_of(request.scope)
        exchange.operation = operation
        check_query(request.scope["query_string"])
        return exchange

    return Dependency(count)
