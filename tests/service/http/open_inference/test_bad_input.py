"""What cannot be had over REST is refused in a sentence, in the protocol's form."""

import json

import numpy as np
import pytest
import tritonclient.http
from tritonclient.utils import InferenceServerException

from tests.service.http.open_inference.conftest import input_of
from tests.service.live import LiveServer

INFER = "/v2/models/toy-steps/infer"
CODE = "/v2/models/toy-code:encode/infer"
PICTURE = {"name": "image", "datatype": "UINT8", "shape": [1, 1, 6, 8], "data": [0] * 48}
SEED = {"name": "seed", "datatype": "INT64", "shape": [1], "data": [7]}


def seed(**changes):
    return {"inputs": [SEED | changes]}


def image(**changes):
    return {"inputs": [PICTURE | changes]}


REFUSED = {
    "no model": ("/v2/models/none/infer", {}, 404, "model_name 'none' is not served here; served are: toy-"),
    "no operation": ("/v2/models/toy-once:encode/infer", {}, 404, "bundle 'toy-once' is: toy-once"),
    "another word": ("/v2/models/toy-once:draw/infer", {}, 404, "model_name 'toy-once:draw' is not served"),
    "one name": ("/v2/models/toy-once:generate/infer", {}, 404, "bundle 'toy-once' is: toy-once"),
    "version": (
        "/v2/models/toy-steps/versions/2/infer",
        {},
        404,
        "'2' of 'toy-steps' is not served here; served",
    ),
    "two versions": (
        "/v2/models/toy-steps/versions/1.0.0/infer",
        {"model_version": "1"},
        400,
        "model_version is given twice: '1.0.0' in the path and '1' in the body",
    ),
    "version in body": (INFER, {"model_version": "1"}, 404, "model_version '1' of 'toy-steps' is not served"),
    "two names": (
        INFER,
        {"model_name": "x"},
        400,
        "model_name is given twice: 'toy-steps' in the path and 'x'",
    ),
    "field": (INFER, {"seed": 7}, 400, "seed is not known here; known are: id, model_name"),
    "array": (INFER, [1], 400, "body must be a JSON object"),
    "parameter": (
        INFER,
        {"parameters": {"sede": 7}},
        400,
        "parameters.sede is no parameter of model 'toy-steps'",
    ),
    "number": (INFER, {"parameters": {"seed": 7.5}}, 400, "seed must be a whole number, got 7.5"),
    "truth": (INFER, {"parameters": {"seed": True}}, 400, "seed must be a whole number, got true"),
    "list": (INFER, {"parameters": {"seed": [7]}}, 400, "seed must be a whole number, got a list"),
    "range": (INFER, {"parameters": {"n": 900}}, 400, "n must be 1..64, got 900"),
    "steps": (INFER, {"parameters": {"steps": 17}}, 400, "steps must be 1..16 for model 'toy-steps', got 17"),
    "score": (INFER, {"parameters": {"score": "yes"}}, 400, "score must be true or false, got 'yes'"),
    "sequence": (
        INFER,
        {"parameters": {"sequence_id": 1}},
        400,
        "sequence_id cannot be given: requests are ind",
    ),
    "timeout": (
        INFER,
        {"parameters": {"timeout": -1}},
        400,
        "timeout must be 0 or more microseconds, got -1",
    ),
    "timeouts": (INFER, {"parameters": {"timeout_ms": 9, "timeout": 9}}, 400, "timeout_ms is given twice"),
    "binary": (
        INFER,
        {"parameters": {"binary_data_output": 1}},
        400,
        "binary_data_output must be true or false",
    ),
    "input": (
        INFER,
        seed(name="sede"),
        400,
        "inputs.sede is no input of model 'toy-steps'; it takes: n, steps",
    ),
    "no name": (INFER, {"inputs": [{}]}, 400, "inputs[0].datatype must be a datatype of the protocol"),
    "datatype": (INFER, seed(datatype="FP32"), 400, "seed must be of datatype INT64, got 'FP32'"),
    "no datatype": (
        INFER,
        seed(datatype="LONG"),
        400,
        "inputs[0].datatype must be a datatype of the protocol",
    ),
    "shape": (INFER, seed(shape=[1, 1]), 400, "seed must have shape [1], -1 for any number, got [1, 1]"),
    "no shape": (INFER, seed(shape=None), 400, "inputs[0].shape must be an array"),
    "negative": (
        INFER,
        seed(shape=[-1]),
        400,
        "inputs[0].shape must be whole numbers of 0..2^31 - 1, got -1",
    ),
    "axes": (INFER, seed(shape=[1] * 9), 400, "inputs[0].shape may have at most 8 entries, got 9"),
    "values": (INFER, seed(data=[7, 8]), 400, "seed must have 1 values, as its shape is [1], got 2"),
    "fraction": (
        INFER,
        seed(data=[7.5]),
        400,
        "seed must be whole numbers of -9223372036854775808..9223372036",
    ),
    "no data": (INFER, seed(data=7), 400, "seed must have its data in a list, got 7"),
    "nothing": (
        INFER,
        {"inputs": [{"name": "seed", "datatype": "INT64", "shape": [1]}]},
        400,
        "inputs[0].data is",
    ),
    "tensor twice": (INFER, {"inputs": [SEED, SEED]}, 400, "seed is given twice"),
    "both ways": (INFER, {**seed(), "parameters": {"seed": 7}}, 400, "twice: as an input and as a parameter"),
    "shared": (
        INFER,
        seed(parameters={"shared_memory_region": "mine"}),
        400,
        "inputs[0].parameters.shared_memory_region cannot be given: tensors travel in the message",
    ),
    "output": (
        INFER,
        {"outputs": [{"name": "picture"}]},
        400,
        "outputs.picture is no output of model 'toy-steps'",
    ),
    "output twice": (INFER, {"outputs": [{"name": "canvas"}] * 2}, 400, "outputs.canvas is asked for twice"),
    "classes": (
        INFER,
        {"outputs": [{"name": "canvas", "parameters": {"classification": 3}}]},
        400,
        "outputs[0].parameters.classification cannot be given",
    ),
    "no picture": (
        CODE,
        {},
        400,
        "image is needed by model 'toy-code:encode', as FP32 of shape [-1, 1, 6, 8]",
    ),
    "size": (CODE, image(shape=[1, 1, 8, 6]), 400, "image must have shape [-1, 1, 6, 8], as UINT8"),
    "flat": (
        CODE,
        image(shape=[48]),
        400,
        "image must have shape [-1, 1, 6, 8], as UINT8, -1 for any number, got",
    ),
    "none": (CODE, image(shape=[0, 1, 6, 8], data=[]), 400, "image must have shape [-1, 1, 6, 8]"),
    "short": (
        CODE,
        image(data=[0] * 47),
        400,
        "image must have 48 values, as its shape is [1, 1, 6, 8], got 47",
    ),
    "words": (CODE, image(data=["0"] * 48), 400, "image must be numbers in nested lists of even lengths"),
    "levels": (CODE, image(data=[256] * 48), 400, "image must be whole numbers of 0..255, as UINT8"),
    "light": (
        CODE,
        image(datatype="FP32", data=[1.5] * 48),
        400,
        "image must have numbers of 0..1, got 1.5..1.5",
    ),
    "doubles": (
        CODE,
        image(datatype="FP64"),
        400,
        "image must be of datatype FP32, UINT8 or BYTES, got 'FP64'",
    ),
    "many": (
        CODE,
        image(shape=[65, 1, 6, 8], data=[0] * 48 * 65),
        400,
        "image may have at most 64 pictures, got 65",
    ),
    "base64": (CODE, image(datatype="BYTES", shape=[1], data=["?"]), 400, "image must be base64"),
    "no file": (CODE, image(datatype="BYTES", shape=[1], data=["AAAA"]), 400, "image "),
    "labels": (
        "/v2/models/toy-labels/infer",
        {"inputs": [{"name": "label", "datatype": "INT64", "shape": [65], "data": [0] * 65}]},
        400,
        "label may have at most 64 values, got 65",
    ),
    "no class": ("/v2/models/toy-labels/infer", {"parameters": {"label": 9}}, 400, "label must be 0..2"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_had_is_a_sentence(own, what):
    path, body, status, sentence = REFUSED[what]
    answer = own.post(path, json=body)
    assert answer.headers["content-type"] == "application/json", answer.text
    assert list(answer.json()) == ["error"] and sentence in answer.json()["error"], answer.text
    assert answer.status_code == status


def framed(own, body, tail, size=None, kind="application/octet-stream"):
    """Posts JSON and what follows it; returns status and error."""
    text = json.dumps(body).encode()
    headers = {"Content-Type": kind}
    headers["Inference-Header-Content-Length"] = str(len(text)) if size is None else size
    answer = own.post(CODE, content=text + tail, headers=headers)
    return answer.status_code, answer.json()["error"]


def binary(size, **changes):
    tensor = {key: value for key, value in PICTURE.items() if key != "data"} | changes
    return {"inputs": [tensor | {"parameters": {"binary_data_size": size}}]}


@pytest.mark.parametrize(
    ("body", "tail", "sentence"),
    [
        (binary(47), b"\0" * 47, "image must have 48 bytes, as UINT8 of shape [1, 1, 6, 8], got 47"),
        (binary(49), b"\0" * 49, "image must have 48 bytes"),
        (binary(48), b"\0" * 47, "binary_data_size must be 0..47, the bytes that are left, got 48"),
        (binary(48), b"\0" * 50, "body must have 48 bytes after its JSON, as binary_data_size says, got 50"),
        (binary(-1), b"", "binary_data_size must be 0..0"),
        (binary("48"), b"\0" * 48, "binary_data_size must be 0..48"),
        (
            image(parameters={"binary_data_size": 0}),
            b"",
            "inputs[0].data is given twice: in JSON and as bytes",
        ),
        (
            binary(6, datatype="BYTES", shape=[1]),
            b"\x09\0\0\0ab",
            "image ends within element 0: it has 6 bytes",
        ),
        (binary(3, datatype="BYTES", shape=[1]), b"\x09\0\0", "image ends within element 0"),
        (
            binary(7, datatype="BYTES", shape=[1]),
            b"\x02\0\0\0abc",
            "image must have 6 bytes for its 1 elements",
        ),
        (image(), b"abc", "body must have 0 bytes after its JSON"),
    ],
)
def test_bytes_are_as_many_as_said(own, body, tail, sentence):
    status, error = framed(own, body, tail)
    assert status == 400 and sentence in error


@pytest.mark.parametrize("size", ["0", "-1", "x", "99999", "9" * 30])
def test_the_length_of_the_json_is_a_length(own, size):
    status, error = framed(own, image(), b"", size)
    assert status == 400 and error.startswith("Inference-Header-Content-Length must be 1..")


def test_without_a_length_all_is_json(own):
    answer = own.post(CODE, content=b"abc", headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code == 400 and answer.json()["error"].startswith("body must be JSON")
    answer = own.post(CODE, content=b"abc", headers={"Content-Type": "text/csv"})
    assert answer.status_code == 415 and "Content-Type must be application/json" in answer.json()["error"]


def test_other_errors_have_the_form_too(own):
    for method, path, status in (
        ("GET", INFER, 405),
        ("POST", "/v2/nothing", 404),
        ("GET", "/v2/models", 404),
    ):
        answer = own.request(method, path)
        assert answer.status_code == status and list(answer.json()) == ["error"]


def test_not_a_number_is_refused(client):
    for value in (np.nan, np.inf, -0.5):
        picture = np.full((1, 1, 6, 8), value, np.float32)
        with pytest.raises(InferenceServerException, match=r"image must have numbers of 0\.\.1"):
            client.infer("toy-code:encode", [input_of("image", picture, "FP32")])


def test_the_client_raises_the_sentence(client):
    for ask in (
        lambda: client.infer("none", []),
        lambda: client.get_model_metadata("none"),
        lambda: client.get_model_metadata("toy-steps", "2"),
    ):
        with pytest.raises(InferenceServerException, match="is not served here") as caught:
            ask()
        assert caught.value.status() == "404"
    assert not client.is_model_ready("none")


def test_compressed_bodies_are_refused_in_words(client):
    with pytest.raises(InferenceServerException, match="Content-Encoding must be identity, got 'gzip'"):
        client.infer("toy-steps", [], request_compression_algorithm="gzip")


@pytest.fixture(scope="module")
def narrow(toys):
    """A server with room for four rows, a key, and small bodies."""
    key = "alice-" + "a" * 20
    server = LiveServer(
        toys,
        max_rows_in_flight=4,
        max_images=100,
        max_body_bytes=10_000,
        api_keys=f"alice {key}",
        calibrate=False,
    )
    yield server, {"X-Api-Key": key}
    server.close()


def test_limits_are_those_of_our_own_api(narrow):
    server, key = narrow
    with server.client() as own:
        assert own.get("/v2/health/live").status_code == own.get("/v2/health/ready").status_code == 200
        assert own.get("/v2/models/toy-once").status_code == 401
        assert "key" in own.post("/v2/models/toy-once/infer", json={}).json()["error"]
        many = own.post("/v2/models/toy-once/infer", json={"parameters": {"n": 5}}, headers=key)
        assert (
            many.status_code == 429 and "limit of 4" in many.json()["error"] and many.headers["Retry-After"]
        )
        large = own.post("/v2/models/toy-once/infer", json={"id": "x" * 10_000}, headers=key)
        assert large.status_code == 413 and "at most 10000 bytes" in large.json()["error"]
    address = server.http.removeprefix("http://")
    with tritonclient.http.InferenceServerClient(address) as client:
        assert client.infer("toy-once", [], headers=key).as_numpy("canvas") is not None


def test_a_whole_answer_may_not_be_too_large(narrow):
    server, key = narrow
    body = {"parameters": {"n": 100, "steps": 1000}, "outputs": [{"name": "canvases"}]}
    with server.client() as own:
        answer = own.post("/v2/models/toy-slow/infer", json=body, headers=key)
    assert answer.status_code == 400
    sentence = "n is too large: an answer of 100 images has 4800000 numbers; in JSON it may have 4194304, or"
    assert answer.json()["error"].startswith(sentence)


def test_what_curl_calls_a_form_is_read(own):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = own.post("/v2/models/toy-steps/infer", content=b'{"parameters": {"seed": 7}}', headers=headers)
    assert answer.status_code == 200 and answer.json()["model_name"] == "toy-steps"
