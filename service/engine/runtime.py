"""ONNX Runtime, imported here only: sessions from verified bytes, checked against the manifest."""

__all__ = ["OnnxGraph", "Runtime", "graph_key"]

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import onnxruntime as ort

from pentimento.bundle.manifest import GraphSpec, TensorSpec
from pentimento.bundle.store import Bundle, BundleError
from pentimento.service.engine.calibration import (
    Calibrator,
    Curve,
    RowLimits,
    choose_lanes,
    choose_limits,
    quick_rows,
)
from pentimento.service.engine.device_graph import BucketedGraph, DeviceGraph
from pentimento.service.engine.job import Graph
from pentimento.service.engine.onnx_graph import OnnxGraph, first_line
from pentimento.service.engine.providers import choose_providers, installed_runtimes, session_providers
from pentimento.service.engine.rows import Array, Arrays

_log = logging.getLogger(__name__)

ort.set_default_logger_severity(4)  # as that of each session, below

_ORT_TYPES = {"float32": "tensor(float)", "int64": "tensor(int64)"}
_MOST_ROWS = 64  # of a call, where nothing else is asked for
_USUAL = RowLimits(efficient=8, most=32)  # where nothing is measured


class _Files(NamedTuple):
    graph: bytes
    weights: Mapping[str, bytes]  # by name


class Runtime:
    """Loads graphs on one execution provider.

    Args:
        provider: `cpu`, `cuda`, or `auto`: CUDA where this ONNX Runtime offers it.
        max_batch_rows: Rows that one call of any graph takes at most; None lets the calibrator choose.
        calibrator: Measures each graph; None uses row limits that suit most graphs.
        cuda_graphs: Whether calls are captured and replayed, on CUDA, where a graph allows it.

    Raises:
        RuntimeError: One sentence: CUDA was asked for but is not there, or two ONNX Runtimes are installed.
    """

    def __init__(
        self,
        *,
        provider: Literal["auto", "cpu", "cuda"] = "auto",
        max_batch_rows: int | None = None,
        calibrator: Calibrator | None = None,
        cuda_graphs: bool = False,
    ) -> None:
        self.providers = choose_providers(provider, ort.get_available_providers(), installed_runtimes())
        self._max_batch_rows = max_batch_rows
        self._calibrator = calibrator
        self._cuda_graphs = cuda_graphs
        self._clock = time.perf_counter if self.device == "cuda" else time.thread_time

    @property
    def device(self) -> str:
        """`cuda` or `cpu`."""
        return "cuda" if self.providers[0] == "CUDAExecutionProvider" else "cpu"

    def load(self, bundle: Bundle, tried: Mapping[str, Curve] | None = None) -> dict[str, OnnxGraph]:
        """Makes a session for each graph of a bundle, and chooses its row limits.

        Args:
            bundle: The bundle.
            tried: How long calls take of each graph that was tried elsewhere; none is called here then. None
                tries them here, on blanks, but for those that were measured here before.

        Returns:
            The graphs by name.

        Raises:
            BundleError: A graph cannot be loaded, or is not what the manifest says it is.
        """
        name = bundle.manifest.name
        graphs = {}
        for graph, spec in bundle.manifest.graphs.items():
            files = _Files(bundle.graphs[graph], bundle.weights)
            loaded = OnnxGraph(f"{name}/{graph}", self._caller(graph, spec, files), spec)
            curve = self.remembered(spec) if tried is None else tried[graph]
            if curve is None:
                curve = self._try(loaded)
                if self._calibrator is not None:
                    # A session keeps the memory of its largest call, which was one of measuring.
                    loaded.run = self._caller(graph, spec, files)
            self._limit(loaded, curve)
            graphs[graph] = loaded
        return graphs

    def remembered(self, spec: GraphSpec) -> Curve | None:
        """How long calls took of a graph that was measured here before, and so tried: of the same content."""
        return None if self._calibrator is None else self._calibrator.known(self._what(spec))

    def try_out(self, bundle: Bundle, graph: str) -> Curve:
        """Loads one graph of a bundle, calls it on blanks, and returns how long calls take.

        Raises:
            BundleError: As `load`.
        """
        spec = bundle.manifest.graphs[graph]
        files = _Files(bundle.graphs[graph], bundle.weights)
        return self._try(OnnxGraph(f"{bundle.manifest.name}/{graph}", self._caller(graph, spec, files), spec))

    def _try(self, loaded: OnnxGraph) -> Curve:
        curve = loaded.try_out(self._clock)
        if self._calibrator is None:
            return curve
        try:
            return self._calibrator.curve(self._what(loaded.spec), loaded.run_on_blanks, self._clock)
        except Exception as error:
            raise BundleError(
                f"graph {loaded.label!r} fails on {_MOST_ROWS} rows or fewer: {first_line(error)}"
            ) from None

    def _caller(self, graph: str, spec: GraphSpec, files: _Files) -> Callable[[Arrays], dict[str, Array]]:
        if self.device == "cpu":
            session = self._session(graph, spec, files, captured=False)
            names = [tensor.name for tensor in spec.outputs]
            return lambda feeds: dict(zip(names, session.run(names, dict(feeds)), strict=True))
        if self._cuda_graphs:
            bucketed = BucketedGraph(self._session(graph, spec, files, captured=True), spec)
            try:
                bucketed.warm_up(_MOST_ROWS)
                return bucketed.run
            except Exception as error:  # loops and nodes that stay on the CPU cannot be captured
                _log.warning("graph %s is not captured: %s", graph, first_line(error))
        return DeviceGraph(self._session(graph, spec, files, captured=False), spec).run

    def _session(self, graph: str, spec: GraphSpec, files: _Files, *, captured: bool) -> ort.InferenceSession:
        providers = session_providers(self.providers, captured=captured)
        try:
            session = ort.InferenceSession(files.graph, self._options(spec, files), providers=providers)
        except Exception as error:  # ONNX Runtime raises a family of unrelated exception types
            raise BundleError(f"graph {graph!r} cannot be loaded: {first_line(error)}") from None
        if session.get_providers()[0] != self.providers[0]:
            # ONNX Runtime falls back to the CPU with nothing but a log line.
            raise BundleError(
                f"graph {graph!r} did not load on {self.providers[0]}; see the log for the reason"
            )
        _check_signature(graph, "input", spec.inputs, session.get_inputs())
        _check_signature(graph, "output", spec.outputs, session.get_outputs())
        return session

    def _limit(self, loaded: OnnxGraph, curve: Curve) -> None:
        """Sets a graph's row limits: measured ones, or usual ones, and never above `max_batch_rows`."""
        limits = _USUAL
        loaded.quick_rows = quick_rows(curve)
        if self._calibrator is not None:
            loaded.curve = curve
            limits = choose_limits(curve, _MOST_ROWS)
        if self._max_batch_rows is not None:  # asked for: it holds whatever was measured
            most = self._max_batch_rows
            limits = RowLimits(efficient=min(limits.efficient, most), most=most)
        loaded.limits = limits

    def choose_lanes(self, graph: Graph, cpus: int) -> int:
        """How many lanes to run side by side: on a GPU one, on CPUs as many as add to what is computed.

        Args:
            graph: What the lanes will mostly run, loaded here.
            cpus: CPUs that this process may use.
        """
        if self.device == "cuda":
            return 1
        if self._calibrator is None or cpus == 1 or not isinstance(graph, OnnxGraph):
            return cpus
        what, rows = self._what(graph.spec), graph.efficient_rows
        return choose_lanes(self._calibrator.throughput(what, cpus, rows, graph.run_on_blanks))

    def _what(self, spec: GraphSpec) -> str:
        said = hashlib.sha256(spec.model_dump_json().encode()).hexdigest()
        return f"{spec.content} {said} {self.device} onnxruntime {ort.__version__}"

    def _options(self, spec: GraphSpec, files: _Files) -> ort.SessionOptions:
        options = ort.SessionOptions()
        # One thread a call: lanes run side by side, and for graphs this small a second thread inside a call
        # was slower than none.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        # Not even errors, which are raised besides: it would print each to stderr, and wait for its reader.
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Weights are those whose hash was checked: a graph that points at other files is refused.
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", "/dev/null/none"
        )
        if spec.weights is not None:
            file, data = spec.weights.file, files.weights[spec.weights.file]
            options.add_external_initializers_from_files_in_memory([file], [data], [len(data)])
        return options


def graph_key(graph: str, spec: GraphSpec) -> str:
    """What differs for graphs of another name, content or signature."""
    return hashlib.sha256(f"{graph} {spec.model_dump_json()}".encode()).hexdigest()


def _check_signature(
    graph: str, side: str, declared: tuple[TensorSpec, ...], actual: list[ort.NodeArg]
) -> None:
    found = {node.name: node for node in actual}
    names = {tensor.name for tensor in declared}
    if names != set(found):
        raise BundleError(f"graph {graph!r} has {side}s {sorted(found)}, the manifest says {sorted(names)}")
    for tensor in declared:
        node = found[tensor.name]
        if node.type != _ORT_TYPES[tensor.dtype]:
            raise BundleError(f"graph {graph!r}: {side} {tensor.name!r} is {node.type}, not {tensor.dtype}")
        batch, *rest = node.shape or [None]
        if isinstance(batch, int):
            raise BundleError(f"graph {graph!r}: {side} {tensor.name!r} has a fixed batch of {batch}")
        fixed = [dim for dim in rest if isinstance(dim, int)]
        if len(fixed) == len(rest) and tuple(rest) != tensor.shape:
            raise BundleError(
                f"graph {graph!r}: {side} {tensor.name!r} has shape {tuple(rest)} a row, "
                f"the manifest says {tensor.shape}"
            )
