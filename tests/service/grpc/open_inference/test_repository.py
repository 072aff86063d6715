"""The model repository, over both transports, with the real clients."""

import json

import pytest
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException

from tests.service.live import LiveServer
from tests.service.toys import spoil_hash, write_toys

ADMIN = {"authorization": "Bearer " + "t" * 32}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    write_toys(folder, ["toy-once", "toy-steps", "toy-color"])
    spoil_hash(folder / "toy-color")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    server = LiveServer(folder, admin_token="t" * 32, calibrate=False)
    yield server
    server.close()


@pytest.fixture(params=["http", "grpc"])
def client(request, server):
    if request.param == "http":
        with tritonclient.http.InferenceServerClient(server.http.removeprefix("http://")) as client:
            yield client
    else:
        with tritonclient.grpc.InferenceServerClient(server.grpc) as client:
            yield client


def index_of(client):
    if isinstance(client, tritonclient.http.InferenceServerClient):
        return client.get_model_repository_index()
    return client.get_model_repository_index(as_json=True)["models"]


def test_the_index_has_models_and_refusals(client):
    found = {entry["name"]: entry for entry in index_of(client)}
    assert set(found) == {"toy-once", "toy-steps", "toy-steps:score", "toy-color"}
    assert found["toy-steps:score"]["state"] == "READY" and found["toy-steps:score"]["version"] == "1.0.0"
    assert found["toy-color"]["state"] == "UNAVAILABLE" and found["toy-color"]["reason"]


def test_loading_reads_the_folder_again(client, folder):
    client.load_model("toy-steps", headers=ADMIN)
    with pytest.raises(InferenceServerException, match="'toy-color' is not loaded, its folder is refused"):
        client.load_model("toy-color", headers=ADMIN)
    with pytest.raises(InferenceServerException, match="'none' is not served here"):
        client.load_model("none", headers=ADMIN)
    with pytest.raises(InferenceServerException, match=r"parameters\.config cannot be given"):
        client.load_model("toy-steps", headers=ADMIN, config=json.dumps({"name": "x"}))


def test_unloading_is_refused_with_what_can_be_done(client):
    with pytest.raises(
        InferenceServerException, match="cannot be unloaded: a bundle is served while it lies"
    ):
        client.unload_model("toy-steps", headers=ADMIN)


def test_both_want_the_admin_token(client):
    for ask in (client.load_model, client.unload_model):
        with pytest.raises(InferenceServerException, match="the admin token is needed"):
            ask("toy-steps")
        with pytest.raises(InferenceServerException, match="is not that of this server's admin"):
            ask("toy-steps", headers={"authorization": "Bearer x"})
