"""A graph of a bundle in ONNX Runtime, without torch."""

__all__ = ["Session"]

from collections.abc import Mapping

import onnxruntime

from pentimento.training.export.replay import Array, Arrays


class Session:
    """An ONNX graph in ONNX Runtime, on one CPU thread as in the server.

    Args:
        data: The ONNX file.
        weights: Contents of the files that it points at, by name.
    """

    def __init__(self, data: bytes, weights: Mapping[str, bytes] | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        if weights:
            options.add_external_initializers_from_files_in_memory(
                list(weights), list(weights.values()), list(map(len, weights.values()))
            )
        self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self.inputs = self._session.get_inputs()
        self.outputs = self._session.get_outputs()

    def run(self, feeds: Arrays) -> dict[str, Array]:
        """Calls the graph and returns its outputs by name; `feeds` may hold more than its inputs."""
        names = [node.name for node in self.outputs]
        values = self._session.run(names, {node.name: feeds[node.name] for node in self.inputs})
        return dict(zip(names, values, strict=True))
