"""The client's README runs: every Python block, in order, against a real server."""

import ast
import asyncio
import inspect
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from pentimento_client import Client
from PIL import Image

from tests.clients.conftest import KEY
from tests.service.live import LiveServer
from tests.service.reading_toys import write_reading_toys
from tests.service.toys import write_toys

README = Path(__file__).parents[2] / "clients" / "python" / "README.md"


# The models of the README, and the toys that stand in for them.
STAND_INS = {
    "gran5-mnist": "toy-steps",
    "gran3-mnist": "toy-steps",
    "pixelvae-mnist": "toy-code",
    "pixelcnn-mnist": "toy-black",
}


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    bundles = tmp_path_factory.mktemp("bundles")
    write_toys(bundles)
    write_reading_toys(bundles)
    server = LiveServer(bundles, default_model="toy-steps")
    yield server
    server.close()


def test_the_readme_runs(live, guarded, files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    array = np.zeros((6, 8), dtype=np.float32)
    image = Image.fromarray(np.zeros((6, 8), dtype=np.uint8))
    image.save("digit.png")
    for name, file in (("ca.pem", files.ca), ("client.pem", files.client), ("client.key", files.client_key)):
        shutil.copy(file, name)
    names = {"array": array, "pillow_image": image, "np": np, "time": time}
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) == 7
    for block in blocks:
        for told, real in (
            ("http://localhost:8000", live.http),
            ("grpc://localhost:50051", f"grpc://{live.grpc}"),
            ("grpcs://localhost:50051", f"grpcs://{guarded.grpc}"),
            ("the-key-that-you-were-given", KEY),
            *STAND_INS.items(),
        ):
            block = block.replace(told, real)
        code = compile(block, str(README), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        with Client(live.http) as client:
            if "Client(" not in block:  # the later blocks go on with a client
                names["client"] = client
            result = eval(code, names)
            if inspect.iscoroutine(result):
                asyncio.run(result)
    assert {path.name for path in tmp_path.iterdir()} == {
        "ca.pem",
        "client.pem",
        "client.key",
        "digit.png",
        "strip.png",
        "reconstructions.png",
        *(f"step{i}.png" for i in range(1, 6)),
    }
