"""Calls that stay as long as their client likes: so many for each connection, each client and all."""

__all__ = ["Seats"]

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from pentimento.service.errors import Code, PentimentoError

_RETRY_S = 10.0  # nobody knows how long the others stay


class Seats:
    """Counts calls of one kind in this process.

    Args:
        what: They are called in messages, in the plural.
        of_connection: As many may a connection have at a time,
        of_client: a client,
        of_all: and all clients together.
    """

    def __init__(self, what: str, *, of_connection: int, of_client: int, of_all: int) -> None:
        self._what = what
        self._most = {"connection": of_connection, "client": of_client, "server process": of_all}
        self._taken: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def one(self, connection: str, client: str) -> Iterator[None]:
        """Counts one call within.

        Args:
            connection: Its peer, as gRPC writes it.
            client: Whose it is.

        Raises:
            PentimentoError: OVERLOADED: there are as many as there may be.
        """
        whose = (("connection", connection), ("client", client), ("server process", ""))
        for owner in whose:
            most = self._most[owner[0]]
            if self._taken[owner] >= most:
                message = f"a {owner[0]} may have at most {most} {self._what} at a time, and has as many"
                raise PentimentoError(Code.OVERLOADED, message, retry_after_s=_RETRY_S)
        self._taken.update(whose)
        try:
            yield
        finally:
            self._taken.subtract(whose)
            self._taken = +self._taken  # without those that are 0
