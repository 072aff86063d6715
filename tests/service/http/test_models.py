"""What is served, how the server is, and the OpenAPI page."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pentimento.bundle.manifest import Manifest
from pentimento.service.errors import Code
from pentimento.service.http.problems import HTTP_STATUS
from tests.service.live import LiveServer
from tests.service.toys import TOYS, spoil_hash, write_toys


def test_models_in_short(http):
    body = http.get("/models").json()
    assert [model["name"] for model in body["models"]] == sorted(TOYS)
    assert body["refused"] == []
    by_name = {model["name"]: model for model in body["models"]}
    steps = by_name["toy-steps"]
    assert steps["default"] and not by_name["toy-once"]["default"]
    assert {"generate", "score"} <= set(steps["operations"])
    assert {"channels": 1, "height": 6, "width": 8}.items() <= steps["image"].items()
    assert steps["steps"] == {"default": 5, "min": 1, "max": 16, "trained": 5, "best": 7}
    assert by_name["toy-once"]["steps"]["best"] is None
    assert steps["score_kind"] == "discriminator" and by_name["toy-once"]["score_kind"] is None
    assert by_name["toy-labels"]["labels"] == ["black", "grey", "white"]
    assert [noise["name"] for noise in steps["latents"]] == ["latent", "z"]


def test_one_model_with_its_manifest(http):
    body = http.get("/models/toy-color").json()
    manifest = Manifest.model_validate(body["manifest"])
    assert manifest.name == body["name"] == "toy-color"
    assert manifest.image.shape == (3, 4, 5)


def test_refused_bundles_are_listed_with_the_reason(tmp_path):
    write_toys(tmp_path, ["toy-once", "toy-steps"])
    spoil_hash(tmp_path / "toy-steps")
    server = LiveServer(tmp_path)
    try:
        with server.client() as client:
            body = client.get("/models").json()
            assert [model["name"] for model in body["models"]] == ["toy-once"]
            (refused,) = body["refused"]
            assert refused["name"] == "toy-steps" and "SHA-256" in refused["reason"]
            assert client.post("/generate").json()["model"] == "toy-once"
            assert client.post("/generate?model=toy-steps").status_code == 404
        assert "refused toy-steps: graph 'init'" in server.server.ready.text
        assert "serves 1 model, by default toy-once; " in server.server.ready.text
    finally:
        server.close()


def test_health_and_root(http):
    assert http.get("/healthz").json() == {"status": "alive"}
    assert http.get("/readyz").json() == {"status": "ready", "workers": 1, "workers_wanted": 1}
    assert http.get("/").json()["docs"] == "/docs"
    assert http.get("/docs").status_code == 200
    assert "server" not in http.get("/healthz").headers


def test_metrics_are_valid_and_tell_of_the_engine(http):
    http.post("/generate")
    response = http.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    names = {family.name for family in text_string_to_metric_families(response.text)}
    assert {
        "pentimento_requests",
        "pentimento_request_seconds",
        "pentimento_rows_in_flight",
        "pentimento_batch_rows",
        "pentimento_batch_distinct_t",
        "pentimento_graph_call_seconds",
        "process_resident_memory_bytes",
    } <= names


def test_unknown_names_do_not_become_labels(http):
    http.post("/generate?model=made-up-by-a-client")
    http.get("/models/made-up-by-a-client")
    assert "made-up" not in http.get("/metrics").text


def test_every_code_has_a_status():
    assert set(HTTP_STATUS) == set(Code)


@pytest.fixture(scope="module")
def openapi(live):
    with live.client() as client:
        return client.get("/openapi.json").json()


def test_openapi_describes_every_format_and_error(openapi):
    answers = openapi["paths"]["/generate"]["post"]["responses"]
    assert set(answers["200"]["content"]) == {
        "application/json",
        "text/event-stream",
        "application/x-ndjson",
        "image/png",
        "image/gif",
        "image/apng",
        "application/x-npy",
    }
    for status in ("400", "404", "406", "413", "415", "422", "429", "500", "503", "504"):
        assert set(answers[status]["content"]) == {"application/problem+json"}
    assert "Retry-After" in answers["429"]["headers"]
    assert "HTTPValidationError" not in openapi["components"]["schemas"]


def test_openapi_tells_of_other_bundles_scorers_and_of_labels(openapi):
    for path in ("/generate", "/autoencode", "/complete"):
        names = {parameter["name"] for parameter in openapi["paths"][path]["post"]["parameters"]}
        assert {"label", "score", "score_by"} <= names
        headers = openapi["paths"][path]["post"]["responses"]["200"]["headers"]
        assert {"Pentimento-Score-Kind", "Pentimento-Scored-By", "Pentimento-Scored-By-Version"} <= set(
            headers
        )
    schemas = openapi["components"]["schemas"]
    assert {"score_by", "labels"} <= set(schemas["GenerateBody"]["properties"])
    for answer in ("DrawingBody", "DoneBody"):
        assert {"score_kind", "scored_by"} <= set(schemas[answer]["properties"])
    assert "score_kind" in schemas["FrameBody"]["properties"]


def test_openapi_references_resolve(openapi):
    def references(node):
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    found = set(references(openapi))
    assert "#/components/schemas/Problem" in found
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in openapi["components"]["schemas"]


def test_openapi_says_what_every_parameter_is(openapi):
    for path, calls in openapi["paths"].items():
        for call in calls.values():
            assert call.get("description"), path
            for parameter in call.get("parameters", []):
                assert parameter.get("description") or parameter["in"] == "path", (path, parameter["name"])
