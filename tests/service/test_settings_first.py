"""A wrong setting is said before a port is opened: also when no port could be had."""

import asyncio
import socket

import pytest

from pentimento.service import app
from pentimento.service.app import Server, StartError
from pentimento.service.settings import Settings

SHORT = "short"
WRONG = {
    "api_keys": ({"api_keys": SHORT}, "api_keys line 1 must be 16..512"),
    "api_keys twice": (
        {"api_keys": "k" * 16 + "\n" + "k" * 16},
        "api_keys line 2 has the key of line 1 again",
    ),
    "api_keys_file": ({"api_keys_file": "/no/such/file"}, "api_keys_file '/no/such/file' cannot be read"),
    "admin_token": ({"admin_token": SHORT}, "admin_token must be 16..512"),
    "admin_token_file": ({"admin_token_file": "/no/such/file"}, "admin_token_file '/no/such/file' cannot"),
    "one secret": ({"api_keys": "k" * 16, "admin_token": "k" * 16}, "the admin token is among the API keys"),
    "trusted_proxies": ({"trusted_proxies": "proxy.local"}, "trusted_proxies must be addresses"),
    "cors_origins": ({"cors_origins": "example.com"}, "cors_origins must be * or origins"),
    "tls alone": ({"tls_key_file": "/no/such/file"}, "tls_key_file is set, but TLS needs"),
    "tls": (
        {"tls_certificate_file": "/no/such/file", "tls_key_file": "/no/such/key"},
        "tls_certificate_file '/no/such/file' cannot be read",
    ),
    "provider": ({"provider": "cuda"}, "cuda"),
}


@pytest.fixture
def taken():
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def start(**settings: object) -> str:
    async def enter() -> None:
        async with Server(Settings(**settings)):
            pass

    with pytest.raises(StartError) as caught:
        asyncio.run(enter())
    return str(caught.value)


@pytest.mark.parametrize("what", WRONG)
def test_it_is_said_whether_or_not_the_ports_can_be_had(toys, taken, what):
    settings, words = WRONG[what]
    said = start(bundles=toys, http_port=taken, grpc_port=taken, **settings)
    assert words in said.replace("CUDA", "cuda") and "listen" not in said
    assert SHORT not in said.replace("short of", "")


@pytest.mark.parametrize("what", WRONG)
def test_no_port_is_opened_before(toys, monkeypatch, what):
    opened = []
    monkeypatch.setattr(app, "listen", lambda *where: opened.append(where))
    start(bundles=toys, http_port=0, grpc_port=0, **WRONG[what][0])
    assert opened == []


def test_a_port_in_use_is_known_before_bundles_are_loaded(tmp_path, taken):
    said = start(bundles=tmp_path / "nowhere", http_port=taken, grpc_port=0)
    assert said == f"HTTP cannot listen on 127.0.0.1:{taken}: Address already in use"
