"""Proxies of the environment: passed by on the way to this machine, and named where they are in between."""

__all__ = ["is_loopback", "through"]

import ipaddress
import os
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: no proxy can reach what listens here.

    Args:
        host: A name, or an address with or without brackets.
    """
    plain = host.strip("[]").rstrip(".").lower()
    if plain == "localhost" or plain.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(plain).is_loopback
    except ValueError:
        return False


def through(url: str) -> str:
    """What a message says of the proxy on the way to a URL: its address, or nothing where there is none.

    Args:
        url: Of a server, over HTTP or gRPC.

    Returns:
        Such as ` through the proxy http://proxy:3128, which HTTP_PROXY names`.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return ""
    if parts.scheme.startswith("grpc"):  # gRPC knows them in lower case only
        named = {name: os.environ.get(name) for name in ("grpc_proxy", "https_proxy", "http_proxy")}
    else:
        found = getproxies()
        named = {f"{scheme.upper()}_PROXY": found.get(scheme) for scheme in (parts.scheme, "all")}
    for name, proxy in named.items():
        if proxy:
            at = urlsplit(proxy if "//" in proxy else f"http://{proxy}")
            where = f"{at.scheme}://{at.hostname}" + (f":{at.port}" if at.port else "")  # without a password
            return f" through the proxy {where}, which {name} names"
    return ""
