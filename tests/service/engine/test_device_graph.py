"""The bindings of the GPU path, on a CPU: the same results, state that stays where it is, padded batches."""

import numpy as np
import onnxruntime as ort
import pytest

from pentimento.bundle.store import read_bundle
from pentimento.service.engine.device_graph import BUCKETS, BucketedGraph, DeviceArray, DeviceGraph
from pentimento.service.engine.providers import session_providers
from pentimento.service.engine.rows import Rows, stack
from pentimento.service.engine.runtime import Runtime


@pytest.fixture(scope="module")
def bundle(toys):
    return read_bundle(toys / "toy-steps")


@pytest.fixture(scope="module")
def plain(bundle):
    return Runtime(provider="cpu").load(bundle)


def on_device(kind, bundle, graph):
    session = ort.InferenceSession(bundle.graphs[graph], providers=["CPUExecutionProvider"])
    return kind(session, bundle.manifest.graphs[graph], device="cpu")


def noise(rows, *, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "latent": rng.normal(size=(rows, 1, 6, 8)).astype(np.float32),
        "z": rng.normal(size=(rows, 3, 1, 6, 8)).astype(np.float32),
    }


def drawn(init, step, rows):
    """All canvases of a drawing of three steps, its state handed from call to call."""
    given = noise(rows)
    state = init.run({"latent": given["latent"]})["next.canvas"]
    canvases = []
    for t in range(3):
        outputs = step.run({"t": np.full(rows, t), "z": given["z"][:, t], "state.canvas": state})
        state = outputs["next.canvas"]
        canvases.append(np.asarray(outputs["canvas"]))
    return np.stack(canvases, axis=1), state


@pytest.mark.parametrize("kind", [DeviceGraph, BucketedGraph])
@pytest.mark.parametrize("rows", [1, 3, 4, 64, 70])
def test_bindings_compute_what_a_plain_call_does(kind, rows, bundle, plain):
    expected, _ = drawn(plain["init"], plain["step"], rows)
    found, _ = drawn(on_device(kind, bundle, "init"), on_device(kind, bundle, "step"), rows)
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("kind", [DeviceGraph, BucketedGraph])
def test_state_stays_on_the_device_and_pictures_leave_it(kind, bundle):
    outputs = on_device(kind, bundle, "init").run({"latent": noise(4)["latent"]})
    assert isinstance(outputs["next.canvas"], DeviceArray)
    feeds = {"t": np.zeros(4, np.int64), "z": noise(4)["z"][:, 0], "state.canvas": outputs["next.canvas"]}
    assert isinstance(on_device(kind, bundle, "step").run(feeds)["canvas"], np.ndarray)


def test_rows_that_stay_together_stay_on_the_device_and_others_are_put_together(bundle):
    state = on_device(DeviceGraph, bundle, "init").run({"latent": noise(4)["latent"]})["next.canvas"]
    together = [Rows(state, 0, 1), Rows(state, 1, 4)]
    assert stack(together) is state
    host = np.asarray(state)
    assert stack([together[1]]).tobytes() == host[1:].tobytes()
    mixed = stack([together[1], Rows.of(host[:1]), together[0]])
    assert mixed.tobytes() == np.concatenate([host[1:], host[:1], host[:1]]).tobytes()
    assert together[1].owned().tobytes() == host[1:].tobytes()


def test_a_replay_does_not_write_over_the_state_that_was_given_out(bundle):
    init = on_device(BucketedGraph, bundle, "init")
    first = init.run({"latent": noise(4)["latent"]})["next.canvas"]
    before = np.array(first)
    init.run({"latent": noise(4, seed=1)["latent"]})
    assert np.array_equal(np.asarray(first), before)


def test_warming_up_captures_each_size_once(bundle):
    graph = on_device(BucketedGraph, bundle, "step")
    graph.warm_up(8)
    assert list(graph._buckets) == [1, 2, 4, 8]
    graph.run({"t": np.zeros(5, np.int64), "z": noise(5)["z"][:, 0], "state.canvas": noise(5)["latent"]})
    assert list(graph._buckets) == [1, 2, 4, 8] and max(BUCKETS) == 64


def test_sessions_on_cuda_search_briefly_and_are_captured_only_if_asked_for():
    (_, options), cpu = session_providers(["CUDAExecutionProvider", "CPUExecutionProvider"], captured=True)
    assert cpu == "CPUExecutionProvider"
    assert options["cudnn_conv_algo_search"] == "HEURISTIC" and options["enable_cuda_graph"] == "1"
    (_, options), _ = session_providers(["CUDAExecutionProvider", "CPUExecutionProvider"], captured=False)
    assert options["enable_cuda_graph"] == "0"
    assert session_providers(["CPUExecutionProvider"], captured=True) == ["CPUExecutionProvider"]
