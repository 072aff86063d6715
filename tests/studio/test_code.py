""" "Use in code": each snippet, run as it is shown, draws what the page shows."""

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.protobuf import json_format
from PIL import Image

from pentimento.service.grpc.pb import canvas_service_pb2, canvas_service_pb2_grpc
from tests.programs import missing
from tests.service.live import LiveServer
from tests.studio.asks import COLOURS, accessibility_faults
from tests.studio.test_draw import drawn_canvases, open_draw, wait_for_drawing

REPOSITORY = Path(__file__).parents[2]
KEY = "k" * 20
QUERY = {"model": "gran5-mnist", "n": 2, "steps": 3, "seed": 5}
DRAWN = "?model=gran5-mnist&n=2&steps=3&seed=5&judge=gran3-mnist"


def code_for(page, name) -> str:
    """What the page says for a program."""
    panel = page.locator(".code-panel")
    if not panel.get_by_role("radio").first.is_visible():
        panel.get_by_text("Use in code").click()
    panel.get_by_role("radio", name=name, exact=True).check()
    return panel.locator("code").text_content()


def run(folder, *words, **environment) -> str:
    done = subprocess.run(
        words, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def wanted(live):
    return drawn_canvases(live, **QUERY)


def assert_strip(path, wanted):
    """A film strip at scale 4, of several pictures and steps, has each canvas as it was drawn."""
    picture = np.asarray(Image.open(path).convert("L"))
    n, steps, height, width = wanted.shape
    across = 4 * width + (picture.shape[1] - 4 * steps * width) // (steps - 1)  # from one canvas to the next
    down = 4 * height + (picture.shape[0] - 4 * n * height) // (n - 1)
    for row in range(n):
        for step in range(steps):
            canvas = picture[row * down :, step * across :]
            cut = canvas[: 4 * height : 4, : 4 * width : 4]
            assert np.array_equal(cut, wanted[row, step])


def test_curl(page, live, wanted, tmp_path):
    open_draw(page, live, DRAWN)
    run(tmp_path, "bash", "-euc", code_for(page, "curl"))
    assert_strip(tmp_path / "gran5-mnist-5.png", wanted)


def test_python(page, live, wanted, tmp_path):
    open_draw(page, live, DRAWN)
    run(tmp_path, sys.executable, "-c", code_for(page, "Python"))
    assert_strip(tmp_path / "gran5-mnist-5.png", wanted)


def test_the_command_line(page, live, wanted, tmp_path):
    open_draw(page, live, DRAWN)
    words = shlex.split(code_for(page, "Command line").replace("\\\n", " "))
    assert words[0] == "pentimento"
    run(tmp_path, sys.executable, "-m", "pentimento.service.cli", *words[1:])
    assert_strip(tmp_path / "gran5-mnist-5.png", wanted)


def test_javascript(page, live, tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip(missing("node"))
    open_draw(page, live, DRAWN)
    package = tmp_path / "node_modules" / "pentimento-client"
    package.parent.mkdir()
    package.symlink_to(REPOSITORY / "clients" / "js")
    (tmp_path / "draw.mjs").write_text(code_for(page, "JavaScript"))
    lines = run(tmp_path, node, "draw.mjs").splitlines()
    assert [line.split()[:2] for line in lines] == [["1", "2"], ["2", "2"], ["3", "2"]]


def test_grpcurl(page, live, wanted):
    """grpcurl itself is not here: its message is read as it reads it, and the call is made."""
    open_draw(page, live, DRAWN)
    words = shlex.split(code_for(page, "grpcurl").replace("\\\n", " "))
    assert words[:4] == ["grpcurl", "-plaintext", "-max-msg-sz", "67108864"]
    assert words[-2:] == ["127.0.0.1:50051", "pentimento.v1.CanvasService/StreamCanvas"]
    request = json_format.Parse(words[words.index("-d") + 1], canvas_service_pb2.StreamCanvasRequest())
    with grpc.insecure_channel(live.grpc) as channel:
        events = list(canvas_service_pb2_grpc.CanvasServiceStub(channel).StreamCanvas(request))
    assert len([event for event in events if event.HasField("frame")]) == wanted.shape[1]
    assert events[0].header.seed == 5


def test_classes_and_controls_are_said_too(page, live):
    open_draw(page, live, "?model=acgan-mnist&n=3&seed=5&judge=none")
    assert "labels=[0, 1, 2]" in code_for(page, "Python")
    assert "--labels 0,1,2" in code_for(page, "Command line")
    page.get_by_label("Class").select_option("7")
    page.wait_for_url(re.compile("label=7"))
    wait_for_drawing(page)
    assert "label=7" in code_for(page, "Python")
    body = shlex.split(code_for(page, "curl").replace("\\\n", " "))
    assert json.loads(body[body.index("-d") + 1]) == {
        "model": "acgan-mnist",
        "n": 3,
        "steps": 1,
        "seed": 5,
        "label": 7,
    }


@pytest.fixture
def keyed(zoo):
    with contextlib.closing(LiveServer(zoo, api_keys=KEY, calibrate=False)) as server:
        yield server


def test_a_key_is_never_written_down(page, keyed, tmp_path):
    page.complaints.allowed = ("status of 401",)
    page.goto(f"{keyed.http}/#draw{DRAWN}")
    page.get_by_role("dialog").get_by_label("Key").fill(KEY)
    page.get_by_role("button", name="Use this key").click()
    wait_for_drawing(page)
    for name in ("curl", "JavaScript", "grpcurl", "Command line", "Python"):
        text = code_for(page, name)
        assert KEY not in text, name
    run(tmp_path, sys.executable, "-c", text, PENTIMENTO_API_KEY=KEY)
    assert (tmp_path / "gran5-mnist-5.png").is_file()


def test_it_is_copied_by_keyboard(page, context, live):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_draw(page, live, DRAWN)
    page.locator(".code-panel summary").focus()
    page.keyboard.press("Enter")
    page.locator(".code-panel").get_by_role("radio").first.focus()
    page.keyboard.press("ArrowRight")
    page.locator(".code-panel").get_by_role("button", name="Copy").focus()
    page.keyboard.press("Enter")
    page.get_by_role("status").filter(has_text="Copied").first.wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == code_for(page, "Python")


@pytest.mark.parametrize("width", [1440, 390, 320])
def test_axe_finds_nothing(page, live, width):
    page.set_viewport_size({"width": width, "height": 844})
    open_draw(page, live, DRAWN)
    code_for(page, "curl")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for colours in COLOURS:
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")
        assert accessibility_faults(page) == [], colours


def words_of(text) -> list[str]:
    return shlex.split(text.replace("\\\n", " "))


def message_of(words, kind):
    """What grpcurl would send."""
    return json_format.Parse(words[words.index("-d") + 1], kind())


@pytest.mark.parametrize(
    ("task", "operation", "message"),
    [
        ("autoencode", "autoencode", canvas_service_pb2.AutoencodeRequest),
        ("complete", "complete", canvas_service_pb2.CompleteRequest),
    ],
)
def test_autoencode_says_the_picture_too(page, live, tmp_path, task, operation, message):
    page.goto(f"{live.http}/#autoencode?model=pixelvae2d-mnist&task={task}&samples=2&steps=2&seed=5&digit=7")
    page.locator(".redraw-facts", has_text="2 drawings in").wait_for()
    run(tmp_path, sys.executable, "-c", code_for(page, "Python"))
    by_python = np.asarray(Image.open(tmp_path / "pixelvae2d-mnist-5.png"))
    run(tmp_path, "bash", "-euc", code_for(page, "curl"))
    by_curl = np.asarray(Image.open(tmp_path / "pixelvae2d-mnist-5.png"))
    (tmp_path / "pixelvae2d-mnist-5.png").unlink()
    files, call = code_for(page, "Command line").split("pentimento ", 1)
    run(tmp_path, "bash", "-euc", files)
    assert words_of(call)[0] == operation
    run(tmp_path, sys.executable, "-m", "pentimento.service.cli", *words_of(call))
    by_command = np.asarray(Image.open(tmp_path / "pixelvae2d-mnist-5.png"))
    for strip in (by_python, by_curl, by_command):
        last = strip[-4 * 28 :: 4, -4 * 28 :: 4]  # the last canvas of the last drawing
        assert np.array_equal(last, by_curl[-4 * 28 :: 4, -4 * 28 :: 4]) and last.any()
    words = words_of(code_for(page, "grpcurl"))
    asked = message_of(words, message)
    assert (asked.model, asked.seed, asked.step_count) == ("pixelvae2d-mnist", 5, 2)
    assert asked.image.startswith(b"\x89PNG")
    assert "Buffer.from" in code_for(page, "JavaScript")


def test_arena_says_who_judges(page, live):
    page.goto(f"{live.http}/#arena?a=gran5-mnist&b=gran3-mnist&n=4&seed=5")
    page.get_by_text("4 drawings of each").wait_for()
    assert 'score_by="gran3-mnist"' in code_for(page, "Python")


def test_explore_says_the_noise(page, live, tmp_path):
    page.goto(f"{live.http}/#explore?way=map&model=vae2d-mnist&x=0.6&y=-0.4")
    page.get_by_text("144 pictures, here after").wait_for()
    run(tmp_path, sys.executable, "-c", code_for(page, "Python"))
    assert len(list(tmp_path.glob("vae2d-mnist-*.png"))) == 1
    asked = message_of(words_of(code_for(page, "grpcurl")), canvas_service_pb2.StreamCanvasRequest)
    assert list(asked.drawing.latents[0].shape) == [1, 2]
    names = page.locator(".code-panel .view").all_text_contents()
    assert "Command line" not in names, "it has its noise from files"


def test_the_server_tab_says_what_it_sends(page, live):
    page.goto(f"{live.http}/#server")
    page.get_by_role("button", name="one after another").click()
    page.locator(".code-panel").get_by_text("Use in code").click()
    code = page.locator(".code-panel code", has_text="/generate")
    code.wait_for()
    assert "curl" in code.text_content() and live.http in code.text_content()
