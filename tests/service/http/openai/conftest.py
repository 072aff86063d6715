"""A server of the toys that draw and complete, and the real `openai` package as its client."""

import base64
import io

import numpy as np
import openai
import pytest
from PIL import Image

from tests.service.live import LiveServer
from tests.service.protocol_server import at_rest, protocol_server


def client_of(server: LiveServer, key: str = "nobody", **options) -> openai.OpenAI:
    """A client that asks once, whatever proxies the environment names."""
    return openai.OpenAI(
        base_url=f"{server.http}/v1",
        api_key=key,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(trust_env=False),
        **options,
    )


def async_client_of(server: LiveServer, key: str = "nobody") -> openai.AsyncOpenAI:
    """The same on an event loop."""
    return openai.AsyncOpenAI(
        base_url=f"{server.http}/v1",
        api_key=key,
        max_retries=0,
        http_client=openai.DefaultAsyncHttpxClient(trust_env=False),
    )


def picture_of(text: str) -> Image.Image:
    """A picture from base64."""
    picture = Image.open(io.BytesIO(base64.b64decode(text, validate=True)))
    picture.load()
    return picture


def levels_of(text: str) -> np.ndarray:
    """Its pixels."""
    return np.asarray(picture_of(text))


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("openai")
    with protocol_server(folder) as server:
        yield server


@pytest.fixture
def client(served):
    with client_of(served) as client:
        yield client


@pytest.fixture
def own(served):
    """A client of our own API at the same server."""
    with served.client() as client:
        yield client


@pytest.fixture
def idle(served):
    """Checks that no rows are in flight before and after; says how many calls the slow graph has made."""
    labels = {"bundle": "toy-slow", "graph": "step"}
    value = served.server.metrics.registry.get_sample_value
    with at_rest(served):
        yield lambda: value("pentimento_graph_call_seconds_count", labels) or 0
