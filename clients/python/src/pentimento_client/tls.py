"""TLS with authorities and a certificate of one's own, read once and checked before anything is sent."""

__all__ = ["Tls"]

import ssl
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Self, TypeAlias

import grpc

File: TypeAlias = str | PathLike[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tls:
    """Authorities, certificate and key, as both transports need them."""

    context: ssl.SSLContext
    authorities: bytes | None
    certificate: bytes | None
    key: bytes | None

    @classmethod
    def read(cls, ca_file: File | None, certificate_file: File | None, key_file: File | None) -> Self:
        """Reads and checks PEM files.

        Args:
            ca_file: Authorities that are trusted instead of the usual ones.
            certificate_file: The client's certificate, and behind it those that link it to its authority.
            key_file: Its private key, without a password; None: it is in `certificate_file`, too.

        Raises:
            OSError: A file cannot be read.
            ValueError: One is not what it should be; the sentence says which.
        """
        if key_file is not None and certificate_file is None:
            raise ValueError("key_file needs certificate_file, the certificate that it belongs to")
        authorities, certificate, key = _bytes(ca_file), _bytes(certificate_file), _bytes(key_file)
        # gRPC would say of a wrong file only that it cannot connect.
        try:
            context = ssl.create_default_context(cafile=ca_file)
        except ssl.SSLError as error:
            raise ValueError(f"ca_file must have certificates in PEM, {ca_file} has none: {error}") from None
        if certificate_file is not None:
            try:
                # A password would be asked for on the terminal.
                context.load_cert_chain(certificate_file, key_file, password=_refuse_password)
            except (ssl.SSLError, ValueError) as error:
                files = f"{certificate_file} and {key_file}" if key_file else f"{certificate_file}"
                message = (
                    f"certificate_file and key_file must be a certificate and its key in PEM, {files} are not"
                )
                raise ValueError(f"{message}: {error}") from None
        return cls(context=context, authorities=authorities, certificate=certificate, key=key or certificate)

    @property
    def credentials(self) -> grpc.ChannelCredentials:
        """The same as credentials of gRPC."""
        return grpc.ssl_channel_credentials(
            root_certificates=self.authorities, private_key=self.key, certificate_chain=self.certificate
        )


def _bytes(file: File | None) -> bytes | None:
    return None if file is None else Path(file).read_bytes()


def _refuse_password() -> str:
    raise ValueError("the key has a password; write it without: openssl pkey -in KEY -out PLAIN")
