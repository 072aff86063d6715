"""Which web pages may ask a server that lets everybody in: its own, and those of the origins that are set.

A browser on this machine reaches what listens on loopback, and whichever page it shows can have it send
requests there. With keys that is harmless, as no other page has one. Without, two things are looked at that a
page cannot make up: what the browser says of where a request comes from, and the name in `Host`, which is the
page's own where that name was pointed at this machine after the page had been loaded (DNS rebinding).
"""

__all__ = ["Origins", "describe_origins"]

import socket
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, Self

from starlette.types import Scope

from pentimento.service.door.door import Door
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.http.cors import Cors
from pentimento.service.http.picture_path import DRAWINGS
from pentimento.service.settings import Settings

_HERE = (b"same-origin", b"none")  # `none`: typed into the address bar, a bookmark
_READ = (b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest", b"sec-fetch-user")
_LONGEST = 260  # characters of a Host: a name has 253 at most, and a port 6


class Origins:
    """Says which requests come from a page that may not ask.

    Args:
        is_local: Whether the server listens on loopback alone.
        names: By which it is asked, besides localhost and addresses. Elsewhere than on loopback none at all
            stands for any, as a container does not know what it is called outside.
        cors: The origins whose pages may ask.
        trusts: Whether an address is that of a proxy, which then answers for whom it lets in.
    """

    def __init__(
        self, *, is_local: bool, names: Iterable[str], cors: Cors | None, trusts: Callable[[str], bool]
    ) -> None:
        self._is_local, self._cors, self._trusts = is_local, cors, trusts
        self._names = frozenset(name.lower() for name in names)
        self._checks_host = is_local or bool(self._names)
        self._knows = lru_cache(maxsize=256)(self._is_name_of_ours)

    @classmethod
    def of(cls, settings: Settings, door: Door, cors: Cors | None) -> Self | None:
        """Makes what the settings describe; None where clients need a key.

        Raises:
            RuntimeError: One sentence: a name has more in it than a name.
        """
        names = [name.strip() for name in settings.allowed_hosts.split(",") if name.strip()]
        for name in names:
            if not all(c.isalnum() or c in "-._" for c in name):
                raise RuntimeError(
                    f"allowed_hosts must be names such as studio.example.com, and no ports, got {name[:60]!r}"
                )
        if door.is_keyed:
            return None
        return cls(is_local=_is_loopback(settings.host), names=names, cors=cors, trusts=door.trusts)

    def check(self, scope: Scope) -> None:
        """Refuses a request that a page of another origin has its browser send.

        Raises:
            PentimentoError: PERMISSION_DENIED.
        """
        found = dict.fromkeys(_READ)
        for name, value in scope["headers"]:
            if name in found:
                found[name] = value
        host, origin, site = found[b"host"], found[b"origin"], found[b"sec-fetch-site"]
        of_proxy = bool(scope.get("client")) and self._trusts(scope["client"][0])
        if self._checks_host and host is not None and not of_proxy:
            if len(host) > _LONGEST or not self._knows(host):
                raise _refused("Host", "localhost, an address, or a name of the setting allowed_hosts", host)
        if site is not None:
            is_foreign = site not in _HERE and not _follows_link(scope, found)
        else:  # an old browser; a proxy may have changed Host
            is_foreign = self._is_local and not of_proxy and origin is not None and not _same(origin, host)
        if is_foreign and not self._allows(origin):
            raise _refused(
                "Origin", "this server's, or one of the setting cors_origins", origin or b"another"
            )

    def _allows(self, origin: bytes | None) -> bool:
        name = None if origin is None else origin.decode("latin-1")
        return self._cors is not None and self._cors.allows(name)

    def _is_name_of_ours(self, host: bytes) -> bool:
        name = _without_port(host.decode("latin-1")).lower().rstrip(".")
        return name in self._names or name == "localhost" or name.endswith(".localhost") or _is_address(name)


def describe_origins(schema: dict[str, Any]) -> None:
    """Says in an OpenAPI document, in place, that pages of other origins are refused."""
    for calls in schema["paths"].values():
        for call in calls.values():
            call["responses"].setdefault(
                "403",
                {
                    "description": "Forbidden. A page of another origin asks, or `Host` is another's name.",
                    "content": {
                        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                    },
                },
            )


def _refused(header: str, allowed: str, got: bytes) -> PentimentoError:
    text = got.decode("latin-1")[:60]
    message = f"{header} must be {allowed}, where clients need no key, got {text!r}"
    return PentimentoError(Code.PERMISSION_DENIED, message, field=header)


def _follows_link(scope: Scope, found: Mapping[bytes, bytes | None]) -> bool:
    """Whether the user leaves another page for this server, which then shows its own.

    A frame is none: it may be one of many that nobody sees. Nor is, where an answer is computed for it, what
    happens without a click: a page can go to a file that is saved, and is still there to go to the next.
    """
    if found[b"sec-fetch-mode"] != b"navigate" or scope["method"] not in ("GET", "HEAD"):
        return False
    is_page = found[b"sec-fetch-dest"] in (None, b"document")
    return is_page and (found[b"sec-fetch-user"] == b"?1" or not scope["path"].startswith(DRAWINGS))


def _same(origin: bytes, host: bytes | None) -> bool:
    """Whether an origin, such as http://localhost:8000, is on a host, such as localhost:8000."""
    return host is not None and origin.partition(b"://")[2].lower() == host.lower()


def _without_port(host: str) -> str:
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    """Whether a host to listen on, an address or a name of this machine, is reached from there alone."""
    try:
        address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0]
    except OSError:  # nobody can listen there, which is said by who tries
        return True
    return ip_address(str(address).partition("%")[0]).is_loopback
