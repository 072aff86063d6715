"""The command line against a server that wants TLS, a client's certificate and a key."""

import pytest
from typer.testing import CliRunner

from pentimento.service.cli import main as cli
from tests.clients.conftest import ADMIN, KEY, Files
from tests.service.live import LiveServer


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture(params=["https", "grpcs"])
def options(request, guarded: LiveServer, files: Files, tmp_path) -> dict[str, str]:
    port = guarded.server.http_port if request.param == "https" else guarded.server.grpc_port
    (tmp_path / "key").write_text(f"{KEY}\n")
    return {
        "--server": f"{request.param}://127.0.0.1:{port}",
        "--api-key-file": str(tmp_path / "key"),
        "--ca-file": str(files.ca),
        "--client-certificate-file": str(files.client),
        "--client-key-file": str(files.client_key),
    }


def run(*arguments: object, **environment: str):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments], env=environment)


def flat(options: dict[str, str]) -> list[str]:
    return [word for pair in options.items() for word in pair]


def test_by_options(options, tmp_path):
    strip = tmp_path / "strip.png"
    result = run("draw", "toy-steps", "--seed", 1, "-o", strip, *flat(options))
    assert (result.exit_code, strip.exists()) == (0, True), result.stderr
    result = run("score", strip, "--model", "toy-steps", "--fit", "resize", *flat(options))
    assert (result.exit_code, "toy-steps" in result.stdout) == (0, True), result.stderr


def test_by_the_environment(options):
    names = {option: "PENTIMENTO_" + option[2:].replace("-", "_").upper() for option in options}
    result = run("models", **{names[option]: value for option, value in options.items()})
    assert (result.exit_code, "toy-steps" in result.stdout) == (0, True), result.stderr
    del options["--api-key-file"]
    result = run("models", *flat(options), PENTIMENTO_API_KEY=KEY)
    assert (result.exit_code, "toy-steps" in result.stdout) == (0, True), result.stderr


def test_a_reload_says_the_admin_token(options):
    result = run("reload", *flat(options), PENTIMENTO_ADMIN_TOKEN=ADMIN)
    assert (result.exit_code, "kept 1" in result.stdout) == (0, True), result.stderr


def test_a_server_that_is_not_asked_needs_no_key(monkeypatch, tmp_path):
    result = run("models", "--bundles", tmp_path, PENTIMENTO_API_KEY="not visible\n")
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize(
    ("left_out", "code", "says"),
    [
        ("--api-key-file", 2, "an API key is needed"),
        ("--ca-file", 1, "cannot reach"),
    ],
)
def test_what_is_missing_is_told(options, left_out, code, says):
    del options[left_out]
    result = run("models", *flat(options))
    assert (result.exit_code, says in result.stderr) == (code, True), result.stderr


def test_a_key_file_with_more_than_a_key(options, tmp_path):
    (tmp_path / "key").write_text(f"alice {KEY}\n")
    result = run("models", *flat(options))
    assert (result.exit_code, "must have one key and nothing else" in result.stderr) == (2, True)
    assert KEY not in result.stderr


def test_files_for_a_server_without_tls(options):
    result = run("models", *flat(options | {"--server": "http://127.0.0.1:1"}))
    assert (result.exit_code, "are for https:// and grpcs://" in result.stderr) == (2, True), result.stderr
