"""models.list and models.retrieve with the real client, and the API in the OpenAPI document."""

import openai
import pytest


def test_the_list_is_what_is_served(client, own):
    models = {model.id: model for model in client.models.list()}
    assert sorted(models) == sorted(model["name"] for model in own.get("/models").json()["models"])
    labels, steps = models["toy-labels"], models["toy-steps"]
    assert (labels.object, labels.owned_by, labels.version) == ("model", "toy", "1.0.0")
    assert labels.prompts == ["black", "grey", "white"] and steps.prompts == [""]
    assert steps.size == "8x6" and "complete" in models["toy-black"].operations


def test_one_of_them(client):
    model = client.models.retrieve("toy-color")
    assert (model.id, model.size, model.created) == ("toy-color", "5x4", 0)  # its manifest has no date


def test_none_of_them(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("gpt-image-1")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_openapi_has_the_api_with_its_errors(own):
    document = own.get("/openapi.json").json()
    for path in ("/v1/images/generations", "/v1/images/edits", "/v1/models", "/v1/models/{name}"):
        for call in document["paths"][path].values():
            errors = {status: answer for status, answer in call["responses"].items() if status >= "400"}
            for answer in errors.values():
                assert set(answer["content"]) == {"application/json"}
                assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorAnswer")
    assert "429" in document["paths"]["/v1/images/edits"]["post"]["responses"]
