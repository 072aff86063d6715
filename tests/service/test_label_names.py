"""A class is asked for by its name as well as by its number, in every way of asking; it is the same class."""

import asyncio
import io
import subprocess
from types import SimpleNamespace

import grpc
import numpy as np
import pytest
from pentimento_client import AsyncClient, Client, PentimentoError
from PIL import Image

from pentimento.bundle.manifest import Labels
from pentimento.service import errors
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from pentimento.service.operations.classes import class_of
from tests.program.real import PROGRAM

MODEL = "toy-digits"  # its classes are called zero, one, ..., nine


@pytest.fixture
def http(judging):
    with judging.client() as client:
        yield client


def canvases(http, **body):
    body = {"model": MODEL, "seed": 5, "n": 2, **body}
    answer = http.post("/generate", json=body, headers={"Accept": "application/x-npy"})
    return np.load(io.BytesIO(answer.raise_for_status().content))


@pytest.mark.parametrize("given", ["seven", "SEVEN", " Seven ", "7", " 7 ", 7])
def test_of_all_images(http, given):
    want = canvases(http, label=7)
    np.testing.assert_array_equal(canvases(http, label=given), want)
    query = f"/generate?model={MODEL}&seed=5&n=2&label={given}"
    answer = http.post(query, headers={"Accept": "application/x-npy"})
    np.testing.assert_array_equal(np.load(io.BytesIO(answer.content)), want)
    assert not np.array_equal(canvases(http, label=0), want)


def test_of_each_image(http):
    want = canvases(http, labels=[2, 0, 9], n=3)
    np.testing.assert_array_equal(canvases(http, labels=["two", 0, "Nine"], n=3), want)
    answer = http.get(f"/drawings/{MODEL}/5.npy?labels=two,0,NINE")
    np.testing.assert_array_equal(np.load(io.BytesIO(answer.raise_for_status().content)), want)


@pytest.mark.parametrize(
    ("names", "given", "found"),
    [
        (("cat", "Cat"), "Cat", 1),  # exactly, before without case
        (("Straße", "T-shirt"), "STRASSE", 0),
        (("3", "0"), "0", 0),  # digits are an index: a query cannot say whether it means text
        (("3", "0"), 0, 0),
        (("cat", "dog"), " +1 ", 1),
    ],
)
def test_a_text_means(names, given, found):
    assert class_of(SimpleNamespace(name="a", labels=Labels(names=names)), given, "label") == found


@pytest.mark.parametrize("given", ["³", "d", "- 1", "9" * 5000])
def test_a_text_means_nothing(given):
    with pytest.raises(errors.PentimentoError, match="label must be one of the 3 classes") as caught:
        class_of(SimpleNamespace(name="a", labels=Labels(names=("3", "b", "c"))), given, "label")
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            "cat",
            "must be one of the 10 classes of model 'toy-digits' (zero, one, two, three, four, five",
        ),
        ("", "must be one of the 10 classes"),
        (10, "must be 0..9 for model 'toy-digits' of 10 classes, got 10"),
        (-1, "must be 0..9"),
        ("x" * 100_000, "got 'xxxx"),
        (True, "must be a whole number or the name of a class"),
        (1.5, "must be a whole number or the name of a class"),
        ([1], "must be a whole number or the name of a class"),
    ],
)
def test_what_is_no_class(http, given, says):
    for body, fields in (({"label": given}, ["label"]), ({"labels": [0, given]}, ["labels[1]", "labels.1"])):
        answer = http.post("/generate", json={"model": MODEL, **body})
        assert answer.status_code == 400 and answer.json()["field"] in fields, answer.text[:500]
        assert says in answer.json()["detail"] and len(answer.text) < 1000


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_by_the_client_of_python(judging, scheme):
    address = judging.http if scheme == "http" else f"grpc://{judging.grpc}"
    alike = [({"label": "six"}, {"label": 6}), ({"labels": ["9", "zero", 1]}, {"labels": [9, 0, 1]})]
    refused = [
        ({"label": "cat"}, "label"),
        ({"labels": "two"}, "labels"),  # not its letters
        ({"labels": ["two", "cat"]}, "labels[1]"),
        ({"labels": [2, None]}, "labels"),
    ]
    with Client(address) as client:
        for named, numbered in alike:
            drawings = [client.generate(MODEL, seed=5, **asked).images for asked in (named, numbered)]
            np.testing.assert_array_equal(*drawings)
        for asked, field in refused:
            with pytest.raises(PentimentoError) as caught:
                client.generate(MODEL, **asked)
            assert caught.value.field == field
        six = client.generate(MODEL, seed=5, label=6).images

    async def later():
        async with AsyncClient(address) as client:
            return (await client.generate(MODEL, seed=5, label="six")).images

    np.testing.assert_array_equal(asyncio.run(later()), six)


def test_grpc_takes_a_name_or_a_number(judging):
    with grpc.insecure_channel(judging.grpc) as channel:
        stub = pb_grpc.CanvasServiceStub(channel)
        for given, says in (
            ({"label": 1, "label_name": "one"}, "label_name cannot be given together with label"),
            ({"labels": [1], "label_names": ["one"]}, "label_names cannot be given together with labels"),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                stub.Generate(pb.GenerateRequest(drawing=pb.DrawingSpec(model=MODEL, **given)))
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert says in caught.value.details()


def test_on_the_command_line(judging, tmp_path):
    drawn = []
    for label in ("--label=six", "--label=6", "--labels=SIX"):
        for where in ("--server", judging.http), ("--bundles", str(judging.settings.bundles)):
            path = tmp_path / f"{len(drawn)}.png"
            asked = [*PROGRAM, "draw", MODEL, label, "--seed=5", "--output", str(path), *where]
            done = subprocess.run(asked, capture_output=True)
            assert done.returncode == 0, done.stderr
            with Image.open(path) as image:
                drawn.append(np.asarray(image))
    for other in drawn[1:]:
        np.testing.assert_array_equal(other, drawn[0])
