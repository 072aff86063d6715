"""The options of a connection: address, API key, certificates, retries, timeout."""

__all__ = ["ConnectOptions", "Connection", "connect"]

from dataclasses import dataclass, field
from os import PathLike
from typing import TypedDict, Unpack

import grpc

from pentimento_client.errors import PentimentoError
from pentimento_client.secrecy import warn_unencrypted
from pentimento_client.tls import Tls
from pentimento_client.transport import Address, bearer, parse_url


class ConnectOptions(TypedDict, total=False):
    """Options of Client and AsyncClient; all have defaults."""

    api_key: str | None
    """API key, for servers that want one; sent as `Authorization: Bearer`, over gRPC as metadata."""
    ca_file: str | PathLike[str] | None
    """Authorities in PEM that are trusted instead of the usual ones; for `https://` and `grpcs://`."""
    certificate_file: str | PathLike[str] | None
    """The client's certificate in PEM, for servers that want one, and those that link it to its authority."""
    key_file: str | PathLike[str] | None
    """Its private key in PEM, without a password; by default it is in `certificate_file`, too."""
    retries: int
    """How often a request is repeated that met an overloaded or unreachable server; by default 4."""
    silence_s: float
    """Seconds after which a server that says nothing is given up, where a request names no `timeout_s`. By
    default 660: servers bound requests themselves, by default at 600."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """The address of a server, and the options with which it is called."""

    address: Address
    authorization: str | None = field(default=None, repr=False)
    tls: Tls | None = None
    retries: int = 4
    silence_s: float = 660.0

    @property
    def credentials(self) -> grpc.ChannelCredentials | None:
        """TLS credentials for gRPC; None without TLS."""
        if self.tls is not None:
            return self.tls.credentials
        return grpc.ssl_channel_credentials() if self.address.secure else None

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Metadata that every gRPC call sends: `authorization`, if there is an API key."""
        return () if self.authorization is None else (("authorization", self.authorization),)


def connect(url: str, **options: Unpack[ConnectOptions]) -> Connection:
    """Checks a URL and options, and reads their files; no connection is made yet.

    Warns the caller of its caller if the API key would go to another machine without TLS.

    Raises:
        ValueError: One of them is wrong; the sentence says which.
        TypeError: An option is not known.
        OSError: A file cannot be read.
    """
    known = ConnectOptions.__annotations__
    for name in options:
        if name not in known:
            raise TypeError(f"{name} is not known here; known are: {', '.join(known)}")
    address = parse_url(url)
    files = [options.get("ca_file"), options.get("certificate_file"), options.get("key_file")]
    tls = None
    if any(file is not None for file in files):
        if not address.secure:
            raise ValueError(
                f"ca_file, certificate_file and key_file are for https:// and grpcs://, got {url!r}"
            )
        tls = Tls.read(*files)
    retries, silence_s = options.get("retries", 4), options.get("silence_s", 660.0)
    if retries < 0:
        raise ValueError(f"retries must be at least 0, got {retries}")
    if not silence_s > 0:
        raise ValueError(f"silence_s must be more than 0, got {silence_s}")
    authorization = _authorization(options.get("api_key"))
    if authorization is not None:
        warn_unencrypted(address, "the API key", stacklevel=4)
    return Connection(
        address=address,
        authorization=authorization,
        tls=tls,
        retries=retries,
        silence_s=silence_s,
    )


def _authorization(api_key: str | None) -> str | None:
    try:
        return None if api_key is None else bearer(api_key, "api_key")
    except PentimentoError as error:
        raise ValueError(error.message) from None
