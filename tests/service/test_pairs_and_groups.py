"""Scorers that judge a picture with its latents, and pictures as a group, over both transports."""

import base64
import json

import grpc
import numpy as np
import pentimento_client
import pytest
from typer.testing import CliRunner

from pentimento.bundle.manifest import Manifest
from pentimento.bundle.noise import draw
from pentimento.bundle.scorer import judges
from pentimento.bundle.store import read_manifest
from pentimento.service.cli import main as cli
from pentimento.service.errors import PentimentoError
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from pentimento.service.operations.codec import encode_png
from pentimento.service.operations.scorer_checks import score_by
from tests.service.live import LiveServer
from tests.service.pair_toys import CALLS, GROUP, opinion, write_pair_toy
from tests.service.toys import write_toys

LEVELS = np.array([0, 51, 255], dtype=np.float32) / 255
IMAGES = np.broadcast_to(LEVELS[:, None, None, None], (3, 1, 6, 8))
Z = np.random.default_rng(0).normal(size=(3, CALLS, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    write_pair_toy(folder)
    write_toys(folder, ["toy-steps"])
    return folder


@pytest.fixture(scope="module")
def live(bundles):
    server = LiveServer(bundles, default_model="toy-pairs")
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


def pngs(count=3):
    return [encode_png(image) for image in IMAGES[:count]]


def refused(client, sentence, *arguments, **options):
    with pytest.raises(pentimento_client.PentimentoError) as caught:
        client.score(*arguments, **options)
    assert caught.value.code is pentimento_client.Code.INVALID_ARGUMENT
    assert caught.value.message == sentence


def test_pictures_are_judged_with_their_latents_after_the_last_step(client):
    result = client.score(pngs(), "toy-pairs", latents={"z": Z})
    np.testing.assert_allclose(result.scores.logits, opinion(IMAGES, Z) + CALLS - 1, rtol=1e-5)
    assert not result.group
    expected = 1 / (1 + np.exp(-result.scores.logits))
    np.testing.assert_allclose(result.scores.probabilities, expected, rtol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_group_has_a_score_for_every_prefix(client, count):
    result = client.score(pngs(count), "toy-pairs", latents={"z": Z[:count]}, group=True)
    np.testing.assert_allclose(result.scores.logits, opinion(IMAGES, Z)[:count].cumsum(), rtol=1e-5)
    assert result.group and result.scores.probabilities.shape == (count,)


def test_every_canvas_of_a_drawing_is_judged_with_what_drew_it(client):
    drawing = client.generate("toy-pairs", n=2, seed=4, score=True, encoding="png")
    z = draw(4, "z", (CALLS, 2), rows=range(2))
    for t, frame in enumerate(drawing.frames):
        np.testing.assert_allclose(
            frame.scores.logits, opinion(frame.arrays, z) + t, atol=0.05
        )  # png: 8 bits


def test_a_reconstruction_is_judged_with_its_encoding(client):
    drawing = client.autoencode(IMAGES[1, 0], "toy-pairs", samples=2, score=True)
    z = drawing.encoding["z"]
    np.testing.assert_allclose(z, np.full((2, CALLS, 2), LEVELS[1]), rtol=1e-5)
    last = drawing.frames[-1]
    np.testing.assert_allclose(last.scores.logits, opinion(last.arrays, z) + 1, atol=0.05)


def test_an_encoding_can_be_handed_on_as_it_came(client):
    encoded = client.encode(pngs(), "toy-pairs").encoding
    result = client.score(pngs(), "toy-pairs", latents=encoded)
    np.testing.assert_allclose(result.scores.logits, opinion(IMAGES, encoded["z"]) + 1, rtol=1e-5)


def test_what_is_asked_wrongly_is_refused_in_a_sentence(client):
    refused(
        client,
        "latents.z is needed: the scorer of 'toy-pairs' judges a picture together with its latents, such as "
        "/encode gives",
        pngs(),
        "toy-pairs",
    )
    refused(client, f"latents.z must have shape (3, {CALLS}, 2), got (2, {CALLS}, 2)", pngs(), "toy-pairs",
            latents={"z": Z[:2]})  # fmt: skip
    refused(client, "latents.w is not taken by the scorer of 'toy-pairs'; it takes: z", pngs(), "toy-pairs",
            latents={"z": Z, "w": Z})  # fmt: skip
    refused(client, "latents.z is not taken by the scorer of 'toy-steps'; it judges pictures alone", pngs(),
            "toy-steps", latents={"z": Z})  # fmt: skip
    four = [*pngs(), *pngs(1)]
    refused(client, f"group must be of 1..{GROUP} images for model 'toy-pairs', got 4", four, "toy-pairs",
            latents={"z": np.concatenate([Z, Z[:1]])}, group=True)  # fmt: skip
    refused(client, "group cannot be judged: the scorer of 'toy-steps' judges one image at a time", pngs(),
            "toy-steps", group=True)  # fmt: skip
    with pytest.raises(
        pentimento_client.PentimentoError, match="judges images together with its own latents"
    ):
        client.generate("toy-steps", score_by="toy-pairs")


def test_huge_latents_of_one_picture_do_not_spoil_a_group_of_one(client):
    z = np.full((1, CALLS, 2), 1e6, dtype=np.float32)  # the largest that is taken
    alone = client.score(pngs(1), "toy-pairs", latents={"z": z}).scores.logits
    group = client.score(pngs(1), "toy-pairs", latents={"z": z}, group=True).scores.logits
    assert np.isfinite(alone).all() and group == pytest.approx(alone)


def test_a_group_has_no_label(client):
    refused(client, "label cannot be given for a group, got 1", pngs(2), "toy-pairs", latents={"z": Z[:2]},
            group=True, label=1)  # fmt: skip


def test_a_scorer_of_steps_needs_a_drawing_of_fixed_calls(bundles):
    manifest = read_manifest(bundles / "toy-pairs")
    assert judges(manifest)
    grown = manifest.model_dump()
    grown["drawing"]["phases"][1]["calls"] = "steps"
    assert not judges(Manifest.model_validate(grown))


def test_a_judge_of_steps_judges_its_own_only(bundles):
    manifest = read_manifest(bundles / "toy-pairs").model_dump()
    manifest["graphs"].pop("score_group")
    manifest["scorer"]["group_size"] = None
    score = manifest["graphs"]["score"]
    score["inputs"] = [tensor for tensor in score["inputs"] if tensor["name"] != "z"]
    with pytest.raises(PentimentoError, match="judges the steps of its own drawings"):
        score_by(Manifest.model_validate(manifest), read_manifest(bundles / "toy-steps"))


def test_what_a_scorer_takes_is_listed(client):
    pairs, steps = client.model("toy-pairs"), client.model("toy-steps")
    assert (pairs.score_takes, pairs.group_size) == (("z",), GROUP)
    assert (steps.score_takes, steps.group_size) == ((), None)
    assert "score" in pairs.operations


def test_json_has_the_latents_and_a_raw_picture_cannot(http):
    images = [base64.b64encode(png).decode() for png in pngs()]
    answer = http.post(
        "/score?model=toy-pairs&group=true", json={"images": images, "latents": {"z": Z.tolist()}}
    )
    body = answer.json()
    assert body["group"] is True
    logits = [score["logit"] for score in body["scores"]]
    np.testing.assert_allclose(logits, opinion(IMAGES, Z).cumsum(), rtol=1e-5)
    answer = http.post("/score?model=toy-pairs", content=pngs()[0], headers={"Content-Type": "image/png"})
    assert answer.status_code == 400 and answer.json()["field"] == "latents.z"
    answer = http.post("/encode?model=toy-pairs", json={"images": images, "latents": {}})
    assert answer.status_code == 400, "an encoder takes no latents"


def test_a_tensor_given_twice_is_refused(live):
    tensor = pb.Tensor(name="z", shape=[1, CALLS, 2], values=[0.0] * 2 * CALLS)
    request = pb.ScoreRequest(model="toy-pairs", images=pngs(1), latents=[tensor, tensor])
    with grpc.insecure_channel(live.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        pb_grpc.CanvasServiceStub(channel).Score(request)
    assert caught.value.details() == "latents.z is given twice"


def test_the_command_line_says_which_flag(bundles, tmp_path):
    picture = tmp_path / "one.png"
    picture.write_bytes(pngs(1)[0])
    arguments = ["score", str(picture), "--model", "toy-steps", "--group", "--bundles", str(bundles)]
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 2 and "--group cannot be judged" in " ".join(done.output.split())


@pytest.fixture(params=["here", "http", "grpc"])
def where(request, bundles, live):
    there = {"http": live.http, "grpc": f"grpc://{live.grpc}"}
    return ["--bundles", str(bundles)] if request.param == "here" else ["--server", there[request.param]]


def program(*arguments):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def test_the_program_encodes_and_gives_the_encoding_to_scorer_and_drawing(where, tmp_path):
    pictures = [tmp_path / f"{index}.png" for index in range(2)]
    for path, data in zip(pictures, pngs(2), strict=True):
        path.write_bytes(data)
    file = tmp_path / "encoding.npz"
    done = program("encode", *pictures, "-o", file, *where)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0].startswith("toy-pairs 1.0.0, seed ")
    assert f"z: 2 of {CALLS}x2\n" in done.output and done.output.endswith(f"wrote {file}\n")
    z = np.load(file)["z"]
    said = json.loads(program("encode", *pictures, "--json", *where).output)
    assert np.allclose(said["encoding"]["z"], z)
    np.savez(tmp_path / "more.npz", z=z, mean=np.zeros(3))  # what no drawing takes is left out
    for latents in (file, tmp_path / "more.npz"):
        scored = program("score", *pictures, "--latents", latents, "--json", *where)
        assert scored.exit_code == 0, scored.output
        logits = [image["logit"] for image in json.loads(scored.output)["images"]]
        assert np.allclose(logits, opinion(IMAGES[:2], z) + CALLS - 1, atol=1e-4)
    drawing = tmp_path / "drawing.npy"
    drawn = program("draw", "--latents", file, "-o", drawing, *where)
    assert drawn.exit_code == 0, drawn.output
    assert np.allclose(
        np.load(drawing)[:, -1],
        np.clip(z.mean((1, 2)).reshape(2, 1, 1, 1) * CALLS / 4 + 0.5, 0, 1),
        atol=0.01,
    )


def test_files_that_hold_no_latents_are_refused(bundles, tmp_path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(pngs(1)[0])
    other, text, objects = (tmp_path / name for name in ("other.npz", "text.npz", "objects.npz"))
    np.savez(other, w=np.zeros((1, 2)))
    text.write_text("no arrays")
    np.savez(objects, z=np.array([{}], dtype=object))
    for path, sentence in (
        (other, "--latents has w; 'toy-pairs' takes z"),
        (text, "--latents must be a .npz file of numbers"),
        (objects, "--latents must be a .npz file of numbers"),
    ):
        done = program("score", picture, "-m", "toy-pairs", "--latents", path, "--bundles", bundles)
        assert done.exit_code == 2 and sentence in " ".join(done.output.split()), done.output
    for name, sentence in (("a.json", "must end in .npz, got 'a.json'"), ("other.npz", "is there already")):
        done = program("encode", picture, "-m", "toy-pairs", "-o", tmp_path / name, "--bundles", bundles)
        assert done.exit_code == 2 and sentence in " ".join(done.output.split()), done.output
