"""Requests that nobody would send: no 5xx, no INTERNAL, no UNKNOWN, no crash; and the server lives on."""

import grpc
import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pentimento.service.grpc.api import SERVICE_NAME
from pentimento.service.operations.codec import encode_png
from tests.reliability.messages import RPCS, STREAMS, broken, requests

QUICK = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": list(HealthCheck)}

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

pytestmark = pytest.mark.usefixtures("lives_on")


@pytest.fixture(scope="module")
def openapi(target):
    schema = schemathesis.openapi.from_url(f"{target.http}/openapi.json")
    return {
        f"{found.ok().method.upper()} {found.ok().path}": found.ok() for found in schema.get_all_operations()
    }


OPERATIONS = [
    "POST /generate",
    "POST /autoencode",
    "POST /complete",
    "POST /encode",
    "POST /score",
    "POST /likelihood",
    "GET /drawings/{bundle}/{picture}",
    "GET /models",
    "GET /models/{name}",
    "POST /models:reload",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "POST /v1/images/generations",
    "POST /v1/images/edits",
    "GET /v1/models",
    "GET /v1/models/{name}",
    "GET /v2",
    "GET /v2/health/live",
    "GET /v2/health/ready",
    "GET /v2/models/{name}",
    "GET /v2/models/{name}/versions/{version}",
    "GET /v2/models/{name}/ready",
    "GET /v2/models/{name}/versions/{version}/ready",
    "POST /v2/models/{name}/infer",
    "POST /v2/models/{name}/versions/{version}/infer",
    "POST /v2/repository/index",
    "POST /v2/repository/models/{name}/load",
    "POST /v2/repository/models/{name}/unload",
]


def test_the_list_of_operations_is_whole(openapi):
    assert sorted(openapi) == sorted(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_requests_as_the_openapi_page_allows_them(openapi, name):
    make_up(openapi[name], schemathesis.GenerationMode.POSITIVE)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if "POST" in name])
def test_requests_as_the_openapi_page_forbids_them(openapi, name):
    make_up(openapi[name], schemathesis.GenerationMode.NEGATIVE)


def make_up(operation, mode):
    @settings(max_examples=50 if operation.method == "post" else 8, **QUICK)
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case):
        case.call_and_validate(checks=CHECKS, timeout=30)

    check()


FAULTS = {
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
    grpc.StatusCode.ABORTED,
}
DRAWERS = ["toy-steps", "toy-once", "toy-labels", "toy-color", "toy-rows", "toy-black"]
MODELS = {  # that can do it
    "Autoencode": ["toy-code"],
    "Complete": ["toy-black"],
    "Encode": ["toy-code"],
    "EstimateLikelihood": ["toy-code", "toy-black"],
    "Score": ["toy-steps", "toy-critic", "toy-aware"],
}
PICTURES = [encode_png(np.zeros((1, 6, 8), np.float32)), encode_png(np.eye(6, 8, dtype=np.float32)[None])]


def messages(rpc):
    return requests(rpc, models=MODELS.get(rpc, DRAWERS), pictures=PICTURES)


@pytest.mark.parametrize("rpc", sorted(RPCS))
def test_random_messages_of_every_kind(target, rpc):
    """As the proto allows them, with good values often enough to get past the first check."""
    with grpc.insecure_channel(target.grpc) as channel:
        seen = set()

        @settings(max_examples=150, **QUICK)
        @given(message=messages(rpc))
        def check(message):
            seen.add(answer(channel, rpc, message.SerializeToString()))

        check()
    if rpc == "ReloadModels":  # behind an admin token, which the target has not
        assert seen <= {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}
    else:
        assert grpc.StatusCode.OK in seen, "no message was good"


@pytest.mark.parametrize("rpc", sorted(RPCS))
def test_garbage_to_every_method(target, rpc):
    """Random bytes, and messages with something wrong in their bytes."""
    with grpc.insecure_channel(target.grpc) as channel:

        @settings(max_examples=60, **QUICK)
        @given(data=messages(rpc).flatmap(lambda message: broken(message.SerializeToString())))
        def check(data):
            answer(channel, rpc, data)

        check()


def answer(channel, rpc, data):
    """The status that bytes are answered with."""
    path = f"/{SERVICE_NAME}/{rpc}"
    try:
        if rpc in STREAMS:
            for _ in channel.unary_stream(path)(data, timeout=30):
                pass
        else:
            channel.unary_unary(path)(data, timeout=30)
    except grpc.RpcError as error:
        assert error.code() not in FAULTS, (error.code(), error.details(), data)
        assert error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED or "deadline passed" in error.details()
        return error.code()
    return grpc.StatusCode.OK
