"""API keys and TLS: each way to use the client, against real servers that want them."""

import pytest
from pentimento_client import AsyncClient, Client, Code, PentimentoError

from tests.clients.conftest import ADMIN, KEY, Face, Files
from tests.service.live import LiveServer


@pytest.fixture(params=["https", "grpcs"])
def url(request: pytest.FixtureRequest, guarded: LiveServer) -> str:
    port = guarded.server.http_port if request.param == "https" else guarded.server.grpc_port
    return f"{request.param}://127.0.0.1:{port}"


@pytest.fixture
def options(files: Files) -> dict[str, object]:
    certificate = {"certificate_file": files.client, "key_file": str(files.client_key)}
    return {"api_key": KEY, "ca_file": files.ca, **certificate, "retries": 0}


@pytest.mark.parametrize("style", ["sync", "async"])
def test_key_authority_and_certificate(url, style, options):
    face = Face(url, style, **options)
    assert len(face.generate(n=2, steps=3).frames) == 3
    assert [model.name for model in face.call("models")] == ["toy-steps"]
    assert face.call("model", "toy-steps").manifest is not None


@pytest.mark.parametrize("style", ["sync", "async"])
def test_reloading_says_the_admin_token_instead_of_the_key(url, style, options):
    assert Face(url, style, **options).call("reload_models", ADMIN).kept == ("toy-steps",)


@pytest.mark.parametrize("style", ["sync", "async"])
@pytest.mark.parametrize("key", [None, "wrong-" + "x" * 20])
def test_a_missing_or_wrong_key_is_told_and_not_tried_again(url, style, options, key):
    face = Face(url, style, **options | {"api_key": key, "retries": 4})
    for call in ("models", "generate"):
        with pytest.raises(PentimentoError) as caught:
            face.call(call)
        assert caught.value.code is Code.UNAUTHENTICATED


def test_a_certificate_and_its_key_may_be_one_file(url, options, files):
    options |= {"certificate_file": files.client_both, "key_file": None}
    with Client(url, **options) as client:
        assert len(client.models()) == 1


@pytest.mark.parametrize("left_out", ["ca_file", "certificate_file"])
@pytest.mark.parametrize("style", ["sync", "async"])
def test_without_authority_or_certificate_nothing_is_said(url, style, options, left_out):
    options[left_out] = None
    options |= {} if left_out == "ca_file" else {"key_file": None}
    with pytest.raises(PentimentoError) as caught:
        Face(url, style, **options).call("models")
    assert caught.value.code is Code.UNAVAILABLE


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_secret_that_cannot_be_sent_is_in_no_message(kind):
    with pytest.raises(ValueError, match="api_key must be visible ASCII") as caught:
        kind("http://localhost", api_key="geheim\n")
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "wrong", "says"),
    [
        ("http://localhost", {"ca_file": "ca"}, "are for https:// and grpcs://, got 'http://localhost'"),
        ("grpcs://localhost", {"ca_file": "key"}, "ca_file must have certificates in PEM"),
        ("https://localhost", {"certificate_file": "client"}, "must be a certificate and its key in PEM"),
        (
            "https://localhost",
            {"certificate_file": "client", "key_file": "key"},
            "must be a certificate and its",
        ),
        ("https://localhost", {"key_file": "key"}, "key_file needs certificate_file"),
        ("https://localhost", {"retries": -1}, "retries must be at least 0, got -1"),
        ("https://localhost", {"silence_s": 0}, "silence_s must be more than 0, got 0"),
    ],
)
def test_wrong_options_are_told_before_anything_is_sent(files, url, wrong, says):
    real = {name: getattr(files, value) if isinstance(value, str) else value for name, value in wrong.items()}
    with pytest.raises(ValueError, match=says):
        Client(url, **real)


def test_a_file_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.pem"):
        Client("https://localhost", ca_file=tmp_path / "none.pem")


def test_an_option_that_does_not_exist():
    with pytest.raises(TypeError, match="apikey is not known here; known are: api_key"):
        Client("http://localhost", apikey="x")
