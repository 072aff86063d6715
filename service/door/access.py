"""Who may do what: API keys and the admin token, compared in constant time and never shown.

A secret is kept as its hash alone, so that no log, error or representation of what is here can hold it.
"""

__all__ = ["AdminToken", "ApiKeys", "read_secret"]

import codecs
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from pentimento.service.errors import Code, PentimentoError
from pentimento.service.settings import Settings

_SHORTEST, _LONGEST = 16, 512  # characters
_MAX_FILE_BYTES = 4096
_MAX_KEYS = 1000
_MAX_KEYS_FILE_BYTES = _MAX_KEYS * (_LONGEST + 20)
_SCHEME = "bearer "
# Shorter than any key, so that no key is taken for a name; and no address.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,14}")


class ApiKeys:
    """The keys that let a client in, and the names that logs and limits know their owners by.

    Args:
        keys: Pairs of a name and a key. None at all: everybody is let in.
    """

    def __init__(self, keys: Sequence[tuple[str, str]] = ()) -> None:
        self._owners = [(_digest(key), name) for name, key in keys]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Reads the keys that the settings give, themselves and in a file.

        Raises:
            RuntimeError: One sentence: they cannot be read, one is malformed, or one is also the admin token.
        """
        keys: list[tuple[str, str]] = []
        if settings.api_keys is not None:
            keys += _read_keys("api_keys", settings.api_keys.get_secret_value())
        if settings.api_keys_file is not None:
            text = _read_file("api_keys_file", settings.api_keys_file, _MAX_KEYS_FILE_BYTES + 1)
            if len(text) > _MAX_KEYS_FILE_BYTES:
                raise RuntimeError(f"api_keys_file may have at most {_MAX_KEYS_FILE_BYTES} bytes")
            keys += _read_keys("api_keys_file", text)
        if len(keys) > _MAX_KEYS:
            raise RuntimeError(f"api_keys may be at most {_MAX_KEYS}, got {len(keys)}")
        admin = read_secret("admin_token", settings.admin_token, settings.admin_token_file)
        if admin in [key for _, key in keys]:
            raise RuntimeError("the admin token is among the API keys; it must be another secret")
        return cls([(name or f"key-{number}", key) for number, (name, key) in enumerate(keys, 1)])

    def __bool__(self) -> bool:
        return bool(self._owners)

    def owner(self, authorization: str | None, api_key: str | None) -> str:
        """The name of the owner of a client's key; takes equally long whichever key it is, if any.

        Args:
            authorization: The header, or the metadata, of that name: `Bearer KEY`.
            api_key: That of the name `x-api-key`, which counts where both are given.

        Raises:
            PentimentoError: UNAUTHENTICATED: there is no key, or it is not known here.
        """
        key = api_key
        if key is None and authorization is not None and authorization[: len(_SCHEME)].lower() == _SCHEME:
            key = authorization[len(_SCHEME) :].strip()
        if key is None:
            message = "an API key is needed: authorization: Bearer KEY, or x-api-key: KEY"
            raise PentimentoError(Code.UNAUTHENTICATED, message, field="authorization")
        given, found = _digest(key), ""
        for known, name in self._owners:
            if hmac.compare_digest(given, known):
                found = name
        if not found:
            field = "authorization" if api_key is None else "x-api-key"
            raise PentimentoError(
                Code.UNAUTHENTICATED, f"{field} has no API key that is known here", field=field
            )
        return found


class AdminToken:
    """The secret that a caller must send to change what is served.

    Args:
        token: The token; None: nobody may do it over the network.
    """

    def __init__(self, token: str | None) -> None:
        self._digest = None if token is None else _digest(token)

    @classmethod
    def of(cls, settings: Settings) -> "AdminToken":
        """Reads the token that the settings give, itself or in a file.

        Raises:
            RuntimeError: One sentence: it cannot be read, or is malformed.
        """
        return cls(read_secret("admin_token", settings.admin_token, settings.admin_token_file))

    def check(self, authorization: str | None) -> None:
        """Raises unless a caller sent the token.

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
    """Reads a secret from a setting or from a file, without the space around it; None if neither is set.

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
        secret = _read_file(name, file, _MAX_FILE_BYTES)
    elif value is not None:
        secret = value.get_secret_value()
    else:
        return None
    secret = secret.strip()
    _check(name, secret)
    return secret


def _read_keys(name: str, text: str) -> list[tuple[str, str]]:
    """Pairs of a name, empty where there is none, and a key: one a line; lines after # are comments.

    Raises:
        RuntimeError: One sentence that names the line.
    """
    keys: list[tuple[str, str]] = []
    seen: dict[str, int] = {}
    for number, words in _lines(text):
        line = f"{name} line {number}"
        if any("," in word for word in words):  # two keys with one between would be one that nobody has
            raise RuntimeError(f"{line} has a comma: write one key a line; no key has a comma in it")
        if len(words) > 2 or (len(words) == 2 and not _NAME.fullmatch(words[0])):
            raise RuntimeError(
                f"{line} must be a key, or a name and a key, got {len(words)} words; a name is a letter and "
                "up to 14 letters, digits and ._-"
            )
        key = words[-1]
        _check(line, key)
        if key in seen:
            raise RuntimeError(f"{line} has the key of line {seen[key]} again")
        seen[key] = number
        keys.append((words[0] if len(words) == 2 else "", key))
    if not keys:  # which must not be taken for a server that is open to everybody
        raise RuntimeError(f"{name} holds no key; leave it unset for a server without keys")
    return keys


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if words and not words[0].startswith("#"):
            yield number, words


def _read_file(name: str, file: Path, max_bytes: int) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(max_bytes).removeprefix(codecs.BOM_UTF8)  # which some editors begin it with
            return data.decode("ascii", "replace")
    except OSError as error:
        raise RuntimeError(f"{name} {str(file)!r} cannot be read: {error.strerror}") from None


def _check(name: str, secret: str) -> None:
    """Refuses a secret of a wrong length or with wrong characters, without showing it."""
    if not _SHORTEST <= len(secret) <= _LONGEST or not all("!" <= c <= "~" for c in secret):
        raise RuntimeError(
            f"{name} must be {_SHORTEST}..{_LONGEST} visible ASCII characters without a space between, "
            f"got {len(secret)} characters"
        )


def _digest(token: str) -> bytes:
    """SHA-256: digests are of one length, so that comparing them does not tell the token's."""
    return hashlib.sha256(token.encode()).digest()
