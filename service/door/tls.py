"""TLS for both transports: reads certificate and key, and tries them before anybody listens."""

__all__ = ["Tls"]

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pentimento.service.settings import Settings

_PASSWORD_WANTED = "tls_key_file has a password; it must be a key without one"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tls:
    """A certificate with its key, and the authorities that clients' certificates must be signed by."""

    context: ssl.SSLContext  # for HTTP/1.1
    certificate: bytes  # in PEM, as is the rest
    key: bytes = field(repr=False)
    client_ca: bytes | None  # None: clients need no certificate

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """Reads the files that the settings name; None without TLS.

        Raises:
            RuntimeError: One sentence: a file is missing, is not what it should be, or does not fit.
        """
        certificate, key, ca = (
            settings.tls_certificate_file,
            settings.tls_key_file,
            settings.tls_client_ca_file,
        )
        if certificate is None or key is None:
            for name, file in (
                ("tls_certificate_file", certificate),
                ("tls_key_file", key),
                ("tls_client_ca_file", ca),
            ):
                if file is not None:
                    raise RuntimeError(f"{name} is set, but TLS needs tls_certificate_file and tls_key_file")
            return None
        found = {
            "tls_certificate_file": _read("tls_certificate_file", certificate),
            "tls_key_file": _read("tls_key_file", key),
        }
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        _load(context, certificate, key)
        if ca is not None:
            found["tls_client_ca_file"] = _read("tls_client_ca_file", ca)
            try:
                context.load_verify_locations(cafile=ca)
            except ssl.SSLError:
                raise RuntimeError(f"tls_client_ca_file {str(ca)!r} has no certificate in PEM") from None
            context.verify_mode = ssl.CERT_REQUIRED
        return cls(
            context=context,
            certificate=found["tls_certificate_file"],
            key=found["tls_key_file"],
            client_ca=found.get("tls_client_ca_file"),
        )


def _read(name: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise RuntimeError(f"{name} {str(file)!r} cannot be read: {error.strerror}") from None


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Loads certificate and key into a context; raises RuntimeError with a sentence on which is wrong."""

    def no_password() -> str:
        raise RuntimeError(_PASSWORD_WANTED)  # or else OpenSSL would ask whoever sits at the terminal

    try:
        context.load_cert_chain(certificate, key, no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise RuntimeError(
                f"tls_key_file {str(key)!r} is not the key of the certificate in {str(certificate)!r}"
            ) from None
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=certificate)
        except ssl.SSLError:
            wrong = f"tls_certificate_file {str(certificate)!r} has no certificate in PEM"
        else:
            wrong = f"tls_key_file {str(key)!r} has no private key in PEM"
        raise RuntimeError(wrong) from None
