"""API keys and limits over gRPC: those of our own API, told to the real client as statuses."""

import contextlib

import pytest
import tritonclient.grpc
from tritonclient.utils import InferenceServerException

from tests.service.grpc.open_inference.conftest import Stream, is_final
from tests.service.live import LiveServer

KEY = {"x-api-key": "alice-" + "a" * 20}


@pytest.fixture(scope="module")
def keyed(toys):
    server = LiveServer(
        toys,
        api_keys=f"alice {KEY['x-api-key']}",
        max_client_streams=1,
        max_rows_in_flight=4,
        calibrate=False,
    )
    yield server
    server.close()


@pytest.fixture
def client(keyed):
    with tritonclient.grpc.InferenceServerClient(keyed.grpc) as client:
        yield client


def test_without_a_key_nothing_but_life_is_told(client):
    assert client.is_server_live() and client.is_server_ready()
    for ask in (
        lambda: client.get_server_metadata(),
        lambda: client.get_model_metadata("toy-once"),
        lambda: client.is_model_ready("toy-once"),
        lambda: client.infer("toy-once", []),
        lambda: client.get_model_repository_index(),
    ):
        with pytest.raises(InferenceServerException) as caught:
            ask()
        assert caught.value.status() == "StatusCode.UNAUTHENTICATED"


def test_a_key_opens_and_limits_hold(client):
    assert client.infer("toy-once", [], headers=KEY).as_numpy("canvas") is not None
    with pytest.raises(InferenceServerException, match="limit of 4") as caught:
        client.infer("toy-once", [], parameters={"n": 5}, headers=KEY)
    assert caught.value.status() == "StatusCode.RESOURCE_EXHAUSTED"


def test_a_client_may_have_so_many_streams(keyed):
    """One that is open, however many requests it has had, and another that is refused."""
    first, second = (tritonclient.grpc.InferenceServerClient(keyed.grpc) for _ in range(2))
    with first, second:
        stream = Stream(first, headers=KEY)
        for _ in range(2):
            stream.ask("toy-once")
            assert is_final(stream.next())
        other = Stream(second, headers=KEY)
        with contextlib.suppress(InferenceServerException):  # the client may have heard of it already
            other.ask("toy-once")
        with pytest.raises(InferenceServerException, match="may have at most 1 streams open"):
            other.next()
        second.stop_stream(cancel_requests=True)
        first.stop_stream(cancel_requests=True)
