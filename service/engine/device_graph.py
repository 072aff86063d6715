"""Graphs on a GPU: state that stays there between steps, and batches that are replayed as one launch.

What a graph puts out as state (`next.X`) stays in device memory. While the same jobs go on together, the next
call takes it as it is; when they part, it is copied to the host and put together there, like on a CPU. What
leaves for clients is copied to the host at once.

A captured launch (CUDA graph) has fixed addresses and a fixed batch, so there is one for each of some sizes,
a call is padded to the next of them, and never do two replay at the same time (microsoft/onnxruntime#18509).

Written to ONNX Runtime's documented practice, and run in tests with the same bindings on a CPU: never yet on
a GPU.
"""

__all__ = ["BUCKETS", "BucketedGraph", "DeviceArray", "DeviceGraph"]

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import DTypeLike, NDArray

from pentimento.bundle.manifest import GraphSpec
from pentimento.service.engine.rows import Array, blank

BUCKETS = (1, 2, 4, 8, 16, 32, 64)  # rows of a captured launch
_STATE = "next."


class DeviceArray:
    """An array in device memory with the few operations of numpy that `Rows` needs; read-only."""

    base = None  # as an ndarray that is no view

    def __init__(self, value: ort.OrtValue) -> None:
        self.value = value

    def __len__(self) -> int:
        return int(self.value.shape()[0])

    def __getitem__(self, rows: Any) -> NDArray[Any]:  # noqa: ANN401  # whatever numpy takes
        """Copies the whole array to the host, and returns these rows of it."""
        part: NDArray[Any] = np.asarray(self)[rows]
        return part

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Copies the whole array to the host."""
        values: NDArray[Any] = self.value.numpy()
        return values if dtype is None else values.astype(dtype)


class DeviceGraph:
    """A graph that is called through ONNX Runtime's bindings, so that its state stays on the device.

    Args:
        session: On the device's execution provider.
        spec: The graph's inputs and outputs.
        device: `cuda`; in tests `cpu`.
        device_id: Index of the device.
    """

    def __init__(
        self, session: ort.InferenceSession, spec: GraphSpec, device: str = "cuda", device_id: int = 0
    ) -> None:
        self._session, self._spec = session, spec
        self._device = (device, device_id)

    def run(self, feeds: Mapping[str, Array | DeviceArray]) -> dict[str, Any]:
        """Calls the graph once; state comes as DeviceArray, everything else as numpy arrays."""
        binding = self._session.io_binding()
        for name, values in feeds.items():
            binding.bind_ortvalue_input(name, self._on_device(values))
        for tensor in self._spec.outputs:
            binding.bind_output(tensor.name, *(self._device if _is_state(tensor.name) else ("cpu", 0)))
        self._session.run_with_iobinding(binding)
        outputs = zip(self._spec.outputs, binding.get_outputs(), strict=True)
        return {
            tensor.name: DeviceArray(value) if _is_state(tensor.name) else value.numpy()
            for tensor, value in outputs
        }

    def _on_device(self, values: Array | DeviceArray) -> ort.OrtValue:
        if isinstance(values, DeviceArray):
            return values.value
        return ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(values), *self._device)


class BucketedGraph(DeviceGraph):
    """A DeviceGraph with a captured launch (CUDA graph) for each batch size in `BUCKETS`.

    The session must have been made for capturing; see `session_providers`.
    """

    def __init__(
        self, session: ort.InferenceSession, spec: GraphSpec, device: str = "cuda", device_id: int = 0
    ) -> None:
        super().__init__(session, spec, device, device_id)
        self._lock = threading.Lock()
        self._buckets: dict[int, _Bucket] = {}

    def warm_up(self, most: int) -> None:
        """Captures every size up to `most` rows, so that no request waits for it."""
        for rows in (bucket for bucket in BUCKETS if bucket <= most):
            self.run({t.name: blank(t.name, (rows, *t.shape), t.dtype) for t in self._spec.inputs})

    def run(self, feeds: Mapping[str, Array | DeviceArray]) -> dict[str, Any]:
        """As `DeviceGraph.run`; more rows than the largest bucket are called without a captured launch."""
        rows = len(next(iter(feeds.values())))
        size = next((bucket for bucket in BUCKETS if bucket >= rows), None)
        if size is None:
            return super().run(feeds)
        with self._lock:
            bucket = self._buckets.get(size)
            if bucket is None:
                bucket = self._buckets[size] = _Bucket(self._session, self._spec, size, *self._device)
            return bucket.run(feeds, rows)


class _Bucket:
    """Fixed memory for one size of batch, and the launch that was captured on it."""

    def __init__(
        self, session: ort.InferenceSession, spec: GraphSpec, size: int, device: str, device_id: int
    ) -> None:
        self._session, self._size, self._device = session, size, (device, device_id)
        self._inputs = {t.name: self._empty(t.shape, t.dtype) for t in spec.inputs}
        self._outputs = {t.name: self._empty(t.shape, t.dtype) for t in spec.outputs}
        self._binding = session.io_binding()
        for name, value in self._inputs.items():
            self._binding.bind_ortvalue_input(name, value)
        for name, value in self._outputs.items():
            self._binding.bind_ortvalue_output(name, value)
        self._options = ort.RunOptions()
        self._options.add_run_config_entry("gpu_graph_id", str(size))

    def run(self, feeds: Mapping[str, Array | DeviceArray], rows: int) -> dict[str, Any]:
        """Copies the inputs to where they are expected, replays, and copies the outputs away."""
        for name, values in feeds.items():
            fixed = self._inputs[name]
            if isinstance(values, DeviceArray) and len(values) == self._size:
                self._copy(values.value, fixed)
            else:
                padded = blank(name, fixed.shape(), _DTYPES[fixed.data_type()])
                padded[:rows] = np.asarray(values)
                fixed.update_inplace(padded)
        self._session.run_with_iobinding(self._binding, self._options)
        outputs: dict[str, Any] = {}
        for name, value in self._outputs.items():
            if _is_state(name) and rows == self._size:
                kept = ort.OrtValue.ortvalue_from_shape_and_type(
                    value.shape(), _DTYPES[value.data_type()], *self._device
                )
                self._copy(value, kept)  # the next replay writes over it
                outputs[name] = DeviceArray(kept)
            else:
                outputs[name] = value.numpy()[:rows].copy()
        return outputs

    def _empty(self, shape: tuple[int, ...], dtype: str) -> ort.OrtValue:
        return ort.OrtValue.ortvalue_from_shape_and_type([self._size, *shape], np.dtype(dtype), *self._device)

    def _copy(self, source: ort.OrtValue, target: ort.OrtValue) -> None:
        if self._device[0] == "cpu":  # between host arrays ONNX Runtime has no such copy
            target.update_inplace(source.numpy())
        else:
            ort.copy_tensors([source], [target])


_DTYPES: dict[str, Any] = {"tensor(float)": np.float32, "tensor(int64)": np.int64}


def _is_state(name: str) -> bool:
    return name.startswith(_STATE)
