"""Access control for both transports: who asks, how often it may, and how many streams it may open.

A client is its API key where keys are set, else its address; all of an IPv6 network of 64 bits, which one
machine has to itself, is one. Behind a proxy every client has the proxy's address, unless the proxy is
trusted to say whose request it passes on.
"""

__all__ = ["Caller", "Door", "Guard", "Visit"]

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal, NamedTuple, Self

from pentimento.service.door.access import ApiKeys
from pentimento.service.door.buckets import Buckets
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.fair_threads import ASKER
from pentimento.service.settings import Settings

Guard = Literal["key", "admin", "none"]
"""What a call requires: `key`, where keys are set; `admin`, a token that is checked later; or `none`."""

_RETRY_STREAM_S = 1.0  # when to try again for a stream: nobody knows how long the others last
_UNKNOWN = "unknown"


class Caller(NamedTuple):
    """Address and headers of a client; headers may be left out where `Door.reads_headers` is false."""

    address: str | None
    authorization: str | None = None
    api_key: str | None = None
    forwarded_for: str | None = None


class Visit:
    """One request that was let in; it counts the streams that it opens until it leaves."""

    __slots__ = ("_door", "_streams", "bucket", "client")

    def __init__(self, door: "Door", client: str, bucket: str) -> None:
        self.client = client  # its key's name or its address, for logs
        self.bucket = bucket  # what is counted together with it
        self._door = door
        self._streams = 0

    def open_stream(self) -> None:
        """Counts one more open stream of the client, until the visit is over.

        Raises:
            PentimentoError: OVERLOADED: the client has as many as it may have.
        """
        self._door.count_stream(self.bucket, self.client)
        self._streams += 1

    def leave(self) -> None:
        """Ends the visit and gives its streams back. Harmless twice."""
        for _ in range(self._streams):
            self._door.uncount_stream(self.bucket)
        self._streams = 0


class Door:
    """Authenticates clients and limits their requests and open streams. Belongs to one event loop.

    Args:
        keys: Of which a client must have one, if there are any.
        trusted_proxies: Addresses and networks whose `X-Forwarded-For` is believed.
        requests_per_s: How many requests a client may make a second; None: as many as it likes.
        burst_requests: How many of these at once.
        max_streams: How many streams a client may have open; None: as many as it likes.
        clock: Seconds that only grow.

    Raises:
        RuntimeError: One sentence: `trusted_proxies` has something else.
    """

    def __init__(
        self,
        *,
        keys: ApiKeys | None = None,
        trusted_proxies: Sequence[str] = (),
        requests_per_s: float | None = None,
        burst_requests: int = 1,
        max_streams: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys or ApiKeys()
        self._proxies = [_network(text) for text in trusted_proxies]
        self._rate = (
            f"{requests_per_s:g} requests a second, {burst_requests} at once" if requests_per_s else ""
        )
        self.buckets = (
            Buckets(per_s=requests_per_s, burst=burst_requests, clock=clock) if requests_per_s else None
        )
        self._max_streams = max_streams
        self._streams: dict[str, int] = {}  # by bucket, those that are open
        self.is_keyed = bool(self._keys)
        """Whether clients need a key."""
        self.reads_headers = self.is_keyed or bool(self._proxies)
        """Whether a caller's headers matter besides its address."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Makes the door that the settings describe.

        Raises:
            RuntimeError: One sentence: a setting is wrong, or a file cannot be read.
        """
        return cls(
            keys=ApiKeys.of(settings),
            trusted_proxies=[text.strip() for text in settings.trusted_proxies.split(",") if text.strip()],
            requests_per_s=settings.client_requests_per_s,
            burst_requests=settings.client_burst_requests,
            max_streams=settings.max_client_streams,
        )

    def enter(self, caller: Caller, guard: Guard = "key") -> Visit:
        """Lets a request in: checks its key, and takes one request out of the client's token bucket.

        From then on `ASKER` names the client in the task that called, and in those that it begins.

        Args:
            caller: Who asks.
            guard: What the call requires. For `none` nothing is checked or counted.

        Returns:
            The visit, which must be left when the request is over.

        Raises:
            PentimentoError: UNAUTHENTICATED, or OVERLOADED where the client asks too often.
        """
        address = self.address(caller)
        ASKER.set(address)
        if guard == "none":
            return Visit(self, address, address)
        if self.is_keyed and guard == "key":
            try:
                client = bucket = self._keys.owner(caller.authorization, caller.api_key)
            except PentimentoError:
                self._take(_bucket_of(address), address)  # guessing keys is asking, too
                raise
        else:
            client, bucket = address, _bucket_of(address)
        ASKER.set(bucket)
        self._take(bucket, client)
        return Visit(self, client, bucket)

    def address(self, caller: Caller) -> str:
        """The address that a request comes from; behind trusted proxies, the one that they tell."""
        address = caller.address or _UNKNOWN
        if not self._proxies or caller.forwarded_for is None:
            return address
        # Each proxy appends who asked it: what stands before the first that is not trusted may be made up.
        for hop in reversed(caller.forwarded_for.split(",")):
            if not self.trusts(address):
                break
            address = _without_port(hop.strip())
            if _parse(address) is None:
                return caller.address or _UNKNOWN
        return address

    def bucket(self, caller: Caller) -> str:
        """What is counted together where nobody needs a key: an address, of IPv6 a network."""
        return _bucket_of(self.address(caller))

    def trusts(self, address: str) -> bool:
        """Whether an address is that of a trusted proxy."""
        parsed = _parse(address) if self._proxies else None
        return parsed is not None and any(parsed in network for network in self._proxies)

    def count_stream(self, bucket: str, client: str) -> None:
        """Counts one more open stream of a client; see `Visit.open_stream`."""
        if self._max_streams is None:
            return
        streams = self._streams.get(bucket, 0)
        if streams >= self._max_streams:
            message = f"client {client} may have at most {self._max_streams} streams open, and has as many"
            raise PentimentoError(Code.OVERLOADED, message, retry_after_s=_RETRY_STREAM_S)
        self._streams[bucket] = streams + 1

    def uncount_stream(self, bucket: str) -> None:
        """Counts one open stream less."""
        streams = self._streams.pop(bucket, 0)
        if streams > 1:
            self._streams[bucket] = streams - 1

    def _take(self, bucket: str, client: str) -> None:
        wait_s = self.buckets.take(bucket) if self.buckets is not None else 0.0
        if wait_s:
            message = f"client {client} may make {self._rate}; try again in {wait_s:.3g} s"
            raise PentimentoError(Code.OVERLOADED, message, retry_after_s=wait_s)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        raise RuntimeError(
            f"trusted_proxies must be addresses or networks such as 10.0.0.0/8, got {text[:60]!r}"
        ) from None


@lru_cache(maxsize=4096)
def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """Parses an address, an IPv4 one that is written as IPv6 as IPv4; None if it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=4096)
def _bucket_of(address: str) -> str:
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed), 64), strict=False))
    return address if parsed is None else str(parsed)


def _without_port(hop: str) -> str:
    if hop.startswith("["):  # [::1]:80
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
