"""Keys that would go over a network without TLS: each client says so once, in words."""

import warnings

import pytest
from pentimento_client import AsyncClient, Client, PentimentoError, UnencryptedWarning
from typer.testing import CliRunner

from pentimento.service.cli import main as cli
from tests.clients.conftest import ADMIN, KEY, Face

ELSEWHERE = "nobody.invalid"  # a name that nobody can have (RFC 6761)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_a_key_that_goes_elsewhere_in_plain_is_warned_of(kind, scheme):
    says = f"API key goes to {ELSEWHERE} unencrypted.* ask for {scheme}s:// instead of {scheme}://"
    with pytest.warns(UnencryptedWarning, match=says) as said:
        kind(f"{scheme}://{ELSEWHERE}:1234", api_key=KEY)
    assert [warning.filename for warning in said] == [__file__], "the line that makes the client is shown"
    assert KEY not in str(said[0].message)


def test_it_is_said_once_for_a_place_in_a_program():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        for _ in range(3):
            Client(f"http://{ELSEWHERE}", api_key=KEY)
    assert len(said) == 1


@pytest.mark.parametrize("style", ["sync", "async"])
def test_an_admin_token_that_goes_elsewhere_in_plain_is_warned_of(style):
    with (
        pytest.warns(UnencryptedWarning, match=f"admin token goes to {ELSEWHERE} unencrypted"),
        pytest.raises(PentimentoError),
    ):
        Face(f"http://{ELSEWHERE}", style, retries=0).call("reload_models", ADMIN)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://127.0.0.1:1", KEY),
        ("grpc://localhost:1", KEY),
        ("http://[::1]:1", KEY),
        (f"https://{ELSEWHERE}", KEY),
        (f"grpcs://{ELSEWHERE}", KEY),
        (f"http://{ELSEWHERE}", None),
    ],
)
def test_nothing_is_said_over_tls_nor_on_this_machine_nor_without_a_key(url, key):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        Client(url, api_key=key)
        AsyncClient(url, api_key=key)
    assert [each for each in said if issubclass(each.category, UnencryptedWarning)] == []


def test_the_command_line_says_it_in_a_sentence(monkeypatch):
    monkeypatch.setenv("PENTIMENTO_API_KEY", KEY)
    result = CliRunner().invoke(cli.app, ["models", "--server", f"http://{ELSEWHERE}"])
    assert result.exit_code == 1
    (warning,) = [line for line in result.stderr.splitlines() if "unencrypted" in line]
    assert warning.startswith(f"pentimento: the API key goes to {ELSEWHERE} unencrypted")
    assert "UnencryptedWarning" not in result.stderr


def test_the_command_line_says_it_of_the_admin_token(monkeypatch):
    monkeypatch.setenv("PENTIMENTO_ADMIN_TOKEN", ADMIN)
    result = CliRunner().invoke(cli.app, ["reload", "--server", f"http://{ELSEWHERE}"])
    assert result.exit_code == 1
    assert "pentimento: the admin token goes to" in result.stderr


def test_the_command_line_says_nothing_of_a_server_on_this_machine(live, monkeypatch):
    monkeypatch.setenv("PENTIMENTO_API_KEY", KEY)
    result = CliRunner().invoke(cli.app, ["models", "--server", live.http])
    assert (result.exit_code, result.stderr) == (0, "")
