"""A server of the toys that draw and read pictures, and the real tritonclient over gRPC."""

import io
import queue

import numpy as np
import pytest
import tritonclient.grpc

from tests.service.protocol_server import at_rest, protocol_server


def input_of(name, values, datatype):
    """A tensor as the client takes it."""
    values = np.asarray(values)
    tensor = tritonclient.grpc.InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values)
    return tensor


def wanted(*names):
    """Outputs as the client asks for them."""
    return [tritonclient.grpc.InferRequestedOutput(name) for name in names]


def drawn(own, **params):
    """What our own API draws over HTTP, (n, T, C, H, W)."""
    answer = own.post("/generate", params=params, headers={"Accept": "application/x-npy"})
    return np.load(io.BytesIO(answer.content))


class Stream:
    """The client's stream: asks, and reads answers and errors in their order."""

    def __init__(self, client, **options):
        self.client, self.got = client, queue.Queue()
        client.start_stream(lambda result, error: self.got.put((result, error)), **options)

    def ask(self, model, inputs=(), **options):
        self.client.async_stream_infer(model, list(inputs), **options)

    def next(self):
        result, error = self.got.get(timeout=60)
        if error is not None:
            raise error
        return result

    def drawing(self):
        """All answers to one request."""
        found = [self.next()]
        while not is_final(found[-1]):
            found.append(self.next())
        return found


def is_final(result):
    return result.get_response().parameters["triton_final_response"].bool_param


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("open-inference")
    with protocol_server(folder, admin_token="t" * 32) as server:
        yield server


@pytest.fixture
def client(served):
    with tritonclient.grpc.InferenceServerClient(served.grpc) as client:
        yield client


@pytest.fixture
def stream(client):
    yield Stream(client)
    client.stop_stream(cancel_requests=True)


@pytest.fixture
def own(served):
    """A client of our own API over HTTP, at the same server."""
    with served.client() as client:
        yield client


@pytest.fixture
def idle(served):
    """Checks that no rows are in flight before and after."""
    with at_rest(served):
        yield
