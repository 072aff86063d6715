"""What a bundle cannot draw or judge is refused in the same words on both transports: field, limit, value."""

import grpc
import numpy as np
import pytest

from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from pentimento.service.operations.codec import encode_png
from tests.service.http.test_generate import problem

PICTURE = encode_png(np.zeros((1, 6, 8), np.float32))
UPPER = encode_png((np.arange(6)[:, None].repeat(8, axis=1) < 3).astype(np.float32)[None])

INVALID, NOT_FOUND, UNSUPPORTED = "INVALID_ARGUMENT", "NOT_FOUND", "UNSUPPORTED"
STATUS = {INVALID: 400, NOT_FOUND: 404, UNSUPPORTED: 422}
GRPC_STATUS = {
    INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    UNSUPPORTED: grpc.StatusCode.FAILED_PRECONDITION,
}
PROTO_NAMES = {"steps": "step_count", "n": "image_count", "score": "with_scores"}

JUDGES = "toy-aware, toy-color, toy-critic, toy-digits, toy-dizzy, toy-steps"

CASES = [
    (
        {"model": "toy-critic", "steps": 5},
        INVALID,
        "steps must be 1 for model 'toy-critic', which draws in one step, got 5",
    ),
    (
        {"model": "toy-digits"},
        INVALID,
        "label is needed by model 'toy-digits': 0..9, one of 10 classes",
    ),
    (
        {"model": "toy-digits", "label": 10},
        INVALID,
        "label must be 0..9 for model 'toy-digits' of 10 classes, got 10",
    ),
    (
        {"model": "toy-digits", "label": -1},
        INVALID,
        "label must be 0..9 for model 'toy-digits' of 10 classes, got -1",
    ),
    ({"label": 3}, INVALID, "label cannot be given: model 'toy-steps' is not conditional, got 3"),
    (
        {"labels": [3, 4]},
        INVALID,
        "labels cannot be given: model 'toy-steps' is not conditional, got 2 of them",
    ),
    (
        {"model": "toy-digits", "labels": [3, 4, 10]},
        INVALID,
        "labels[2] must be 0..9 for model 'toy-digits' of 10 classes, got 10",
    ),
    (
        {"model": "toy-digits", "labels": [3, 4], "n": 3},
        INVALID,
        "labels must have 3 entries, one for each image, got 2",
    ),
    (
        {"model": "toy-digits", "labels": [3, 4], "label": 3},
        INVALID,
        "labels cannot be given together with label, got 2 and 3",
    ),
    ({"model": "toy-digits", "labels": [1] * 65}, INVALID, "n must be 1..64, got 65"),
    (
        {"score_by": "nobody"},
        NOT_FOUND,
        "score_by 'nobody' is not served here; served are: toy-aware, toy-black, toy-code,",
    ),
    ({"score_by": ""}, NOT_FOUND, "score_by '' is not served here"),
    (
        {"score_by": "toy-once"},
        UNSUPPORTED,
        f"score_by 'toy-once' cannot score; models that can: {JUDGES}",
    ),
    (
        {"score_by": "toy-group"},
        UNSUPPORTED,
        "score_by 'toy-group' cannot score; models that can: toy-aware,",
    ),
    ({"score_by": "toy-moody"}, UNSUPPORTED, "score_by 'toy-moody' cannot score"),
    (
        {"model": "toy-once", "score": True},
        UNSUPPORTED,
        f"model 'toy-once' cannot score; models that can: {JUDGES}",
    ),
    (
        {"score": False, "score_by": "toy-critic"},
        INVALID,
        "score is false, but score_by asks for scores; leave one of them out",
    ),
    (
        {"score_by": "toy-color"},
        INVALID,
        "score_by 'toy-color' judges images of shape (3, 4, 5), but model 'toy-steps' draws (1, 6, 8)",
    ),
    (
        {"score_by": "toy-aware"},
        INVALID,
        "score_by 'toy-aware' judges images of 10 classes by their label, but model 'toy-steps' draws no ",
    ),
    (
        {"model": "toy-labels", "label": 1, "score_by": "toy-aware"},
        INVALID,
        "score_by 'toy-aware' judges images of 10 classes by their label, but model 'toy-labels' draws 3 ",
    ),
]


@pytest.fixture
def http(judging):
    with judging.client() as client:
        yield client


@pytest.fixture
def stub(judging):
    with grpc.insecure_channel(judging.grpc) as channel:
        yield pb_grpc.CanvasServiceStub(channel)


@pytest.mark.parametrize(("fields", "code", "says"), CASES)
def test_over_http(http, fields, code, says):
    listed = {key: value for key, value in fields.items() if key == "labels"}
    query = {key: str(value).lower() if isinstance(value, bool) else value for key, value in fields.items()}
    query.pop("labels", None)
    answers = [http.post("/generate", json=fields)]
    answers.append(http.post("/generate", params=query, json=listed))
    for answer in answers:
        body = problem(answer, STATUS[code])
        assert says in body["detail"]
        assert (body["code"], body["field"]) == (code, says.split()[0])


@pytest.mark.parametrize("rpc", ["StreamCanvas", "Generate"])
@pytest.mark.parametrize(("fields", "code", "says"), CASES)
def test_over_grpc(stub, rpc, fields, code, says):
    spec = pb.DrawingSpec(**{PROTO_NAMES.get(key, key): value for key, value in fields.items()})
    says = " ".join([PROTO_NAMES.get(says.split()[0], says.split()[0]), *says.split()[1:]])
    error = refusal(getattr(stub, rpc), getattr(pb, f"{rpc}Request")(drawing=spec))
    assert (error.code(), says in error.details()) == (GRPC_STATUS[code], True), error.details()
    metadata = dict(error.trailing_metadata())
    assert (metadata["pentimento-code"], metadata["pentimento-field"]) == (code, says.split()[0])


READINGS = [
    ("toy-steps", 3, "label cannot be given: the scorer of 'toy-steps' takes none, got 3"),
    ("toy-digits", 3, "label cannot be given: the scorer of 'toy-digits' takes none, got 3"),
    ("toy-aware", None, "label is needed by model 'toy-aware': 0..9, one of 10 classes"),
    ("toy-aware", 10, "label must be 0..9 for model 'toy-aware' of 10 classes, got 10"),
]


@pytest.mark.parametrize(("model", "label", "says"), READINGS)
def test_the_class_of_given_pictures(http, stub, model, label, says):
    query = {"model": model} | ({} if label is None else {"label": label})
    answer = http.post("/score", params=query, content=PICTURE, headers={"Content-Type": "image/png"})
    assert problem(answer, 400)["detail"] == says
    error = refusal(stub.Score, pb.ScoreRequest(model=model, images=[PICTURE], label=label))
    assert (error.code(), error.details()) == (grpc.StatusCode.INVALID_ARGUMENT, says)


@pytest.mark.parametrize("path", ["/autoencode?model=toy-code", "/complete?model=toy-black"])
@pytest.mark.parametrize(
    ("judge", "status"), [("nobody", 404), ("toy-once", 422), ("toy-color", 400), ("toy-aware", 400)]
)
def test_drawings_that_start_from_a_picture(http, path, judge, status):
    files = [("image", ("a.png", PICTURE)), ("mask", ("b.png", UPPER))]
    answer = http.post(f"{path}&score_by={judge}", files=files if "complete" in path else files[:1])
    assert problem(answer, status)["field"] == "score_by"


@pytest.mark.parametrize("path", ["/autoencode?model=toy-code", "/complete?model=toy-black"])
def test_a_drawing_from_a_picture_that_shall_and_shall_not_be_judged(http, stub, path):
    files = [("image", ("a.png", PICTURE)), ("mask", ("b.png", UPPER))]
    url = f"{path}&score=false&score_by=toy-critic"
    answer = http.post(url, files=files if "complete" in path else files[:1])
    assert problem(answer, 400)["field"] == "score"
    asked = {"image": PICTURE, "with_scores": False, "score_by": "toy-critic"}
    if "complete" in path:
        error = refusal(stub.Complete, pb.CompleteRequest(model="toy-black", mask=UPPER, **asked))
    else:
        error = refusal(stub.Autoencode, pb.AutoencodeRequest(model="toy-code", **asked))
    assert error.details() == "with_scores " + problem(answer, 400)["detail"].removeprefix("score ")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"labels": 3}, "labels "),
        ({"labels": [1.5]}, "labels.0 must be a whole number or the name of a class, got 1.5"),
        ({"labels": [None]}, "labels.0 "),
        (
            {"labels": ["eleven"]},
            "labels[0] must be one of the 10 classes of model 'toy-digits' (zero, one, ",
        ),
        ({"labels": []}, "n must be 1..64, got 0"),
        ({"labels": [], "n": 2}, "labels must have 2 entries, one for each image, got 0"),
        ({"score_by": 3}, "score_by should be a valid string, got 3"),
        ({"score_by": ["toy-steps"]}, "score_by should be a valid string, got list"),
    ],
)
def test_json_of_another_type(http, content, says):
    assert says in problem(http.post("/generate", json={"model": "toy-digits"} | content), 400)["detail"]


def refusal(call, request) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        answer = call(request)
        list(answer) if hasattr(answer, "__next__") else answer
    return caught.value
