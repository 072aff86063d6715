"""What a step puts out beside its canvas travels with it, over both transports, and can be drawn over it."""

import io
import tempfile
from dataclasses import replace
from pathlib import Path

import grpc
import numpy as np
import pentimento_client
import pytest
from PIL import Image
from typer.testing import CliRunner

from pentimento.bundle.drawing import FrameOutput
from pentimento.bundle.noise import draw
from pentimento.bundle.store import read_manifest
from pentimento.service.cli import main as cli
from pentimento.service.errors import PentimentoError
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from pentimento.service.http.answers import MAX_ANSWER_VALUES, Wanted, check_size
from pentimento.service.http.negotiation import Answer
from pentimento.service.messages import OUTPUT_WEIGHT, Header
from pentimento.service.operations.boxes import COLOURS, Outlines, outlined
from pentimento.service.operations.codec import GAP, encode_png
from tests.service.box_toys import CALLS, boxes_of, write_box_toy
from tests.service.live import LiveServer, sse_events
from tests.service.toys import write_toys

ASKED = {"model": "toy-looks", "n": 2, "seed": 3}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("looking")
    write_box_toy(folder)
    write_toys(folder, ["toy-steps"])
    return folder


@pytest.fixture(scope="module")
def live(bundles):
    server = LiveServer(bundles, default_model="toy-looks")
    yield server
    server.close()


@pytest.fixture
def http(live):
    with live.client() as client:
        yield client


@pytest.fixture
def stub(live):
    with grpc.insecure_channel(live.grpc) as channel:
        yield pb_grpc.CanvasServiceStub(channel)


@pytest.fixture(params=["http", "grpc"])
def client(request, live):
    url = live.http if request.param == "http" else f"grpc://{live.grpc}"
    with pentimento_client.Client(url) as client:
        yield client


@pytest.fixture
def boxes():
    return boxes_of(draw(3, "z", (CALLS, 2), rows=range(2)), list(range(CALLS)))


def sent(frame, name="write_box"):
    return np.array(frame["outputs"][name])


def test_every_frame_of_json_and_of_the_streams_has_them(http, boxes):
    frames = http.post("/generate", params=ASKED).json()["frames"]
    for t, frame in enumerate(frames):
        np.testing.assert_allclose(sent(frame), boxes[:, t], rtol=1e-6)
        assert frame["outputs"]["age"] == [[t], [t]]
    with http.stream("POST", "/generate", params=ASKED, headers={"Accept": "text/event-stream"}) as answer:
        streamed = [data for kind, data in sse_events(answer.iter_lines()) if kind == "frame"]
    assert [frame["outputs"] for frame in streamed] == [frame["outputs"] for frame in frames]


def test_fewer_canvases_come_with_the_boxes_of_the_calls_that_drew_them(http, boxes):
    frames = http.post("/generate", params=ASKED | {"steps": 2}).json()["frames"]
    assert [frame["outputs"]["age"][0] for frame in frames] == [[1], [2]]
    np.testing.assert_allclose(sent(frames[0]), boxes[:, 1], rtol=1e-6)


def test_a_scored_frame_has_them_too(http, boxes):
    frames = http.post("/generate", params=ASKED | {"score_by": "toy-steps"}).json()["frames"]
    assert all(len(frame["scores"]) == 2 for frame in frames)
    np.testing.assert_allclose(sent(frames[2]), boxes[:, 2], rtol=1e-6)


def test_the_python_client_has_arrays_of_them(client, boxes):
    drawing = client.generate("toy-looks", n=2, seed=3, boxes=True)
    for t, frame in enumerate(drawing.frames):
        np.testing.assert_allclose(frame.outputs["write_box"], boxes[:, t], rtol=1e-6)
        assert frame.outputs["age"].shape == (2, 1)
    box, age = client.model("toy-looks").outputs
    assert (box.name, box.meaning, box.points, box.summary) == ("write_box", "box", 2, "where it writes")
    assert (age.meaning, age.points) == ("plain", None)
    assert client.model("toy-steps").outputs == ()
    assert client.generate("toy-steps").frames[0].outputs == {}


def test_a_picture_is_redrawn_in_as_many_canvases_as_are_wanted(client):
    """The encoder's noise is for the calls, whose number is fixed, and not for the canvases shown."""
    drawing = client.autoencode(Image.new("L", (8, 6), 128), "toy-looks", steps=2, samples=3, seed=1)
    assert drawing.arrays.shape[:2] == (3, 2)
    z = drawing.encoding["z"]
    np.testing.assert_allclose(drawing.frames[0].outputs["write_box"], boxes_of(z, [1])[:, 0], rtol=1e-6)


def test_a_model_without_is_refused_on_both_transports(http, stub, client):
    sentence = "cannot be had: model 'toy-steps' draws without attention boxes"
    answer = http.post("/generate?model=toy-steps&boxes=true")
    assert answer.status_code == 400
    assert answer.json()["field"] == "boxes" and answer.json()["detail"] == f"boxes {sentence}"
    answer = http.post("/generate", json={"model": "toy-steps", "boxes": True})
    assert answer.json()["detail"] == f"boxes {sentence}"
    with pytest.raises(grpc.RpcError) as refused:
        list(
            stub.StreamCanvas(
                pb.StreamCanvasRequest(drawing=pb.DrawingSpec(model="toy-steps", with_boxes=True))
            )
        )
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == f"with_boxes {sentence}"
    with pytest.raises(pentimento_client.PentimentoError, match="attention boxes"):
        client.generate("toy-steps", boxes=True)
    assert http.post("/generate?model=toy-steps&boxes=false").status_code == 200


@pytest.mark.parametrize("accept", ["image/png", "image/gif", "image/apng"])
def test_a_strip_and_an_animation_show_them(http, accept):
    query = ASKED | {"scale": 4}
    headers = {"Accept": accept}
    plain = Image.open(io.BytesIO(http.post("/generate", params=query, headers=headers).content))
    answer = http.post("/generate", params=query | {"boxes": True}, headers=headers)
    shown = Image.open(io.BytesIO(answer.content))
    assert shown.size == plain.size
    colours = {tuple(colour) for colour in np.asarray(shown.convert("RGB")).reshape(-1, 3)}
    assert COLOURS[0] in colours
    assert COLOURS[0] not in {tuple(c) for c in np.asarray(plain.convert("RGB")).reshape(-1, 3)}


def test_the_given_picture_in_the_first_column_has_none(http):
    picture = encode_png(np.full((1, 6, 8), 0.5, dtype=np.float32))
    answer = http.post(
        "/autoencode?model=toy-looks&boxes=true&scale=2&seed=1",
        content=picture,
        headers={"Content-Type": "image/png", "Accept": "image/png"},
    )
    strip = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert strip.shape == (12, 4 * 2 * (8 + GAP) - 2 * GAP, 3)
    assert (strip[:, :16] == 128).all()


def test_an_outline_lies_where_the_box_says():
    box = np.array([[[3.0, 2.0, 2.0, 0.5]]], dtype=np.float32)  # 3 filters: x 1..5, y 0..4
    (shown,) = outlined(np.zeros((1, 1, 1, 6, 8), np.uint8), [Outlines(3, box)], 10)[0]
    lit = (shown == np.array(COLOURS[0])[:, None, None]).all(0)
    rows, columns = np.flatnonzero(lit.any(1)), np.flatnonzero(lit.any(0))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (5, 45, 15, 55)
    assert lit[5, 15:56].all() and lit[5:46, 55].all() and not lit[6:45, 16:55].any()


def test_colours_are_kept_beneath_and_a_negative_stride_is_the_same_square():
    pixels = np.random.default_rng(0).integers(0, 255, (2, 2, 3, 6, 8), dtype=np.uint8)
    box = np.array([[[3, 2, 2, 1]] * 2] * 2, dtype=np.float32)
    shown = outlined(pixels, [Outlines(2, box)], 1)
    assert np.array_equal(shown, outlined(pixels, [Outlines(2, box * [1, 1, -1, 1])], 1))
    changed = (shown != pixels).any(2)
    assert changed[:, :, 1:4, 2:5].sum() == changed.sum() == 4 * 8, "the edge of a square of 3 x 3 pixels"


def test_numbers_alone_show_no_boxes(http, bundles, tmp_path):
    answer = http.post("/generate?model=toy-looks&boxes=true", headers={"Accept": "application/x-npy"})
    assert answer.status_code == 400
    sentence = "boxes cannot be shown in application/x-npy; ask for a picture, or for JSON"
    assert answer.json()["detail"] == sentence
    arguments = ["draw", "toy-looks", "--boxes", "-o", str(tmp_path / "x.npy"), "--bundles", str(bundles)]
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 2 and "--boxes cannot be shown in .npy" in " ".join(done.output.split())


def test_outputs_count_against_the_limit_of_a_whole_answer():
    manifest = read_manifest_of_looks()
    header = Header(model="toy-looks", version="1", seed=0, n=64, steps=1024)
    each = 6 * 8 + OUTPUT_WEIGHT * 5  # pixels, and a box and an age
    assert 64 * 1024 * each < MAX_ANSWER_VALUES
    check_size(Wanted(answer=Answer.JSON), header, manifest)
    with pytest.raises(PentimentoError, match=f"are {64 * 8192 * each} values"):
        check_size(Wanted(answer=Answer.JSON), replace(header, steps=8192), manifest)


def read_manifest_of_looks():
    with tempfile.TemporaryDirectory() as folder:
        write_box_toy(Path(folder))
        return read_manifest(Path(folder) / "toy-looks")


def test_an_outline_beyond_the_picture_lies_along_its_edge_and_none_is_drawn_for_no_number():
    boxes = np.array([[[3, 2, 100, 1], [np.nan] * 4]], dtype=np.float32)
    shown = outlined(np.zeros((1, 2, 1, 6, 8), np.uint8), [Outlines(2, boxes)], 2)[0]
    first = (shown[0] == np.array(COLOURS[0])[:, None, None]).all(0)
    assert first[0].all() and first[-1].all() and first[:, 0].all() and first[:, -1].all()
    assert not first[1:-1, 1:-1].any()
    assert not shown[1].any()


@pytest.mark.parametrize("there", [False, True], ids=["here", "on a server"])
def test_the_command_line_draws_them(bundles, live, tmp_path, there):
    where = ["--server", live.http] if there else ["--bundles", str(bundles)]
    strip = tmp_path / "strip.png"
    done = CliRunner().invoke(
        cli.app, ["draw", "toy-looks", "--seed", "3", "-n", "2", "--boxes", "-o", str(strip), *where]
    )
    assert done.exit_code == 0, done.output
    assert COLOURS[0] in {tuple(c) for c in np.asarray(Image.open(strip)).reshape(-1, 3)}
    done = CliRunner().invoke(cli.app, ["draw", "toy-steps", "--boxes", *where])
    assert done.exit_code == 2 and "--boxes cannot be had: model 'toy-steps'" in " ".join(done.output.split())


def test_a_box_says_its_points_and_nothing_else_does():
    with pytest.raises(ValueError, match="says its points"):
        FrameOutput(name="look", meaning="box")
    with pytest.raises(ValueError, match="says its points"):
        FrameOutput(name="look", meaning="plain", points=3)
