"""Proxies of the environment: a server on this machine is reached past them, elsewhere they are named."""

import asyncio

import pytest
from pentimento_client import AsyncClient, Client, PentimentoError
from pentimento_client.proxies import is_loopback, through
from typer.testing import CliRunner

from pentimento.service.cli import main as cli
from tests.clients.conftest import url_of

NOBODY = "http://user:secret@127.0.0.1:9"
NAMES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")


@pytest.fixture
def proxied(monkeypatch):
    """Whoever asks a proxy reaches nobody."""
    for name in NAMES:
        monkeypatch.setenv(name, NOBODY)
        monkeypatch.setenv(name.upper(), NOBODY)
    for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_a_server_on_this_machine_is_reached_past_them(live, proxied, transport):
    for url in (url_of(live, transport), url_of(live, transport).replace("127.0.0.1", "localhost")):
        with Client(url, retries=0) as client:
            assert client.models()

        async def ask(url=url):
            async with AsyncClient(url, retries=0) as client:
                return await client.models()

        assert asyncio.run(ask())
        result = CliRunner().invoke(cli.app, ["models", "--server", url])
        assert result.exit_code == 0, result.stderr


def test_a_proxy_that_is_no_help_here_does_not_matter_either(live, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")  # httpx would want another package for it
    with Client(url_of(live, "http")) as client:
        assert client.models()
    with pytest.raises(ValueError, match=r"through the proxy socks5://127.0.0.1:9, which ALL_PROXY names"):
        Client("http://pentimento.example")


@pytest.mark.parametrize(("scheme", "name"), [("http", "HTTP_PROXY"), ("grpc", "grpc_proxy")])
def test_elsewhere_the_proxy_is_named_without_its_password(proxied, scheme, name):
    with Client(f"{scheme}://pentimento.example:8000", retries=0) as client:
        with pytest.raises(PentimentoError) as caught:
            client.models()
    assert f"through the proxy http://127.0.0.1:9, which {name} names: " in caught.value.message
    assert "secret" not in caught.value.message


def test_hosts_that_are_excepted_have_no_proxy(proxied, monkeypatch):
    monkeypatch.setenv("no_proxy", "pentimento.example")
    assert through("http://pentimento.example") == ""
    assert through("http://other.example") != ""


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("[::1]", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_what_this_machine_is(host, is_here):
    assert is_loopback(host) is is_here
