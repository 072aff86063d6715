"""Server and models as the protocol tells of them, with the real client."""


def test_the_server_is_alive_and_ready(client):
    assert client.is_server_live() and client.is_server_ready()
    said = client.get_server_metadata()
    assert said["name"] == "pentimento" and said["version"]
    assert "binary_tensor_data" in said["extensions"]


def test_a_model_that_draws(client):
    said = client.get_model_metadata("toy-steps")
    assert (said["name"], said["versions"], said["platform"]) == ("toy-steps", ["1.0.0"], "pentimento_onnx")
    inputs = {tensor["name"]: (tensor["datatype"], tensor["shape"]) for tensor in said["inputs"]}
    assert inputs == {
        "n": ("INT64", [1]),
        "steps": ("INT64", [1]),
        "seed": ("INT64", [1]),
        "latents.latent": ("FP32", [-1, 1, 6, 8]),
        "latents.z": ("FP32", [-1, -1, 1, 6, 8]),
    }
    outputs = {tensor["name"]: tensor["shape"] for tensor in said["outputs"]}
    assert outputs == {
        "canvas": [-1, 1, 6, 8],
        "logit": [-1],
        "probability": [-1],
        "canvases": [-1, -1, 1, 6, 8],
    }


def test_every_operation_is_a_model(client, own):
    for model in own.get("/models").json()["models"]:
        for operation in model["operations"]:
            name = model["name"] if operation == "generate" else f"{model['name']}:{operation}"
            assert client.is_model_ready(name) and client.is_model_ready(name, model["version"])
            said = client.get_model_metadata(name, model["version"])
            assert said["name"] == name and said["outputs"]
            assert any(tensor["name"] == "image" for tensor in said["inputs"]) == (operation != "generate")


def test_labels_and_controls_are_inputs(client):
    label = {"name": "label", "datatype": "INT64", "shape": [-1]}
    assert label in client.get_model_metadata("toy-labels")["inputs"]
    tilt = {"name": "tilt", "datatype": "FP32", "shape": [1]}
    assert tilt in client.get_model_metadata("toy-guided")["inputs"]
