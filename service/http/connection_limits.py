"""What one HTTP connection may make the server hold, and how many of them there may be."""

__all__ = ["ConnectionLimits"]

from dataclasses import dataclass

from pentimento.service.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionLimits:
    """Limits of one HTTP connection, and of the number of connections."""

    max_header_bytes: int  # of a request's line and headers; and of anything else that is no body
    max_headers: int
    max_connections: int
    max_stall_s: float  # in which a client must take or give `min_bytes`
    min_bytes: float

    @classmethod
    def of(cls, settings: Settings) -> "ConnectionLimits":
        """Takes the limits from the settings."""
        return cls(
            max_header_bytes=settings.max_header_bytes,
            max_headers=settings.max_headers,
            max_connections=settings.max_connections,
            max_stall_s=settings.max_stall_s,
            min_bytes=settings.max_stall_s * settings.min_client_bytes_per_s,
        )
