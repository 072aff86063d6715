"""What a command needs to reach a server."""

__all__ = ["Remote"]

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Remote:
    """A server: its URL, and the key and certificates to use there."""

    url: str
    api_key: str | None = field(default=None, repr=False)
    ca_file: Path | None = None  # authorities that are trusted instead of the usual ones
    certificate_file: Path | None = None  # the client's own certificate
    key_file: Path | None = None  # its private key; None: it is in `certificate_file`, too
