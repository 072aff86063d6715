"""Another bundle's scorer for every canvas: whose opinion, of which kind, on both transports alike."""

import asyncio
import base64
import io
import json
import shutil
from pathlib import Path

import grpc
import httpx
import numpy as np
import pytest

from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from pentimento.service.operations.codec import encode_png
from tests.service.judging_toys import CRITIC_GAIN
from tests.service.live import LiveServer, sse_events
from tests.service.toys import LOGIT_GAIN

ZOO = Path(__file__).parents[2] / "zoo"
PICTURE = encode_png(np.arange(48, dtype=np.float32).reshape(1, 6, 8) / 50)
UPPER = encode_png((np.arange(6)[:, None].repeat(8, axis=1) < 3).astype(np.float32)[None])
CRITIC = {"model": "toy-critic", "version": "2.3.0"}


@pytest.fixture
def http(judging):
    with judging.client() as client:
        yield client


@pytest.fixture
def stub(judging):
    with grpc.insecure_channel(judging.grpc) as channel:
        yield pb_grpc.CanvasServiceStub(channel)


def drawn(http, **query) -> np.ndarray:
    """All canvases, (n, steps, C, H, W)."""
    answer = http.post("/generate", params=query, headers={"Accept": "application/x-npy"})
    assert answer.status_code == 200, answer.text
    return np.load(io.BytesIO(answer.content))


def generated(http, **query) -> dict:
    answer = http.post("/generate", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def logits(frames) -> np.ndarray:
    """(n, steps)."""
    return np.array([[score["logit"] for score in frame["scores"]] for frame in frames]).T


def test_a_critic_judges_what_another_bundle_draws(http):
    query = {"model": "toy-steps", "n": 3, "steps": 4, "seed": 5}
    answer = http.post("/generate", params=query | {"score_by": "toy-critic"})
    body = answer.json()
    assert (body["score_kind"], body["scored_by"]) == ("critic", CRITIC)
    assert list(body)[:7] == ["model", "version", "seed", "n", "steps", "score_kind", "scored_by"]
    for frame in body["frames"]:
        assert frame["score_kind"] == "critic"
        assert all(set(score) == {"logit"} for score in frame["scores"]), "a critic has no probability"
    canvases = drawn(http, **query)
    want = CRITIC_GAIN * (canvases.mean(axis=(2, 3, 4)) - 0.5)
    np.testing.assert_allclose(logits(body["frames"]), want, atol=1e-2)
    assert np.abs(want).max() > 1, "this critic leaves the range of probabilities"
    headers = {name: answer.headers[f"Pentimento-{name}"] for name in ("Score-Kind", "Scored-By")}
    assert headers == {"Score-Kind": "critic", "Scored-By": "toy-critic"}
    assert answer.headers["Pentimento-Scored-By-Version"] == "2.3.0"
    plain = generated(http, **query)
    assert [frame["images"] for frame in body["frames"]] == [frame["images"] for frame in plain["frames"]]
    assert not {"score_kind", "scored_by"} & set(plain) and "scores" not in plain["frames"][0]


def test_a_discriminator_judges_with_a_probability(http):
    body = generated(http, model="toy-critic", n=4, seed=1, score_by="toy-steps")
    assert (body["score_kind"], body["scored_by"]["model"]) == ("discriminator", "toy-steps")
    canvas = drawn(http, model="toy-critic", n=4, seed=1)
    want = LOGIT_GAIN * (canvas.mean(axis=(2, 3, 4)) - 0.5)
    np.testing.assert_allclose(logits(body["frames"]), want, atol=1e-5)
    probabilities = [score["probability"] for score in body["frames"][0]["scores"]]
    np.testing.assert_allclose(probabilities, (1 / (1 + np.exp(-want)))[:, 0], atol=1e-6)


def untimed(body: dict) -> dict:
    frames = [{k: v for k, v in frame.items() if k != "elapsed_us"} for frame in body["frames"]]
    return {k: v for k, v in body.items() if k != "timing"} | {"frames": frames}


def test_score_is_the_bundles_own_scorer_and_score_by_its_own_name_the_same(http):
    own = untimed(generated(http, seed=3, n=2, score="true"))
    assert own["scored_by"] == {"model": "toy-steps", "version": "1.0.0"}
    for query in ({"score_by": "toy-steps"}, {"score": "true", "score_by": "toy-steps"}):
        assert untimed(generated(http, seed=3, n=2, **query)) == own


def test_score_by_implies_score_and_says_whose(http):
    other = untimed(generated(http, seed=3, score_by="toy-critic"))
    assert untimed(generated(http, seed=3, score="true", score_by="toy-critic")) == other
    body = http.post("/generate", json={"seed": 3, "score_by": "toy-critic"}).json()
    assert untimed(body) == other
    both = http.post("/generate?score_by=toy-critic", json={"score_by": "toy-steps"})
    assert both.status_code == 400
    assert (
        both.json()["detail"]
        == "score_by is given twice: 'toy-critic' in the query and 'toy-steps' in the body"
    )


@pytest.mark.parametrize("kind", ["text/event-stream", "application/x-ndjson"])
def test_every_event_of_a_stream_says_how_to_read_it(http, kind):
    query = {"steps": 3, "seed": 2, "score_by": "toy-critic"}
    answer = http.post("/generate", params=query, headers={"Accept": kind})
    if kind == "text/event-stream":
        *frames, done = [data for _, data in sse_events(answer.text.split("\n"))]
    else:
        *frames, done = [json.loads(line) for line in answer.text.splitlines()]
    assert [frame["score_kind"] for frame in frames] == ["critic"] * 3
    assert (done["score_kind"], done["scored_by"]) == ("critic", CRITIC)
    assert answer.headers["Pentimento-Scored-By"] == "toy-critic"


def test_a_scorer_that_fails_is_named_and_hurts_nobody_else(http):
    answer = http.post("/generate", params={"score_by": "toy-dizzy", "steps": 1})
    assert (answer.status_code, answer.json()["code"]) == (500, "INFERENCE_FAILED")
    assert "toy-dizzy/score" in answer.json()["detail"]
    assert generated(http, steps=1)["frames"]


def test_black_and_white_canvases_are_judged_as_they_are(http):
    body = generated(http, model="toy-black", n=5, seed=8, score_by="toy-critic")
    canvases = drawn(http, model="toy-black", n=5, seed=8)
    assert set(np.unique(canvases)) == {0, 1}
    np.testing.assert_allclose(
        logits(body["frames"]), CRITIC_GAIN * (canvases.mean(axis=(2, 3, 4)) - 0.5), atol=1e-2
    )


@pytest.mark.parametrize("path", ["/autoencode?model=toy-code", "/complete?model=toy-black"])
def test_drawings_that_start_from_a_picture_are_judged_too(http, path):
    pictures = {"image": PICTURE} if "autoencode" in path else {"image": PICTURE, "mask": UPPER}
    body = {name: base64.b64encode(data).decode() for name, data in pictures.items()}
    answer = http.post(f"{path}&seed=4&fit=resize&score_by=toy-critic", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["scored_by"] == CRITIC
    assert {frame["score_kind"] for frame in answer.json()["frames"]} == {"critic"}


def read(call) -> tuple[pb.DrawingHeader, list[pb.Frame]]:
    header, *frames, _ = [message for message in call if message.WhichOneof("event") != "encoder_output"]
    return header.header, [message.frame for message in frames]


CALLS = {
    "StreamCanvas": lambda by: pb.StreamCanvasRequest(drawing=pb.DrawingSpec(seed=4, score_by=by)),
    "Autoencode": lambda by: pb.AutoencodeRequest(model="toy-code", image=PICTURE, score_by=by),
    "Complete": lambda by: pb.CompleteRequest(model="toy-black", image=PICTURE, mask=UPPER, score_by=by),
}


@pytest.mark.parametrize("rpc", CALLS)
def test_grpc_says_whose_opinion_of_which_kind(stub, rpc):
    header, frames = read(getattr(stub, rpc)(CALLS[rpc]("toy-critic")))
    assert header.score_kind == pb.SCORE_KIND_CRITIC
    assert (header.scored_by.model, header.scored_by.version) == ("toy-critic", "2.3.0")
    assert {frame.scores.kind for frame in frames} == {pb.SCORE_KIND_CRITIC}
    assert all(frame.scores.logits and not frame.scores.probabilities for frame in frames)
    header, frames = read(getattr(stub, rpc)(CALLS[rpc](None)))
    assert header.score_kind == pb.SCORE_KIND_UNSPECIFIED and not header.HasField("scored_by")


def test_grpc_generates_with_the_scores_that_http_has(stub, http):
    body = generated(http, seed=6, n=3, score_by="toy-critic")
    spec = pb.DrawingSpec(seed=6, image_count=3, score_by="toy-critic")
    answer = stub.Generate(pb.GenerateRequest(drawing=spec))
    assert answer.header.scored_by.model == "toy-critic"
    got = np.array([frame.scores.logits for frame in answer.frames], np.float32).T
    np.testing.assert_array_equal(got, logits(body["frames"]).astype(np.float32))
    own = stub.Generate(pb.GenerateRequest(drawing=pb.DrawingSpec(seed=6, with_scores=True)))
    assert (own.header.scored_by.model, own.header.score_kind) == ("toy-steps", pb.SCORE_KIND_DISCRIMINATOR)


@pytest.fixture
def zoo(tmp_path):
    for name in ("gran1-mnist", "gran3-mnist", "gran5-mnist"):
        shutil.copytree(ZOO / name, tmp_path / name)
    server = LiveServer(tmp_path)
    yield server
    server.close()


TOYS = [("toy-steps", 3), ("toy-critic", 7), ("toy-rows", 2), ("toy-black", 5)]
TRAINED = [("gran5-mnist", 2), ("gran1-mnist", 1)]


@pytest.mark.parametrize(
    ("served", "models", "judges"),
    [("judging", TOYS, ("toy-critic", "toy-steps")), ("zoo", TRAINED, ("gran3-mnist", "gran5-mnist"))],
)
async def test_the_same_seed_gives_the_same_scores_whatever_else_runs(request, served, models, judges):
    url = request.getfixturevalue(served).http
    kinds = [
        {"model": model, "n": n, "seed": seed, "score_by": judge}
        for seed in range(4)
        for model, n in models
        for judge in judges
    ]
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:

        async def draw(query):
            answer = await client.post("/generate", params=query)
            assert answer.status_code == 200, answer.text
            return untimed(answer.json())

        alone = [await draw(query) for query in kinds]
        together = await asyncio.gather(*(draw(query) for query in kinds for _ in range(2)))
    assert together[::2] == together[1::2] == alone
