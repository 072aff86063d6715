"""Who leaves while its picture waits to be read gives its rows back, though nobody reads any meanwhile."""

import base64
import json
import threading

import numpy as np
import pytest

from pentimento.service.operations.codec import encode_png
from tests.service.live import LiveServer, wait_until
from tests.service.reading_toys import write_reading_toys
from tests.service.sockets import Plug


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toys")
    write_reading_toys(folder)
    server = LiveServer(folder, default_model="toy-code", calibrate=False)
    yield server
    server.close()


@pytest.mark.parametrize("path", ["/autoencode?samples=5", "/encode"])
def test_its_rows_are_free(server, path):
    free, pool = threading.Event(), server.server.operations._admission._threads._pool
    try:
        for _ in range(2):  # as many threads as read
            pool.submit(free.wait, 60)
        picture = base64.b64encode(encode_png(np.zeros((1, 6, 8), np.float32))).decode()
        body = json.dumps({"image": picture} if "auto" in path else {"images": [picture]})
        with Plug(server) as plug:
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            plug.send(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            assert wait_until(lambda: server.rows > 0)
        assert wait_until(lambda: server.rows == 0), "it waits for the thread"
    finally:
        free.set()
