"""The JavaScript client: its own tests in Node against real servers, and its types by TypeScript."""

import base64
import io
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.clients.conftest import KEY, Files
from tests.programs import missing
from tests.service.box_toys import write_box_toy
from tests.service.control_toys import write_control_toy
from tests.service.live import LiveServer
from tests.service.pair_toys import write_pair_toy
from tests.service.reading_toys import write_reading_toys
from tests.service.toys import write_toys

PACKAGE = Path(__file__).parents[2] / "clients" / "js"
NODE, NPM = shutil.which("node"), shutil.which("npm")

pytestmark = pytest.mark.skipif(NODE is None, reason=missing("node"))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, files: Files) -> Iterator[dict[str, str]]:
    """The environment that says where they are."""
    folder = tmp_path_factory.mktemp("bundles")
    write_toys(folder)
    for write in (write_reading_toys, write_box_toy, write_pair_toy, write_control_toy):
        write(folder)
    few = tmp_path_factory.mktemp("few")
    write_toys(few, ("toy-steps",))
    tls = {"tls_certificate_file": files.certificate, "tls_key_file": files.key}
    rate = {"client_requests_per_s": 1.0, "client_burst_requests": 1}
    plain = LiveServer(folder, default_model="toy-steps", calibrate=False)
    keyed = LiveServer(few, api_keys=KEY, calibrate=False, **tls)
    strict = LiveServer(few, calibrate=False, **rate)
    yield {
        "PENTIMENTO_URL": plain.http,
        "PENTIMENTO_KEYED_URL": f"https://127.0.0.1:{keyed.server.http_port}",
        "PENTIMENTO_STRICT_URL": strict.http,
        "PENTIMENTO_KEY": KEY,
        "PENTIMENTO_BLACK": _picture(0, 0),
        "PENTIMENTO_WHITE": _picture(255, 255),
        "PENTIMENTO_HALF": _picture(255, 0),
        "NODE_EXTRA_CA_CERTS": str(files.ca),
    }
    for server in (plain, keyed, strict):
        server.close()


def _picture(upper: int, lower: int) -> str:
    buffer, image = io.BytesIO(), Image.new("L", (8, 6), lower)
    image.paste(upper, (0, 0, 8, 3))
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize("name", [path.name for path in sorted(PACKAGE.glob("test/*.test.js"))])
def test_in_node(servers: dict[str, str], name: str):
    command = [NODE, "--test", "--test-reporter=tap", f"test/{name}"]
    done = subprocess.run(
        command, cwd=PACKAGE, env=os.environ | servers, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed and int(passed[1]) > 5, done.stdout


# The models of the README, and the toys that stand in for them.
STAND_INS = {"gran5-mnist": "toy-steps", "pixelvae-mnist": "toy-code"}


def test_the_readme_runs(servers: dict[str, str], tmp_path: Path):
    """Its blocks as one program, which imports the package as it is installed: by a link of its name."""
    blocks = re.findall(r"```js\n(.*?)```", (PACKAGE / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 7
    program = "".join(blocks).replace("http://localhost:8000", servers["PENTIMENTO_URL"])
    for told, real in STAND_INS.items():
        program = program.replace(told, real)
    (tmp_path / "readme.mjs").write_text(program)
    (tmp_path / "digit.png").write_bytes(base64.b64decode(servers["PENTIMENTO_HALF"]))
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "pentimento-client").symlink_to(PACKAGE)
    done = subprocess.run([NODE, "readme.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "\n5 4 [" in done.stdout and "INVALID_ARGUMENT steps steps must be" in done.stdout


def test_types():
    """tsc, of npm: a second to install if it is not in npm's cache."""
    if NPM is None:
        pytest.skip(missing("npm"))
    tsc = [NPM, "exec", "--yes", "--prefer-offline", "--package=typescript@5", "--", "tsc"]
    command = [*tsc, "--project", "test/types"]
    done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, timeout=120)
    if done.returncode and "error TS" not in done.stdout:
        pytest.skip(f"{missing('tsc')}\n{done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stdout
