"""From a one-shot generator's checkpoint to a bundle: graphs, measured parity, figures of its drawings."""

__all__ = ["EVALUATION_SEED", "TrainedOneShot", "export_one_shot_bundle", "load_one_shot"]

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from pentimento.bundle.drawing import Drawing, NoiseSpec, Phase, Steps
from pentimento.bundle.manifest import ImageSpec, Labels, Manifest, Paper, Parity, Scorer
from pentimento.bundle.store import write_bundle
from pentimento.models.adversarial.architectures import build_one_shot
from pentimento.models.adversarial.base import OneShotGenerator, OneShotScorer
from pentimento.training.data.datasets import Dataset
from pentimento.training.export.bundle import graph_entry, provenance
from pentimento.training.export.graphs import export_graph
from pentimento.training.export.parity import TOLERANCE
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.drawing import draw_chunks, freeze_statistics
from pentimento.training.families.one_shot.graphs import one_shot_graphs
from pentimento.training.families.one_shot.objectives import OBJECTIVES
from pentimento.training.families.one_shot.parity import BATCHES, measure_one_shot_parity
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import figures
from pentimento.training.loop.checkpoints import BEST, CheckpointError, read_checkpoint

EVALUATION_SEED = 1  # of the drawings that are judged, so that anyone can have them judged again
_STATISTICS_SEED = 31


def _paper(title: str, authors: str, year: int, arxiv: str) -> Paper:
    return Paper(title=title, authors=authors, year=year, arxiv=arxiv)


_DCGAN = _paper(
    "Unsupervised representation learning with deep convolutional generative adversarial networks",
    "Alec Radford, Luke Metz, Soumith Chintala",
    2015,
    "1511.06434",
)
_LSGAN = _paper(
    "Least squares generative adversarial networks",
    "Xudong Mao, Qing Li, Haoran Xie, Raymond Y.K. Lau, Zhen Wang, Stephen Paul Smolley",
    2016,
    "1611.04076",
)
_WGAN = _paper("Wasserstein GAN", "Martin Arjovsky, Soumith Chintala, Léon Bottou", 2017, "1701.07875")
_WGAN_GP = _paper(
    "Improved training of Wasserstein GANs",
    "Ishaan Gulrajani, Faruk Ahmed, Martin Arjovsky, Vincent Dumoulin, Aaron Courville",
    2017,
    "1704.00028",
)
_CGAN = _paper("Conditional generative adversarial nets", "Mehdi Mirza, Simon Osindero", 2014, "1411.1784")
_ACGAN = _paper(
    "Conditional image synthesis with auxiliary classifier GANs",
    "Augustus Odena, Christopher Olah, Jonathon Shlens",
    2016,
    "1610.09585",
)
# Family, name and paper by the objective; how a model is conditioned says more than that.
_OBJECTIVES = {
    "gan": ("dcgan", "DCGAN", _DCGAN),
    "lsgan": ("lsgan", "LSGAN", _LSGAN),
    "wgan": ("wgan", "WGAN", _WGAN),
    "wgan_gp": ("wgan_gp", "WGAN-GP", _WGAN_GP),
}
_CONDITIONED = {"concat": ("cgan", "Conditional GAN", _CGAN), "classifier": ("acgan", "AC-GAN", _ACGAN)}


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedOneShot:
    """The networks of a checkpoint, ready to draw and to judge, and the checkpoint's own records."""

    config: OneShotTrainConfig
    generator: OneShotGenerator  # the averaged one, in inference mode, its statistics frozen
    scorer: OneShotScorer  # in inference mode
    record: Mapping[str, Any]


def load_one_shot(
    run_folder: Path, device: torch.device, *, checkpoint: str = BEST, statistics_rows: int = 20_000
) -> TrainedOneShot:
    """Loads a training's result and freezes its statistics; arguments as for `load_trained`.

    Raises:
        CheckpointError: There is no usable checkpoint.
    """
    record = read_checkpoint(run_folder / checkpoint, device)
    try:
        config = OneShotTrainConfig.from_json(record["config"])
        generator, scorer = build_one_shot(config.model)
        generator.load_state_dict(record["players"]["average"])
        scorer.load_state_dict(record["players"]["scorer"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"the checkpoint in {run_folder} does not fit this version: {error}") from error
    freeze_statistics(generator.to(device), statistics_rows, _STATISTICS_SEED)
    return TrainedOneShot(config=config, generator=generator, scorer=scorer.to(device).eval(), record=record)


def export_one_shot_bundle(
    trained: TrainedOneShot,
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
        classifier: Judges the drawings; of a conditional generator, all classes in turn.
        dataset: What they are compared with.
        rows: Drawings to judge.
        bundle_version: Version of the bundle.

    Raises:
        ParityError: The graphs differ from the networks; nothing is written.
    """
    config, model = trained.config, trained.config.model
    # Exported on the CPU: a graph does not remember a device, and parity is a promise about the CPU.
    generator, scorer = trained.generator.cpu(), trained.scorer.cpu()
    graphs = {
        name: export_graph(module) for name, module in one_shot_graphs(config, generator, scorer).items()
    }
    images = dataset.test.images[: max(BATCHES)].astype("float32") / 255
    parity = measure_one_shot_parity(graphs, images, model.class_count)
    drawings = draw_chunks(generator, rows, EVALUATION_SEED)
    evaluation = figures(drawings, classifier.cpu(), dataset, EVALUATION_SEED, model.class_count)
    last = trained.record["history"][-1]
    evaluation["scorer_loss"] = {
        "train": last["scorer_loss_train"],
        "held_out": last["scorer_loss_held_out"],
    }
    family, what, paper = _CONDITIONED.get(model.conditioning, _OBJECTIVES[config.objective])
    manifest = Manifest(
        name=folder.name,
        version=bundle_version,
        family=family,
        summary=_summary(config, what, dataset),
        paper=paper,
        image=ImageSpec(channels=model.channels, height=model.image_size, width=model.image_size),
        graphs={name: graph_entry(name, graph) for name, graph in graphs.items()},
        drawing=Drawing(
            phases=(Phase(graph="step", shows=True),),
            steps=Steps(default=1, min=1, max=1, trained=1),
            noise=(NoiseSpec(name="latent", shape=(model.latent_dim,)),),
        ),
        scorer=Scorer(kind=OBJECTIVES[config.objective].score_kind) if "score" in graphs else None,
        labels=Labels(names=dataset.class_names) if model.class_count else None,
        parity=Parity(
            batches=BATCHES,
            tolerance=TOLERANCE,
            **{figure: float(f"{value:.3g}") for figure, value in asdict(parity).items()},
        ),
        provenance=provenance(config, trained.record, evaluation, dataset.note),
    )
    write_bundle(folder, manifest, {name: graph.data for name, graph in graphs.items()})
    return manifest


def _summary(config: OneShotTrainConfig, what: str, dataset: Dataset) -> str:
    data = dataset.name + (f" ({dataset.note})" if dataset.note else "")
    trained = f"trained on {data}"
    if config.model.class_count:
        trained += f" with the objective of {_OBJECTIVES[config.objective][1]}, to draw the class asked for"
    elif config.train_rows is not None:
        trained = f"trained on {config.train_rows:,} images of {data}"
    return f"{what}, {trained}."
