"""Numbers that several graphs of a bundle have in common lie in one file, as ONNX's external data.

A drawing, an encoder and a likelihood of one network are three graphs with the same weights: a bundle would
hold them three times. ONNX Runtime and other readers of ONNX find them in the file beside the graph.
"""

__all__ = ["WEIGHTS", "all_weights", "export_graphs", "load_whole", "share_weights"]

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import onnx

from pentimento.training.export.graphs import ExportedGraph, GraphModule, export_graph

WEIGHTS = "weights.bin"
_LEAST_BYTES = 1024  # of a tensor; smaller ones are not worth an entry
_ALIGNED = 64  # bytes, so that a reader may map the file


def export_graphs(sources: Mapping[str, GraphModule]) -> dict[str, ExportedGraph]:
    """Exports the graphs of a bundle, with one file for the weights that they have in common."""
    exported = {name: export_graph(source) for name, source in sources.items()}
    files, shared = share_weights({name: graph.data for name, graph in exported.items()})
    return {
        name: replace(graph, data=files[name], weights={WEIGHTS: shared})
        if files[name] is not graph.data
        else graph
        for name, graph in exported.items()
    }


def all_weights(graphs: Iterable[ExportedGraph]) -> dict[str, bytes]:
    """Contents of all files that graphs point at, by name."""
    return {file: data for graph in graphs for file, data in graph.weights.items()}


def share_weights(graphs: Mapping[str, bytes]) -> tuple[dict[str, bytes], bytes]:
    """Moves what occurs more than once, in one graph or in several, to one file called `WEIGHTS`.

    Args:
        graphs: ONNX files with all their numbers, by name.

    Returns:
        The graphs, of which some point at the file, and the file's contents: empty if nothing is shared.
    """
    models = {name: onnx.load_from_string(data) for name, data in graphs.items()}
    everywhere = Counter(
        _key(tensor)
        for model in models.values()
        for graph in (model.graph, *_bodies(model.graph))
        for tensor in _large(graph)
    )
    for model in models.values():
        _lift(model.graph, {key for key, times in everywhere.items() if times > 1})
    count = Counter(_key(tensor) for model in models.values() for tensor in _large(model.graph))
    places: dict[bytes, int] = {}
    shared = bytearray()
    found = dict(graphs)
    for name, model in models.items():
        for tensor in _large(model.graph):
            key, size = _key(tensor), len(tensor.raw_data)
            if count[key] < 2:
                continue
            if key not in places:
                shared += bytes(-len(shared) % _ALIGNED)
                places[key] = len(shared)
                shared += tensor.raw_data
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            for entry, value in (("location", WEIGHTS), ("offset", places[key]), ("length", size)):
                tensor.external_data.add(key=entry, value=str(value))
            found[name] = b""
    for name, data in found.items():
        if not data:
            found[name] = models[name].SerializeToString(deterministic=True)
    return found, bytes(shared)


def load_whole(data: bytes, weights: Mapping[str, bytes]) -> onnx.ModelProto:
    """A graph with all its numbers, also those that lie in other files."""
    model = onnx.load_from_string(data)
    for tensor in model.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            place = {entry.key: entry.value for entry in tensor.external_data}
            start = int(place["offset"])
            tensor.raw_data = weights[place["location"]][start : start + int(place["length"])]
            tensor.ClearField("external_data")
            tensor.data_location = onnx.TensorProto.DEFAULT
    return model


def _lift(graph: onnx.GraphProto, keys: set[bytes]) -> None:
    """Moves such tensors from bodies of loops to the graph around: only its own may be in another file.

    A body sees the values around it. The Cast that makes single precision of a tensor comes along, or it
    would be done anew in each round of a loop. Convolutions of a loop are slower with weights from outside
    of it, by a third or so, as ONNX Runtime does not lay those out for them: that is the price.
    """
    casts: list[onnx.NodeProto] = []
    taken = {tensor.name for tensor in graph.initializer}
    taken.update(name for node in graph.node for name in node.output)
    for body in _bodies(graph):
        for tensor in _large(body):
            users = [node for node in body.node if tensor.name in node.input]
            names = {tensor.name, *(name for node in users for name in node.output)}
            if _key(tensor) not in keys or any(node.op_type != "Cast" for node in users) or names & taken:
                continue
            taken |= names
            graph.initializer.append(tensor)
            body.initializer.remove(tensor)
            for node in users:
                casts.append(onnx.NodeProto.FromString(node.SerializeToString()))
                body.node.remove(node)
    for place, node in enumerate(casts):
        graph.node.insert(place, node)


def _bodies(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield attribute.g
                yield from _bodies(attribute.g)


def _large(graph: onnx.GraphProto) -> list[onnx.TensorProto]:
    return [tensor for tensor in graph.initializer if len(tensor.raw_data) >= _LEAST_BYTES]


def _key(tensor: onnx.TensorProto) -> bytes:
    return hashlib.sha256(tensor.raw_data).digest()
