"""Who may reload: the same answers over HTTP, gRPC and the command line; the token is never shown."""

import logging
import subprocess
import sys

import grpc
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from pentimento.service.app import Server, StartError
from pentimento.service.cli import main as cli
from pentimento.service.door.access import AdminToken, read_secret
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from pentimento.service.settings import Settings
from tests.service.live import LiveServer
from tests.service.revisions import TOKEN, admin, write_revision

WRONG = [
    None,
    "",
    "Bearer",
    f"Bearer {TOKEN}x",
    f"Bearer {TOKEN[:-1]}",
    f"Bearer {TOKEN.upper()}",
    f"Basic {TOKEN}",
    TOKEN,
    f"Bearer {TOKEN} {TOKEN}",
    "Bearer \xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    write_revision(folder / "a", 1)
    return folder


@pytest.fixture(scope="module")
def server(folder):
    server = LiveServer(folder, admin_token=TOKEN, calibrate=False)
    yield server
    server.close()


def post(server, headers):
    with server.client() as client:
        return client.post("/models:reload", headers=headers)


def call(server, metadata):
    with grpc.insecure_channel(server.grpc) as channel:
        try:
            stub = pb_grpc.CanvasServiceStub(channel)
            return stub.ReloadModels(pb.ReloadModelsRequest(), metadata=metadata, timeout=30)
        except grpc.RpcError as error:
            return error


@pytest.mark.parametrize("given", WRONG)
def test_without_the_token_nothing_is_read(server, folder, given, caplog):
    caplog.set_level(logging.DEBUG)
    write_revision(folder / "unread", 1)
    response = post(server, {} if given is None else {"Authorization": given.encode("latin-1")})
    problem = response.json()
    assert (response.status_code, problem["code"], problem["field"]) == (
        401,
        "UNAUTHENTICATED",
        "authorization",
    )
    assert response.headers["WWW-Authenticate"] == "Bearer"
    if given is None or given.isascii():  # gRPC sends nothing else
        error = call(server, () if given is None else (("authorization", given),))
        assert (error.code(), error.details()) == (grpc.StatusCode.UNAUTHENTICATED, problem["detail"])
        assert dict(error.trailing_metadata())["pentimento-code"] == "UNAUTHENTICATED"
    with server.client() as client:
        assert [model["name"] for model in client.get("/models").json()["models"]] == ["a"]
    assert TOKEN not in response.text and TOKEN not in caplog.text


def test_with_the_token_both_say_the_same(server, folder):
    with_token = ({"Authorization": f"bearer {TOKEN}"}, tuple(admin().items()))
    assert post(server, with_token[0]).status_code == 200
    write_revision(folder / "b", 1)
    added = post(server, with_token[0]).json()
    assert added == {
        "added": [{"name": "b", "version": "1.1.0", "previous_version": None}],
        "replaced": [],
        "removed": [],
        "kept": ["a", *(["unread"] if (folder / "unread").exists() else [])],
        "refused": [],
        "default": "a",
    }
    write_revision(folder / "b", 2)
    replaced = call(server, with_token[1])
    (b,) = replaced.replaced
    assert (b.name, b.version, b.previous_version) == ("b", "1.2.0", "1.1.0")
    assert "a" in replaced.kept_names and replaced.default_model == "a" and not replaced.added
    counted = [line for line in metrics(server) if 'operation="reload"' in line and "outcome" in line]
    assert any('transport="http"' in line and 'outcome="ok"' in line for line in counted)
    assert any('transport="grpc"' in line and 'outcome="ok"' in line for line in counted)


def metrics(server):
    with server.client() as client:
        return client.get("/metrics").text.splitlines()


def test_a_server_without_a_token_takes_no_such_call(folder):
    server = LiveServer(folder, calibrate=False)
    try:
        response = post(server, admin())
        assert (response.status_code, response.json()["code"]) == (403, "PERMISSION_DENIED")
        error = call(server, tuple(admin().items()))
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED
        assert error.details() == response.json()["detail"] and "admin_token" in error.details()
    finally:
        server.close()


def test_the_token_is_kept_as_its_hash():
    settings = Settings(admin_token=TOKEN)
    gate = AdminToken.of(settings)
    assert TOKEN not in f"{settings!r} {settings} {vars(gate)!r} {settings.model_dump()!r}"
    gate.check(f"Bearer {TOKEN}")
    with pytest.raises(PentimentoError) as refused:
        gate.check("Bearer something else")
    assert refused.value.code is Code.UNAUTHENTICATED and "something" not in refused.value.message


def test_a_secret_can_come_from_a_file(tmp_path):
    file = tmp_path / "token"
    file.write_text(f"  {TOKEN}\n")
    assert (
        read_secret("admin_token", None, file) == read_secret("admin_token", SecretStr(TOKEN), None) == TOKEN
    )
    assert read_secret("admin_token", None, None) is None


@pytest.mark.parametrize(
    ("value", "content", "sentence"),
    [
        (TOKEN, TOKEN, "admin_token and admin_token_file are both set; keep one of them"),
        ("fifteen-letters", None, "admin_token must be 16..512 visible ASCII .* got 15 characters"),
        ("x" * 513, None, "admin_token must be 16..512 .* got 513 characters"),
        ("in the middle is a space", None, "admin_token must be .* without a space between"),
        ("\xe9" * 20, None, "admin_token must be 16..512 visible ASCII"),
        (None, "", "admin_token_file must be 16..512 .* got 0 characters"),
        (None, f"{TOKEN}\n{TOKEN}", "admin_token_file must be .* without a space between"),
        (None, "x" * 100_000, "admin_token_file must be 16..512 .* got 4096 characters"),
    ],
)
async def test_what_is_no_token_keeps_a_server_from_starting(folder, tmp_path, value, content, sentence):
    file = None if content is None else tmp_path / "token"
    if file is not None:
        file.write_text(content)
    settings = Settings(
        bundles=folder, http_port=0, grpc_port=0, calibrate=False, admin_token=value, admin_token_file=file
    )
    with pytest.raises(StartError, match=sentence) as refused:
        async with Server(settings):
            pytest.fail("it started")
    assert not value or value not in str(refused.value)


async def test_a_token_file_that_is_not_there_is_one_sentence(folder, tmp_path):
    settings = Settings(bundles=folder, http_port=0, grpc_port=0, admin_token_file=tmp_path / "nowhere")
    with pytest.raises(StartError, match=r"admin_token_file '.*nowhere' cannot be read: No such file"):
        async with Server(settings):
            pytest.fail("it started")


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_the_command(server, folder, transport, monkeypatch, tmp_path):
    def run(*options):
        url = server.http if transport == "http" else f"grpc://{server.grpc}"
        return CliRunner().invoke(cli.app, ["reload", "--server", url, *options])

    missing = run()
    assert missing.exit_code == 2 and "--admin-token-file is needed" in missing.output
    monkeypatch.setenv("PENTIMENTO_ADMIN_TOKEN", TOKEN[::-1])
    wrong = run()
    assert wrong.exit_code == 2 and "authorization is not that of this server's admin" in wrong.output
    assert TOKEN[::-1] not in wrong.output
    monkeypatch.delenv("PENTIMENTO_ADMIN_TOKEN")
    (tmp_path / "token").write_text(TOKEN)
    write_revision(folder / transport, 3)
    added = run("--admin-token-file", str(tmp_path / "token"))
    assert added.exit_code == 0 and f"added {transport} 1.3.0" in added.output.splitlines()
    monkeypatch.setenv("PENTIMENTO_ADMIN_TOKEN", TOKEN)
    write_revision(folder / transport, 4)
    (folder / "empty").mkdir()
    replaced = run()
    lines = replaced.output.splitlines()
    assert f"replaced {transport} 1.3.0 by 1.4.0" in lines and lines[-1].endswith("; default a")
    assert replaced.exit_code == 1 and "refused empty: manifest.json is missing" in lines
    (folder / "empty").rmdir()


def test_the_command_needs_a_server():
    refused = CliRunner().invoke(cli.app, ["reload"])
    assert refused.exit_code == 2 and "--server is needed" in refused.output


def test_the_options_of_a_server_show_no_token(folder):
    """As an option, which `pentimento serve` takes as well."""
    command = [
        sys.executable,
        "-m",
        "pentimento.service.cli",
        "serve",
        "--bundles",
        str(folder),
        *("--http-port", "0", "--grpc-port", "0"),  # those of by default may be somebody else's
        "--admin-token",
        "short",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "short" not in done.stdout + done.stderr
    assert "pentimento cannot start: admin_token must be 16..512" in done.stderr
