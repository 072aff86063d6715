"""From a checkpoint to a bundle: graphs, measured parity, figures, and where it all comes from."""

__all__ = [
    "EVALUATION_SEED",
    "MAX_STEPS",
    "Trained",
    "export_bundle",
    "graph_entry",
    "load_trained",
    "provenance",
]

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pentimento.bundle.manifest import (
    Drawing,
    GraphSpec,
    ImageSpec,
    Manifest,
    NoiseSpec,
    Paper,
    Parity,
    Phase,
    Provenance,
    Scorer,
    Steps,
    TensorSpec,
)
from pentimento.bundle.store import graph_spec, write_bundle
from pentimento.models.recurrent.base import SequentialGenerator
from pentimento.training.data.datasets import Dataset
from pentimento.training.export.graphs import ExportedGraph, drawing_graphs, export_graph, score_graph
from pentimento.training.export.parity import BATCHES, TOLERANCE, ParityFigures, Session, measure_parity
from pentimento.training.families.recurrent.networks import build_networks
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import draw_chunks, figures, freeze_statistics
from pentimento.training.loop.checkpoints import BEST, CheckpointError, read_checkpoint
from pentimento.training.loop.config import LoopConfig, TrainConfig, config_from_json

MAX_STEPS = 16  # a drawing may go on beyond the trained steps, with the last step's statistics
EVALUATION_SEED = 1  # of the drawings that are judged, so that anyone can have them judged again
_STATISTICS_SEED = 29
_ORT_DTYPES = {"tensor(float)": "float32", "tensor(int64)": "int64"}

GRAN_PAPER = Paper(
    title="Generating images with recurrent adversarial networks",
    authors="Daniel Jiwoong Im, Chris Dongjoo Kim, Hui Jiang, Roland Memisevic",
    year=2016,
    arxiv="1602.05110",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trained:
    """The networks of a checkpoint, ready to draw, and the checkpoint's own records."""

    config: TrainConfig
    generator: SequentialGenerator  # the averaged one, in inference mode, its statistics frozen
    scorer: nn.Module
    record: Mapping[str, Any]


def load_trained(
    run_folder: Path, device: torch.device, *, checkpoint: str = BEST, statistics_rows: int = 20_000
) -> Trained:
    """Loads a training's result and freezes its statistics.

    Args:
        run_folder: The training's folder.
        device: Where to compute.
        checkpoint: File name of the checkpoint.
        statistics_rows: Latents that the statistics of every step are collected over.

    Raises:
        CheckpointError: There is no usable checkpoint.
    """
    record = read_checkpoint(run_folder / checkpoint, device)
    try:
        config = config_from_json(record["config"])
        generator, scorer = build_networks(config.model)
        generator.load_state_dict(record["players"]["average"])
        scorer.load_state_dict(record["players"]["scorer"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"the checkpoint in {run_folder} does not fit this version: {error}") from error
    generator.to(device)
    freeze_statistics(generator, statistics_rows, _STATISTICS_SEED)
    return Trained(config=config, generator=generator, scorer=scorer.to(device).eval(), record=record)


def export_bundle(
    trained: Trained,
    folder: Path,
    *,
    classifier: Classifier,
    dataset: Dataset,
    rows: int = 10_000,
    bundle_version: str = "1.0.0",
) -> Manifest:
    """Exports graphs, measures parity, judges drawings, and writes a bundle.

    Args:
        trained: The networks.
        folder: Where the bundle goes; its name is the bundle's.
        classifier: Judges the drawings.
        dataset: What they are compared with.
        rows: Drawings to judge.
        bundle_version: Version of the bundle.

    Raises:
        ParityError: The graphs differ from the networks; nothing is written.
    """
    config = trained.config
    model = config.model
    image = ImageSpec(channels=model.channels, height=model.image_size, width=model.image_size)
    # Exported on the CPU: a graph does not remember a device, and parity is a promise about the CPU.
    generator, scorer = trained.generator.cpu(), trained.scorer.cpu()
    modules = drawing_graphs(generator) | {"score": score_graph(scorer, image.shape)}
    graphs = {name: export_graph(module) for name, module in modules.items()}
    parity = measure_parity(graphs, model.step_count)
    drawings = draw_chunks(generator, rows, EVALUATION_SEED)
    evaluation = figures(drawings, classifier.cpu(), dataset, EVALUATION_SEED)
    same = model.noise_mode == "same"
    manifest = Manifest(
        name=folder.name,
        version=bundle_version,
        family="gran",
        summary=_summary(config),
        paper=GRAN_PAPER,
        image=image,
        graphs={name: graph_entry(name, graph) for name, graph in graphs.items()},
        drawing=Drawing(
            phases=(Phase(graph="init"), Phase(graph="step", calls="steps", shows=True)),
            steps=Steps(
                default=model.step_count,
                min=1,
                # With T = 1 nothing ever reads g, so it has learned nothing that a second step could use.
                max=MAX_STEPS if model.step_count > 1 else 1,
                trained=model.step_count,
            ),
            noise=(
                NoiseSpec(
                    name="latent" if same else "noise",
                    shape=(model.latent_dim,),
                    per="drawing" if same else "call",
                ),
            ),
        ),
        scorer=Scorer(kind="discriminator"),
        parity=Parity(batches=BATCHES, tolerance=TOLERANCE, **_rounded(parity)),
        provenance=provenance(trained.config, trained.record, evaluation, dataset.note),
    )
    write_bundle(folder, manifest, {name: graph.data for name, graph in graphs.items()})
    return manifest


def _summary(config: TrainConfig) -> str:
    model = config.model
    steps = "in one step" if model.step_count == 1 else f"in {model.step_count} steps"
    noise = "the same latent at each" if model.noise_mode == "same" else "a fresh latent at each"
    return f"GRAN, trained on {Path(config.dataset).name} to draw {steps}" + (
        f", {noise}." if model.step_count > 1 else "."
    )


def _rounded(parity: ParityFigures) -> dict[str, float]:
    return {name: float(f"{value:.3g}") for name, value in asdict(parity).items()}


def graph_entry(name: str, graph: ExportedGraph) -> GraphSpec:
    """A graph as a manifest lists it."""
    session = Session(graph.data)
    sides = [
        tuple(
            TensorSpec(name=node.name, dtype=_ORT_DTYPES[node.type], shape=tuple(node.shape[1:]))
            for node in nodes
        )
        for nodes in (session.inputs, session.outputs)
    ]
    return graph_spec(f"{name}.onnx", graph.data, inputs=sides[0], outputs=sides[1])


def provenance(
    config: LoopConfig, record: Mapping[str, Any], evaluation: dict[str, Any], note: str | None = None
) -> Provenance:
    """Where a checkpoint's weights come from, with figures measured on them, and a note on the data set."""
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
        config=config.to_json(),
        evaluation=evaluation,
    )
