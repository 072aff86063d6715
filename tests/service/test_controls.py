"""Numbers that a request may set: fed a value a row, over both transports, from every client; and `steps`."""

import asyncio
import io
import json

import grpc
import numpy as np
import pentimento_client
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from pentimento.bundle.drawing import Control
from pentimento.bundle.manifest import Manifest
from pentimento.bundle.noise import draw
from pentimento.bundle.store import read_manifest
from pentimento.service.cli import main as cli
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from pentimento.service.operations.codec import encode_png
from tests.service.control_toys import TILT, guided, write_control_toy
from tests.service.live import LiveServer
from tests.service.toys import write_toys

MODEL = "toy-guided"


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("controlled")
    write_control_toy(folder)
    write_toys(folder, ["toy-steps"])
    return folder


@pytest.fixture(scope="module")
def live(bundles):
    server = LiveServer(bundles, default_model=MODEL)
    yield server
    server.close()


@pytest.fixture
def http(live):
    with live.client() as client:
        yield client


@pytest.fixture(params=["http", "grpc"])
def client(request, live):
    url = live.http if request.param == "http" else f"grpc://{live.grpc}"
    with pentimento_client.Client(url) as client:
        yield client


def expected(seed, tilt, steps, n=1):
    return guided(draw(seed, "latent", (4,), rows=range(n)), tilt, steps)


def levels(answer) -> np.ndarray:
    """The levels of a drawing that came as .npy, (n, steps)."""
    assert answer.status_code == 200, answer.text
    return np.load(io.BytesIO(answer.content))[:, :, 0, 0, 0]


def as_npy(http, url, **body):
    return http.post(url, json=body, headers={"Accept": "application/x-npy"})


def test_a_query_and_a_body_set_a_control(http):
    for steps in (1, 4, 12):
        found = levels(as_npy(http, f"/generate?seed=3&n=2&steps={steps}&tilt=-1.5"))
        np.testing.assert_allclose(found, expected(3, -1.5, steps, 2), atol=1e-6)
    found = levels(as_npy(http, "/generate", seed=3, steps=4, controls={"tilt": 2}))
    np.testing.assert_allclose(found, expected(3, 2, 4), atol=1e-6)
    np.testing.assert_allclose(
        levels(as_npy(http, "/generate?seed=3")), expected(3, TILT.default, 4), atol=1e-6
    )


def test_the_same_control_gives_the_same_bytes_and_another_others(http):
    asked = [http.post(f"/generate?seed=5&tilt={tilt}").json()["frames"] for tilt in (1, 1.0, "1e0", 0.5)]
    images = [[frame["images"] for frame in frames] for frames in asked]
    assert images[0] == images[1] == images[2] != images[3]
    default = http.post("/generate?seed=5").json()["frames"]
    assert [frame["images"] for frame in default] == images[3], "a default that is named is the default"


def test_clients_set_controls_of_all_drawings(client):
    drawing = client.generate(MODEL, n=2, seed=4, steps=6, controls={"tilt": 1.25})
    np.testing.assert_allclose(drawing.arrays[:, :, 0, 0, 0], expected(4, 1.25, 6, 2), atol=0.5 / 255 + 1e-6)
    image = np.full((6, 8), 51, np.uint8)
    again = client.autoencode(image, MODEL, samples=2, controls={"tilt": -1}).arrays[:, -1, 0, 0, 0]
    np.testing.assert_allclose(again, guided(np.full((2, 4), 0.2), -1, 4)[:, -1], atol=0.5 / 255 + 1e-6)
    mask = np.zeros((6, 8), np.uint8)
    mask[:3] = 255
    rest = client.complete(image, mask, MODEL, seed=4, controls={"tilt": 2}).arrays[0, -1, 0]
    np.testing.assert_allclose(rest[:3], 0.2, atol=1e-6)
    np.testing.assert_allclose(rest[3:], expected(4, 2, 4)[0, -1], atol=0.5 / 255 + 1e-6)


def test_a_model_lists_its_controls(client, http):
    model = client.model(MODEL)
    assert [(each.name, each.min, each.max, each.default, each.summary) for each in model.controls] == [
        ("tilt", -2, 2, 0.5, "More of it draws brighter.")
    ]
    assert client.model("toy-steps").controls == ()
    assert http.get(f"/models/{MODEL}").json()["controls"] == [TILT.model_dump()]


@pytest.mark.parametrize(
    ("controls", "sentence"),
    [
        ({"tilt": 2.5}, "controls.tilt must be -2..2, got 2.5"),
        ({"tilt": -3}, "controls.tilt must be -2..2, got -3"),
        ({"guidance": 1}, "controls.guidance is no control of model 'toy-guided'; it has: tilt"),
    ],
)
def test_values_out_of_range_and_unknown_controls_are_refused(client, controls, sentence):
    for draws in (
        lambda: client.generate(MODEL, controls=controls),
        lambda: client.autoencode(np.zeros((6, 8), np.uint8), MODEL, controls=controls),
    ):
        with pytest.raises(pentimento_client.PentimentoError) as caught:
            draws()
        assert caught.value.code is pentimento_client.Code.INVALID_ARGUMENT
        # In a query, what no model has is no parameter at all.
        unknown = "guidance is not known here; known are: boxes, fit, label, model, samples, scale, score,"
        assert caught.value.message == sentence or caught.value.message.startswith(unknown)


@pytest.mark.parametrize(
    ("url", "body", "sentence"),
    [
        ("/generate?tilt=high", None, "tilt must be a number, got 'high'"),
        ("/generate?tilt=nan", None, "controls.tilt must be -2..2, got nan"),
        ("/generate?tilt=1&tilt=2", None, "tilt"),
        (
            "/generate?tilt=1",
            {"controls": {"tilt": 2}},
            "tilt is given twice: 1 in the query and 2 in the body",
        ),
        ("/generate", {"controls": {"tilt": "1"}}, "controls.tilt must be a number, got '1'"),
        ("/generate", {"controls": {"tilt": True}}, "controls.tilt must be a number, got True"),
        ("/generate", {"controls": [1]}, "controls"),
        (
            "/generate?model=toy-steps&tilt=1",
            None,
            "controls.tilt is no control of model 'toy-steps'; it has none",
        ),
        (
            "/generate?tlit=1",
            None,
            "tlit is not known here; known are: boxes, label, model, n, scale, score,",
        ),
    ],
)
def test_what_is_no_number_or_is_given_twice_is_refused(http, url, body, sentence):
    answer = http.post(url, json=body) if body is not None else http.post(url)
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"].startswith(sentence)


def test_not_a_number_is_refused_over_grpc(live):
    with grpc.insecure_channel(live.grpc) as channel:
        stub = pb_grpc.CanvasServiceStub(channel)
        request = pb.GenerateRequest(drawing=pb.DrawingSpec(model=MODEL, controls={"tilt": float("nan")}))
        with pytest.raises(grpc.RpcError) as caught:
            stub.Generate(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "controls.tilt must be -2..2, got nan"


async def test_drawings_of_other_controls_and_steps_share_batches_and_do_not_mix(live):
    """Each is what it is alone, whoever is drawn beside it."""
    asked = [(seed, tilt, steps) for seed in range(4) for tilt in (-2.0, 0.25, 2.0) for steps in (1, 5, 12)]
    async with pentimento_client.AsyncClient(f"grpc://{live.grpc}") as client:
        drawn = await asyncio.gather(
            *(
                client.generate(MODEL, seed=seed, steps=steps, controls={"tilt": tilt}, encoding="float32")
                for seed, tilt, steps in asked
            )
        )
    for (seed, tilt, steps), drawing in zip(asked, drawn, strict=True):
        np.testing.assert_allclose(drawing.arrays[:, :, 0, 0, 0], expected(seed, tilt, steps), atol=1e-6)


@pytest.fixture(params=["here", "http", "grpc"])
def where(request, bundles, live):
    there = {"http": live.http, "grpc": f"grpc://{live.grpc}"}
    return ["--bundles", str(bundles)] if request.param == "here" else ["--server", there[request.param]]


def program(*arguments):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def test_the_program_sets_controls(where, tmp_path):
    path = tmp_path / "drawing.npy"
    done = program("draw", MODEL, "--seed", 3, "--steps", 5, "--set", "tilt=-1", "-o", path, *where)
    assert done.exit_code == 0, done.output
    np.testing.assert_allclose(np.load(path)[:, :, 0, 0, 0], expected(3, -1, 5), atol=0.5 / 255 + 1e-6)
    picture = tmp_path / "picture.png"
    picture.write_bytes(encode_png(np.full((1, 6, 8), 0.2, np.float32)))
    again = tmp_path / "again.npy"
    done = program("autoencode", picture, "-m", MODEL, "--set", "tilt=1", "-o", again, *where)
    assert done.exit_code == 0, done.output
    assert np.load(again)[0, -1, 0, 0, 0] == pytest.approx(
        guided(np.full((1, 4), 0.2), 1, 4)[0, -1], abs=0.003
    )
    listed = json.loads(program("models", "--json", *where).output)["models"]
    assert {model["name"]: len(model["controls"]) for model in listed} == {MODEL: 1, "toy-steps": 0}
    assert "--set tilt=-2..2 (0.5)" in program("models", *where).output


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["tilt=7"], "--set tilt must be -2..2, got 7"),
        (["tilt"], "--set must be NAME=NUMBER, such as guidance=2, got 'tilt'"),
        (["tilt=1", "tilt=2"], "--set gives tilt twice: 1 and 2"),
        (["gain=2"], "--set gain is no control of model 'toy-guided'; it has: tilt"),
    ],
)
def test_the_program_refuses_in_its_words(bundles, given, sentence):
    options = [word for each in given for word in ("--set", each)]
    done = program("draw", MODEL, *options, "--bundles", bundles)
    assert done.exit_code == 2 and sentence in " ".join(done.output.split()), done.output


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"min": 3}, "control 'tilt' needs min < max, got 3.0 and 2.0"),
        ({"default": 5}, "control 'tilt' needs min <= default <= max, got -2.0, 5.0, 2.0"),
        ({"name": "steps"}, "a control cannot be called 'steps': the name has a fixed meaning"),
        ({"name": "seed"}, "a control cannot be called 'seed': the name has a fixed meaning"),
        ({"summary": ""}, "at least 1 character"),
        ({"max": float("inf")}, "less than or equal to 1000000"),
    ],
)
def test_controls_that_cannot_be_are_refused(change, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Control(**(TILT.model_dump() | change))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda drawing: drawing["controls"].append(TILT.model_dump()), "two controls have the same name"),
        (
            lambda drawing: drawing["controls"][0].update(name="latent"),
            "a control and a noise of the drawing",
        ),
        (
            lambda drawing: drawing["controls"][0].update(name="other"),
            "takes 'tilt', which nothing in a drawing",
        ),
        (
            lambda drawing: drawing["controls"].append(TILT.model_dump() | {"name": "idle"}),
            "no phase takes the control 'idle'",
        ),
    ],
)
def test_manifests_whose_controls_nobody_takes_are_refused(bundles, change, sentence):
    content = read_manifest(bundles / MODEL).model_dump()
    content["drawing"]["controls"] = list(content["drawing"]["controls"])
    change(content["drawing"])
    with pytest.raises(ValidationError, match=sentence):
        Manifest.model_validate(content)


@pytest.mark.parametrize(
    ("name", "spec", "sentence"),
    [
        ("steps", {"dtype": "float32"}, "'steps' must be int64"),
        ("tilt", {"shape": (2,)}, r"'tilt' must be float32 of shape \(B,\)"),
    ],
)
def test_graphs_that_take_them_otherwise_are_refused(bundles, name, spec, sentence):
    content = read_manifest(bundles / MODEL).model_dump()
    tensor = next(each for each in content["graphs"]["step"]["inputs"] if each["name"] == name)
    tensor.update(spec)
    with pytest.raises(ValidationError, match=sentence):
        Manifest.model_validate(content)
