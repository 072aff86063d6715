"""A server of the toys that draw and read pictures, and the real tritonclient as its client."""

import io

import numpy as np
import pytest
import tritonclient.http

from tests.service.protocol_server import at_rest, protocol_server


def input_of(name, values, datatype, *, binary=True):
    """A tensor as the client takes it."""
    values = np.asarray(values)
    tensor = tritonclient.http.InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def wanted(*names, binary=True):
    """Outputs as the client asks for them."""
    return [tritonclient.http.InferRequestedOutput(name, binary_data=binary) for name in names]


def drawn(own, path="/generate", **asked):
    """What our own API draws, (n, T, C, H, W)."""
    kind = {"Content-Type": "image/png"} if "content" in asked else {}
    answer = own.post(path, headers={"Accept": "application/x-npy", **kind}, **asked)
    assert answer.status_code == 200, answer.text
    return np.load(io.BytesIO(answer.content))


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("open-inference")
    with protocol_server(folder) as server:
        yield server


@pytest.fixture
def client(served):
    with tritonclient.http.InferenceServerClient(served.http.removeprefix("http://")) as client:
        yield client


@pytest.fixture
def own(served):
    """A client of our own API at the same server, which also asks the protocol's routes plainly."""
    with served.client() as client:
        yield client


@pytest.fixture
def idle(served):
    """Checks that no rows are in flight before and after."""
    with at_rest(served):
        yield
