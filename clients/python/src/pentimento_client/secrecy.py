"""Keys on their way: a warning where anybody between this machine and the server can read them."""

__all__ = ["UnencryptedWarning", "warn_unencrypted"]

import warnings
from urllib.parse import urlsplit

from pentimento_client.transport import Address


class UnencryptedWarning(UserWarning):
    """A key or token goes over a network without TLS; Python shows it once for each place that does that."""


def warn_unencrypted(address: Address, secret: str, *, stacklevel: int) -> None:
    """Warns if a secret goes to another machine without TLS.

    Args:
        address: Where it goes.
        secret: What it is called.
        stacklevel: As of `warnings.warn`: which caller it is shown for, the caller of this being 2.
    """
    if address.secure or address.here:
        return
    scheme, host = urlsplit(address.url).scheme, urlsplit(address.url).hostname
    message = (
        f"{secret} goes to {host} unencrypted, and whoever is on the way can read and use it: "
        f"ask for {scheme}s:// instead of {scheme}://"
    )
    warnings.warn(message, UnencryptedWarning, stacklevel=stacklevel)
