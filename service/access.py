"""Who may do what: bearer tokens, compared in constant time and never shown.

A token is kept as its hash alone, so that no log, error or representation of what is here can hold it.
"""

__all__ = ["AdminToken", "read_secret"]

import hashlib
import hmac
from pathlib import Path

from pydantic import SecretStr

from service.errors import Code, PentimentoError
from service.settings import Settings

_SHORTEST, _LONGEST = 16, 512  # characters
_MAX_FILE_BYTES = 4096
_SCHEME = "bearer "


class AdminToken:
    """What a caller must know to change what is served.

    Args:
        token: The token; None: nobody may do it over the network.
    """

    def __init__(self, token: str | None) -> None:
        self._digest = None if token is None else _digest(token)

    @classmethod
    def of(cls, settings: Settings) -> "AdminToken":
        """The token that is set.

        Raises:
            RuntimeError: One sentence: it cannot be read, or is none.
        """
        return cls(read_secret("admin_token", settings.admin_token, settings.admin_token_file))

    def check(self, authorization: str | None) -> None:
        """Lets a caller through or not.

        Args:
            authorization: The header, or the metadata, of that name: `Bearer TOKEN`.

        Raises:
            PentimentoError: PERMISSION_DENIED: no token is set. UNAUTHENTICATED: it is not this one.
        """
        if self._digest is None:
            message = "this server has no admin token and takes no such call; see the setting admin_token"
            raise PentimentoError(Code.PERMISSION_DENIED, message)
        if authorization is None:
            message = "the admin token is needed: authorization: Bearer TOKEN"
            raise PentimentoError(Code.UNAUTHENTICATED, message, field="authorization")
        given = authorization[len(_SCHEME) :].strip()
        is_bearer = authorization[: len(_SCHEME)].lower() == _SCHEME
        if not (hmac.compare_digest(_digest(given), self._digest) and is_bearer):
            message = "authorization is not that of this server's admin: Bearer TOKEN"
            raise PentimentoError(Code.UNAUTHENTICATED, message, field="authorization")


def read_secret(name: str, value: SecretStr | None, file: Path | None) -> str | None:
    """A secret that is given itself or in a file; space around it does not count. None: neither is set.

    Args:
        name: The setting's; that of the file is `<name>_file`.
        value: The secret.
        file: A file that holds it and nothing else.

    Raises:
        RuntimeError: One sentence: both are set, the file cannot be read, or it is not 16 to 512 visible
            ASCII characters.
    """
    if value is not None and file is not None:
        raise RuntimeError(f"{name} and {name}_file are both set; keep one of them")
    if file is not None:
        name = f"{name}_file"
        try:
            with file.open("rb") as stream:
                secret = stream.read(_MAX_FILE_BYTES).decode("ascii", "replace")
        except OSError as error:
            raise RuntimeError(f"{name} {str(file)!r} cannot be read: {error.strerror}") from None
    elif value is not None:
        secret = value.get_secret_value()
    else:
        return None
    secret = secret.strip()
    if not _SHORTEST <= len(secret) <= _LONGEST or not all("!" <= c <= "~" for c in secret):
        raise RuntimeError(
            f"{name} must be {_SHORTEST}..{_LONGEST} visible ASCII characters without a space between, "
            f"got {len(secret)} characters"
        )
    return secret


def _digest(token: str) -> bytes:
    """Hashes are of one length, so that comparing them does not tell the token's."""
    return hashlib.sha256(token.encode()).digest()
