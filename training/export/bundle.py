"""Exports networks as a bundle: ONNX graphs, measured parity, figures, and where all of it comes from.

A family says what its bundle is (`Draft`); exporting, comparing, judging and writing are the same for all.
"""

__all__ = ["EVALUATION_SEED", "Draft", "export_bundle", "graph_entry", "provenance"]

import hashlib
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pentimento.bundle.manifest import (
    Drawing,
    GraphSpec,
    ImageSpec,
    Labels,
    Likelihood,
    Manifest,
    Paper,
    Parity,
    Provenance,
    Scorer,
    TensorSpec,
    WeightsFile,
)
from pentimento.bundle.store import Bundle, graph_spec, refuse_to_replace, write_bundle
from pentimento.training.export.graphs import ExportedGraph, GraphModule
from pentimento.training.export.parity import BATCHES, TOLERANCE, Session, measure_parity
from pentimento.training.export.shared_weights import all_weights, export_graphs
from pentimento.training.export.trained import Trained
from pentimento.training.export.version import choose_version
from pentimento.training.loop.config import LoopConfig

EVALUATION_SEED = 1  # of the drawings that are judged, so that anyone can have them judged again
_ORT_DTYPES = {"tensor(float)": "float32", "tensor(int64)": "int64"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A bundle before its graphs are exported, as a family describes it."""

    family: str  # as the manifest says it, such as `gran`
    summary: str  # a sentence
    image: ImageSpec
    graphs: Mapping[str, GraphModule]  # on the CPU: parity is a promise about the CPU
    images: NDArray[np.float32]  # at least one, as the model sees them, (N, C, H, W), for the parity
    judge: Callable[[], dict[str, Any]]  # the manifest's figures; called once the graphs agree with torch
    paper: Paper | None = None
    drawing: Drawing | None = None
    scorer: Scorer | None = None
    labels: Labels | None = None
    likelihood: Likelihood | None = None
    tolerance: float = TOLERANCE  # of the parity; more only where the model's own equations magnify rounding


def export_bundle(
    trained: Trained[Any, Any],
    draft: Draft,
    folder: Path,
    *,
    dataset_note: str | None = None,
    bundle_version: str | None = None,
    overwrite: bool = False,
    opinion: Callable[[Bundle], dict[str, Any]] | None = None,
) -> Manifest:
    """Exports the graphs, compares them with torch, has the bundle judged, and writes it.

    Args:
        trained: The networks, with their configuration and the checkpoint's records.
        draft: The family's description of the bundle.
        folder: Where the bundle goes; its name is the bundle's.
        dataset_note: What is special about the data set, for the manifest.
        bundle_version: Version of the bundle, such as 1.0.0; None lets `choose_version` choose.
        overwrite: Replace a bundle that is there.
        opinion: Further figures, of the finished bundle.

    Returns:
        The manifest that was written.

    Raises:
        BundleError: There is a bundle already, or something else.
        ParityError: The graphs differ from the networks; nothing is written.
    """
    refuse_to_replace(folder, overwrite=overwrite)
    graphs = export_graphs(draft.graphs)
    entries = {name: graph_entry(name, graph) for name, graph in graphs.items()}
    parity = measure_parity(
        graphs,
        entries,
        draft.drawing,
        draft.images,
        len(draft.labels.names) if draft.labels else 0,
        draft.tolerance,
    )
    manifest = Manifest(
        name=folder.name,
        version=choose_version(folder, entries, bundle_version),
        family=draft.family,
        summary=draft.summary,
        paper=draft.paper,
        image=draft.image,
        graphs=entries,
        drawing=draft.drawing,
        scorer=draft.scorer,
        labels=draft.labels,
        likelihood=draft.likelihood,
        parity=Parity(
            batches=BATCHES,
            tolerance=draft.tolerance,
            **{name: float(f"{value:.3g}") for name, value in asdict(parity).items()},
        ),
    )
    contents = {name: graph.data for name, graph in graphs.items()}
    weights = all_weights(graphs.values())
    evaluation = draft.judge()
    if opinion is not None:
        evaluation |= opinion(Bundle(manifest=manifest, graphs=contents, weights=weights))
    source = provenance(trained.config, trained.record, evaluation, dataset_note)
    manifest = manifest.model_copy(update={"provenance": source})
    write_bundle(folder, manifest, contents, weights, overwrite=overwrite)
    return manifest


def graph_entry(name: str, graph: ExportedGraph) -> GraphSpec:
    """A graph's entry in the manifest: files, checksums, names, types and shapes of inputs and outputs."""
    session = Session(graph.data, graph.weights)
    sides = [
        tuple(
            TensorSpec(name=node.name, dtype=_ORT_DTYPES[node.type], shape=tuple(node.shape[1:]))
            for node in nodes
        )
        for nodes in (session.inputs, session.outputs)
    ]
    weights = None
    for file, data in graph.weights.items():
        weights = WeightsFile(file=file, sha256=hashlib.sha256(data).hexdigest())
    return graph_spec(f"{name}.onnx", graph.data, inputs=sides[0], outputs=sides[1], weights=weights)


def provenance(
    config: LoopConfig, record: Mapping[str, Any], evaluation: dict[str, Any], note: str | None = None
) -> Provenance:
    """The manifest's record of a training: recipe, data set, device, libraries, and the figures measured.

    Args:
        config: Of the training.
        record: The checkpoint's records: data set, history, iterations, seconds, device.
        evaluation: Figures measured on the exported weights.
        note: What is special about the data set.
    """
    return Provenance(
        recipe=config.recipe,
        dataset=record["dataset"],
        dataset_note=note,
        dataset_sha256=record["dataset_sha256"],
        seed=config.seed,
        epochs=len(record["history"]),
        iterations=record["iteration"],
        train_seconds=round(record["train_seconds"], 1),
        device=record["device"],
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        libraries={"python": platform.python_version()}
        | {name: version(name) for name in ("torch", "onnx", "onnxscript", "onnxruntime", "numpy")},
        # A user's path is nobody else's business, and leads nowhere on another machine.
        config=config.to_json() | {"dataset": record["dataset"]},
        evaluation=evaluation,
    )
