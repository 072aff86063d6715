"""API keys: the real client sends one as it always does, and is told in its own words when it is wrong."""

import asyncio

import openai
import pytest

from tests.service.http.openai.conftest import async_client_of, client_of
from tests.service.live import LiveServer, wait_until

KEY = "alice-" + "a" * 20
PAGE = "https://studio.example.com"


@pytest.fixture(scope="module")
def keyed(toys):
    server = LiveServer(toys, api_keys=f"alice {KEY}", cors_origins=PAGE, calibrate=False)
    yield server
    server.close()


def test_a_key_opens(keyed):
    with client_of(keyed, KEY) as client:
        assert client.models.list().data
        assert client.images.generate(model="toy-once", prompt="").data
        with client.images.generate(model="toy-once", prompt="", stream=True) as stream:
            assert [event.type for event in stream] == ["image_generation.completed"]


def test_without_one_nothing_is_said(keyed):
    with client_of(keyed, "wrong-" + "x" * 20) as client:
        for ask in (
            lambda: client.models.list(),
            lambda: client.models.retrieve("toy-once"),
            lambda: client.images.generate(model="toy-once", prompt=""),
            lambda: client.images.generate(model="toy-once", prompt="", stream=True),
            lambda: client.images.edit(model="toy-once", prompt="", image=b"not even read"),
        ):
            with pytest.raises(openai.AuthenticationError) as caught:
                ask()
            assert (caught.value.type, caught.value.code) == ("authentication_error", "invalid_api_key")


async def test_a_stream_under_a_key_is_left_in_the_middle(keyed):
    async with async_client_of(keyed, KEY) as client:
        asked = {"model": "toy-slow", "prompt": "", "stream": True, "partial_images": 999}
        stream = await client.images.generate(**asked, extra_body={"steps": 1000})
        async for event in stream:
            assert event.partial_image_index == 0
            break
        await stream.close()
        assert await asyncio.to_thread(wait_until, lambda: keyed.rows == 0)


def test_a_page_may_use_the_client_for_javascript(keyed):
    """Its preflight asks for the headers that this client sends."""
    sent = "authorization,content-type,x-stainless-arch,x-stainless-lang,x-stainless-os"
    sent += ",x-stainless-package-version,x-stainless-retry-count,x-stainless-runtime"
    sent += ",x-stainless-runtime-version,x-stainless-timeout"
    with keyed.client() as client:
        preflight = client.options(
            "/v1/images/generations",
            headers={
                "Origin": PAGE,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": sent,
            },
        )
        assert preflight.status_code == 200, preflight.text
        refused = client.post("/v1/images/generations", json={}, headers={"Origin": PAGE})
        assert refused.status_code == 401
        assert refused.headers["Access-Control-Allow-Origin"] == PAGE
        assert refused.json()["error"]["code"] == "invalid_api_key"
