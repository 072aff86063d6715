"""Reloading through the client, blocking and asyncio, over HTTP and gRPC."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pentimento_client import Code, PentimentoError, Refusal, Reload, Revision

from tests.clients.conftest import Face, url_of
from tests.service.live import LiveServer
from tests.service.revisions import TOKEN, write_revision


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    write_revision(folder / "a", 1)
    return folder


@pytest.fixture(scope="module")
def reloadable(folder: Path) -> Iterator[LiveServer]:
    server = LiveServer(folder, admin_token=TOKEN, calibrate=False)
    yield server
    server.close()


@pytest.fixture(params=["http", "grpc"])
def url(request: pytest.FixtureRequest, reloadable: LiveServer) -> str:
    return url_of(reloadable, request.param)


def test_reload_models_says_what_it_changed(face: Face, folder: Path):
    write_revision(folder / "a", 1)
    face.call("reload_models", TOKEN)
    write_revision(folder / "a", 2)
    write_revision(folder / "b", 1)
    (folder / "c").mkdir()
    done = face.call("reload_models", TOKEN)
    assert done == Reload(
        added=(Revision(name="b", version="1.1.0", previous_version=None),),
        replaced=(Revision(name="a", version="1.2.0", previous_version="1.1.0"),),
        removed=(),
        kept=(),
        refused=(Refusal(name="c", reason="manifest.json is missing"),),
        default="a",
    )
    assert face.call("model", "a").version == "1.2.0"
    for path in (folder / "b").iterdir():
        path.unlink()
    (folder / "b").rmdir()
    (folder / "c").rmdir()
    done = face.call("reload_models", TOKEN)
    assert (done.removed, done.kept, done.refused) == (("b",), ("a",), ())


def test_a_wrong_token(face: Face):
    with pytest.raises(PentimentoError) as error:
        face.call("reload_models", TOKEN[::-1])
    assert error.value.code is Code.UNAUTHENTICATED and error.value.field == "authorization"


@pytest.mark.parametrize("token", ["", "two words", "line\nfeed", "\xe9" * 20])
def test_a_token_that_cannot_travel_is_not_shown(face: Face, token: str):
    with pytest.raises(PentimentoError, match="token must be visible ASCII characters") as error:
        face.call("reload_models", token)
    assert error.value.code is Code.INVALID_ARGUMENT and error.value.field == "token"
    assert not token or token not in str(error.value)
