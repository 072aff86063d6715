"""The runtime: provider choice, and graphs that are not what their manifest says."""

import hashlib
import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pentimento.bundle.manifest import (
    Drawing,
    ImageSpec,
    Manifest,
    NoiseSpec,
    Phase,
    Steps,
    TensorSpec,
    WeightsFile,
)
from pentimento.bundle.store import Bundle, BundleError, graph_spec, read_bundle, write_bundle
from pentimento.service.catalog.catalog import Catalog
from pentimento.service.engine.calibration import Calibrator
from pentimento.service.engine.providers import choose_providers
from pentimento.service.engine.runtime import Runtime
from pentimento.service.errors import Code, PentimentoError
from tests.service.toys import spoil_hash, steps_canvases, write_toys

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


@pytest.mark.parametrize(
    ("wanted", "available", "chosen"),
    [
        ("auto", [CPU], [CPU]),
        ("auto", [CUDA, CPU], [CUDA, CPU]),
        ("cpu", [CUDA, CPU], [CPU]),
        ("cuda", [CUDA, CPU], [CUDA, CPU]),
    ],
)
def test_the_provider_is_what_was_asked_for(wanted, available, chosen):
    assert choose_providers(wanted, available, ["onnxruntime"]) == chosen


def test_cuda_asked_for_and_absent_is_an_error_that_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"install the extra gpu instead of cpu"):
        choose_providers("cuda", [CPU], ["onnxruntime"])
    with pytest.raises(RuntimeError, match="cuda was asked for"):
        Runtime(provider="cuda")


def test_two_runtimes_in_one_environment_are_an_error():
    with pytest.raises(RuntimeError, match="keep exactly one"):
        choose_providers("auto", [CPU], ["onnxruntime", "onnxruntime-gpu"])


def test_a_loaded_graph_computes(toys):
    graphs = Runtime().load(read_bundle(toys / "toy-steps"))
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(4, 1, 6, 8)).astype(np.float32)
    z = rng.normal(size=(4, 3, 1, 6, 8)).astype(np.float32)
    state = graphs["init"].run({"latent": latent})["next.canvas"]
    canvases = []
    for t in range(3):
        feeds = {"t": np.full(4, t), "z": z[:, t], "state.canvas": state}
        outputs = graphs["step"].run(feeds)
        state = outputs["next.canvas"]
        canvases.append(outputs["canvas"])
    np.testing.assert_allclose(np.stack(canvases, 1), steps_canvases(latent, z), atol=1e-6)


def one_shot(model, *, latent=(4,), canvas=(1, 2, 2)):
    data = model if isinstance(model, bytes) else model.SerializeToString()
    spec = graph_spec(
        "step.onnx",
        data,
        inputs=[TensorSpec(name="latent", shape=latent)],
        outputs=[TensorSpec(name="canvas", shape=canvas)],
    )
    manifest = Manifest(
        name="odd",
        version="1.0.0",
        family="toy",
        image=ImageSpec(channels=1, height=2, width=2),
        graphs={"step": spec},
        drawing=Drawing(
            phases=(Phase(graph="step", shows=True),),
            steps=Steps(default=1, min=1, max=1, trained=1),
            noise=(NoiseSpec(name="latent", shape=latent),),
        ),
    )
    return Bundle(manifest=manifest, graphs={"step": data})


def model(*, input_name="latent", dtype=TensorProto.FLOAT, batch="batch", row=(4,), fixed_rows=-1, keep=99):
    """canvas = reshape(the first `keep` rows of the latent), with a way to be wrong."""
    shape = np.array([fixed_rows, 1, 2, 2])
    nodes = [
        helper.make_node("Cast", [input_name], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Slice", ["x", "nought", "keep"], ["kept"]),
        helper.make_node("Reshape", ["kept", "shape"], ["canvas"]),
    ]
    constants = {"shape": shape, "nought": np.array([0]), "keep": np.array([keep])}
    graph = helper.make_graph(
        nodes,
        "odd",
        [helper.make_tensor_value_info(input_name, dtype, [batch, *row])],
        [helper.make_tensor_value_info("canvas", TensorProto.FLOAT, ["batch", 1, 2, 2])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_the_plain_one_shot_graph_is_served():
    assert set(Runtime().load(one_shot(model()))) == {"step"}


@pytest.mark.parametrize(
    ("odd", "sentence"),
    [
        (model(input_name="z"), "graph 'step' has inputs ['z'], the manifest says ['latent']"),
        (model(dtype=TensorProto.DOUBLE), "input 'latent' is tensor(double), not float32"),
        (model(batch=1), "input 'latent' has a fixed batch of 1"),
        (model(row=(5,)), "input 'latent' has shape (5,) a row, the manifest says (4,)"),
        (model(fixed_rows=1), "output 'canvas' has a fixed batch of 1"),
        (model(keep=1), "output 'canvas' has shape (1, 1, 2, 2) for 3 rows"),
        (b"not onnx", "graph 'step' cannot be loaded"),
        (b"", "graph 'step' cannot be loaded"),
    ],
)
def test_a_graph_that_is_not_what_the_manifest_says_is_refused(odd, sentence):
    with pytest.raises(BundleError) as refusal:
        Runtime().load(one_shot(odd))
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("location", ["/etc/hostname", "../outside.bin", "weights.bin"])
def test_weights_outside_the_checked_file_are_refused(location, tmp_path, monkeypatch):
    """Weights in another file would escape the checksum, and could be any file of the machine."""
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    for path in (tmp_path / "outside.bin", tmp_path / "inside" / "weights.bin"):
        path.write_bytes(np.arange(4, dtype=np.int64).tobytes())
    odd = model()
    shape = next(tensor for tensor in odd.graph.initializer if tensor.name == "shape")
    shape.ClearField("raw_data")
    shape.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "32")):
        entry = onnx.StringStringEntryProto()
        entry.key, entry.value = key, value
        shape.external_data.append(entry)
    with pytest.raises(BundleError, match="graph 'step' cannot be loaded"):
        Runtime().load(one_shot(odd))


def with_weights(location="weights.bin", offset=64, length=16, named="weights.bin", numbers=b""):
    """canvas = latent + w, where w lies in another file."""
    data = numbers or bytes(64) + np.array([1, 2, 3, 4], np.float32).tobytes()
    add = helper.make_node("Add", ["flat", "w"], ["canvas"])
    graph = helper.make_graph(
        [helper.make_node("Reshape", ["latent", "rows"], ["flat"]), add],
        "weighted",
        [helper.make_tensor_value_info("latent", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("canvas", TensorProto.FLOAT, ["batch", 1, 2, 2])],
        [
            numpy_helper.from_array(np.array([-1, 1, 2, 2]), "rows"),
            TensorProto(name="w", data_type=TensorProto.FLOAT, dims=(1, 1, 2, 2)),
        ],
    )
    graph.initializer[1].data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", str(offset)), ("length", str(length))):
        graph.initializer[1].external_data.add(key=key, value=value)
    bundle = one_shot(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9))
    weights = WeightsFile(file=named, sha256=hashlib.sha256(data).hexdigest())
    specs = {"step": bundle.manifest.graphs["step"].model_copy(update={"weights": weights})}
    manifest = bundle.manifest.model_copy(update={"graphs": specs})
    return Bundle(manifest=manifest, graphs=bundle.graphs, weights={named: data})


def test_weights_may_lie_in_the_one_file_that_the_manifest_names(tmp_path):
    bundle = with_weights()
    write_bundle(tmp_path / "odd", bundle.manifest, bundle.graphs, bundle.weights)
    read = read_bundle(tmp_path / "odd")
    assert read == bundle
    graph = Runtime().load(read)["step"]
    outputs = graph.run({"latent": np.zeros((2, 4), np.float32)})
    assert outputs["canvas"].reshape(2, 4).tolist() == [[1, 2, 3, 4]] * 2
    other = with_weights(numbers=bytes(80))
    assert Runtime().load(other)["step"].sha256 != graph.sha256, "the same file, and another graph"
    (tmp_path / "odd" / "weights.bin").write_bytes(bytes(80))
    with pytest.raises(BundleError, match=r"^weights\.bin has SHA-256"):
        read_bundle(tmp_path / "odd")
    with pytest.raises(BundleError, match=r"weights weights\.bin, which are not given"):
        write_bundle(tmp_path / "odd", bundle.manifest, bundle.graphs, overwrite=True)
    (tmp_path / "odd" / "weights.bin").unlink()
    with pytest.raises(BundleError, match=r"^weights\.bin is missing"):
        read_bundle(tmp_path / "odd")


@pytest.mark.parametrize(
    "odd",
    [
        {"location": "/etc/hostname"},
        {"location": "other.bin"},
        {"named": "other.bin"},
        {"offset": 72},
        {"offset": 1 << 62},
        {"length": 32},
        {"length": 8},
    ],
)
def test_weights_that_are_not_in_that_file_are_refused(odd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("weights.bin", "other.bin"):
        (tmp_path / name).write_bytes(bytes(256))
    with pytest.raises(BundleError, match="graph 'step' cannot be loaded"):
        Runtime().load(with_weights(**odd))


def test_one_bad_bundle_never_keeps_the_others_from_being_served(tmp_path):
    write_toys(tmp_path, ["toy-steps", "toy-once", "toy-color"])
    spoil_hash(tmp_path / "toy-once")
    manifest = json.loads((tmp_path / "toy-color" / "manifest.json").read_text())
    manifest["schema_version"] = 7
    (tmp_path / "toy-color" / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "notes").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "README.txt").write_text("not a bundle")
    catalog = Catalog.load(tmp_path, Runtime())
    assert [info.manifest.name for info in catalog.infos()] == ["toy-steps"]
    reasons = {refusal.name: refusal.reason for refusal in catalog.refused}
    assert set(reasons) == {"notes", "toy-color", "toy-once"}
    assert "manifest.json is missing" in reasons["notes"]
    assert "schema_version 7" in reasons["toy-color"]
    assert "SHA-256" in reasons["toy-once"]


def test_an_unknown_model_is_named_together_with_the_served_ones(tmp_path):
    write_toys(tmp_path, ["toy-once"])
    catalog = Catalog.load(tmp_path, Runtime())
    assert catalog.default == "toy-once"
    with pytest.raises(PentimentoError, match="'nope' is not served here; served are: toy-once") as error:
        catalog.get("nope")
    assert error.value.code is Code.NOT_FOUND
    with pytest.raises(BundleError, match="no bundle folder"):
        Catalog.load(tmp_path / "nowhere", Runtime())
    with pytest.raises(BundleError, match="default model 'nope'"):
        Catalog.load(tmp_path, Runtime(), default="nope")


def test_a_graph_that_fails_only_when_it_is_measured_is_refused_with_a_sentence():
    bundle = one_shot(model())
    gather = helper.make_model(
        helper.make_graph(
            # Row 20 of a table of ten: with fewer than twenty rows nobody asks for it.
            [
                helper.make_node("Shape", ["latent"], ["shape"], start=0, end=1),
                helper.make_node("Div", ["shape", "twenty"], ["index"]),
                helper.make_node("Gather", ["table", "index"], ["one"]),
                helper.make_node("Reshape", ["latent", "rows"], ["flat"]),
                helper.make_node("Add", ["flat", "one"], ["canvas"]),
            ],
            "rows",
            [helper.make_tensor_value_info("latent", TensorProto.FLOAT, ["batch", 4])],
            [helper.make_tensor_value_info("canvas", TensorProto.FLOAT, ["batch", 1, 2, 2])],
            [
                numpy_helper.from_array(np.array([20], np.int64), "twenty"),
                numpy_helper.from_array(np.zeros(1, np.float32), "table"),
                numpy_helper.from_array(np.array([-1, 1, 2, 2], np.int64), "rows"),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    odd = one_shot(gather)
    assert set(Runtime().load(odd)) == set(Runtime(calibrator=Calibrator(None)).load(bundle)) == {"step"}
    with pytest.raises(BundleError, match="fails on 64 rows or fewer"):
        Runtime(calibrator=Calibrator(None)).load(odd)
