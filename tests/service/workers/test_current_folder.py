"""The folder that a server is started in is nobody's to import from: not the server's, not its children's."""

import os

import httpx
import pytest

from tests.reliability.server import REPOSITORY, ServerProcess
from tests.service.toys import write_toys

NAMES = ("select", "onnxruntime", "uvicorn", "pentimento", "grpc", "resource")


class Elsewhere(ServerProcess):
    """A server as its console script starts it, which does not look into the current folder either."""

    program = ("-P", "-m", "pentimento.service.cli")


@pytest.mark.parametrize("workers", [1, 2])
def test_modules_that_lie_there_are_not_run(tmp_path, workers, monkeypatch):
    here, bundles = tmp_path / "here", tmp_path / "bundles"
    here.mkdir()
    for name in NAMES:
        (here / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write('{name} ')\n")
    write_toys(bundles, ["toy-once"])
    monkeypatch.setattr(Elsewhere, "folder", here)
    monkeypatch.setenv("PYTHONPATH", f"{REPOSITORY}/namespace:{REPOSITORY}/clients/python/src")
    server = Elsewhere(bundles, workers=workers, cache=tmp_path / "cache", admin_token="t" * 20)
    try:
        assert os.path.samefile(f"/proc/{server.popen.pid}/cwd", here)
        write_toys(bundles, ["toy-steps"])  # a reload tries its graphs in a process of its own
        bearer = {"Authorization": f"Bearer {'t' * 20}"}
        answer = httpx.post(f"{server.http}/models:reload", headers=bearer, trust_env=False, timeout=120)
        assert [each["name"] for each in answer.json()["added"]] == ["toy-steps"]
        assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()
    finally:
        server.stop()
