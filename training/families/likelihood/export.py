"""Loads a likelihood model from its checkpoint, and describes it as a bundle."""

__all__ = ["draft_likelihood", "likelihood_drawing", "likelihood_figures", "load_likelihood"]

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from pentimento.bundle.drawing import Drawing, NoiseSpec, Phase, Steps
from pentimento.bundle.manifest import ImageSpec, Labels, Likelihood, Paper
from pentimento.models.pixels.base import AutoregressiveModel
from pentimento.models.recurrent.draw import DRAW
from pentimento.models.shared.latent_model import LatentModel
from pentimento.training.data.binarise import Binarisation, binarise_for_evaluation, find_binarisation
from pentimento.training.data.datasets import Dataset
from pentimento.training.export.bundle import EVALUATION_SEED, Draft
from pentimento.training.export.graphs import GraphModule
from pentimento.training.export.trained import Trained, load_trained
from pentimento.training.families.draw_graphs import DRAW_PAPER, draw_plan
from pentimento.training.families.likelihood.config import LikelihoodConfig, LikelihoodModel, build_model
from pentimento.training.families.likelihood.evaluation import (
    evaluate_likelihood,
    importance_nats,
    neighbour_error,
)
from pentimento.training.families.likelihood.graphs import likelihood_graphs
from pentimento.training.judging.classifier import Classifier

SHOWN = 7  # canvases of a drawing by default: four rows more at each, for 28

PIXELCNN_PAPER = Paper(
    title="Pixel recurrent neural networks",
    authors="Aäron van den Oord, Nal Kalchbrenner, Koray Kavukcuoglu",
    year=2016,
    arxiv="1601.06759",
)
GATED_PAPER = Paper(
    title="Conditional image generation with PixelCNN decoders",
    authors="Aäron van den Oord, Nal Kalchbrenner, Oriol Vinyals, Lasse Espeholt, Alex Graves, "
    "Koray Kavukcuoglu",
    year=2016,
    arxiv="1606.05328",
)
PIXELVAE_PAPER = Paper(
    title="PixelVAE: a latent variable model for natural images",
    authors="Ishaan Gulrajani, Kundan Kumar, Faruk Ahmed, Adrien Ali Taiga, Francesco Visin, David Vazquez, "
    "Aaron Courville",
    year=2016,
    arxiv="1611.05013",
)
VAE_PAPER = Paper(
    title="Auto-encoding variational Bayes",
    authors="Diederik P. Kingma, Max Welling",
    year=2013,
    arxiv="1312.6114",
)
_FAMILIES = {
    "pixelcnn": ("PixelCNN", PIXELCNN_PAPER),
    "gated_pixelcnn": ("Gated PixelCNN", GATED_PAPER),
    "vae": ("Convolutional VAE", VAE_PAPER),
    "pixelvae": ("PixelVAE", PIXELVAE_PAPER),
    "pixelvae_two_level": ("PixelVAE with two latent levels", PIXELVAE_PAPER),
    "draw": ("DRAW", DRAW_PAPER),
}

TrainedLikelihood = Trained[LikelihoodConfig, LikelihoodModel]


def load_likelihood(path: Path, device: torch.device) -> TrainedLikelihood:
    """Loads a checkpoint's averaged model, in inference mode.

    Raises:
        CheckpointError: There is no usable checkpoint.
    """
    trained = load_trained(path, device, LikelihoodConfig, _build)
    trained.networks.to(device).eval()
    return trained


def _build(config: LikelihoodConfig, players: Mapping[str, Any]) -> LikelihoodModel:
    model = build_model(config.model)
    model.load_state_dict(players["average"])
    return model


def likelihood_figures(
    config: LikelihoodConfig, model: LikelihoodModel, dataset: Dataset, rows: int, importance_rows: int
) -> dict[str, Any]:
    """The figures that a manifest holds of a model: likelihood, KL, importance bound, neighbours.

    Args:
        config: The recipe.
        model: In inference mode.
        dataset: What it was trained on.
        rows: Test images for the likelihood.
        importance_rows: Test images for the bound with several importance samples.
    """
    rule = find_binarisation(dataset.train.images, config.levels)
    judged = evaluate_likelihood(model, dataset.test, rows=rows, rule=rule, seed=EVALUATION_SEED)
    figures: dict[str, Any] = {"seed": EVALUATION_SEED, "likelihood": asdict(judged)}
    if isinstance(model, LatentModel):
        figures["importance"] = importance_nats(
            model,
            dataset.test,
            rows=importance_rows,
            samples=config.importance_samples,
            rule=rule,
            seed=EVALUATION_SEED,
        )
        figures["neighbours"] = neighbour_error(
            model, dataset.train, dataset.test, rule=rule, seed=EVALUATION_SEED
        )
    return figures


def draft_likelihood(
    trained: TrainedLikelihood,
    dataset: Dataset,
    classifier: Classifier | None = None,
    rows: int = 10_000,
    importance_rows: int = 500,
) -> Draft:
    """Describes the bundle of a likelihood model.

    Args:
        trained: From `load_likelihood`; the model is moved to the CPU.
        dataset: What it was trained on.
        classifier: Not used: likelihoods need none.
        rows: Test images for the likelihood.
        importance_rows: Test images for the bound with several importance samples.
    """
    config, model = trained.config, trained.networks.cpu()
    rule = find_binarisation(dataset.train.images, config.levels)
    channels, height, width = config.image_shape
    graphs = likelihood_graphs(model)
    grey = torch.from_numpy(dataset.test.images[:64]).float() / 255
    what, paper = _FAMILIES[config.family]
    return Draft(
        family=config.family,
        summary=f"{what}, trained on {Path(config.dataset).name}{_BINARY[rule]}.",
        paper=paper,
        image=ImageSpec(
            channels=channels,
            height=height,
            width=width,
            levels=2 if config.levels == 2 else 256,
            binarisation={"dynamic": "sample", "static": "threshold", "none": None}[rule],
        ),
        graphs=graphs,
        images=binarise_for_evaluation(grey, rule, EVALUATION_SEED, 0).numpy(),
        drawing=draw_plan(model) if isinstance(model, DRAW) else likelihood_drawing(graphs),
        labels=Labels(names=dataset.class_names) if config.class_count else None,
        likelihood=Likelihood(kind="exact" if isinstance(model, AutoregressiveModel) else "bound"),
        judge=lambda: likelihood_figures(config, model, dataset, rows, importance_rows),
    )


_BINARY: dict[Binarisation, str] = {
    "dynamic": ", its pixels drawn black or white by their grey level",
    "static": ", whose pixels are black or white",
    "none": "",
}


def likelihood_drawing(graphs: Mapping[str, GraphModule]) -> Drawing | None:
    """The manifest's plan of a drawing, by the graphs that a model has.

    Returns:
        A row a call, or one call for a VAE; None without a `step` graph: such a model cannot draw.
    """
    if "step" not in graphs:
        return None
    inputs = {name: graph.inputs for name, graph in graphs.items()}
    latent = inputs.get("init", inputs["step"]).get("latent")
    noise = [] if latent is None else [NoiseSpec(name="latent", shape=tuple(latent.shape[1:]))]
    if "init" not in graphs:
        steps = Steps(default=1, min=1, max=1, trained=1)
        return Drawing(phases=(Phase(graph="step", shows=True),), steps=steps, noise=tuple(noise))
    height = inputs["step"]["known"].shape[2]
    phases = [Phase(graph="init")]
    if "prior" in graphs:
        maps = inputs["paint"]["state.prior_canvas"]
        phases += [Phase(graph="prior", calls=maps.shape[2]), Phase(graph="paint")]
        noise.append(
            NoiseSpec(name="map_noise", shape=tuple(inputs["prior"]["map_noise"].shape[1:]), per="call")
        )
    shape = tuple(inputs["step"]["noise"].shape[1:])
    noise.append(NoiseSpec(name="noise", shape=shape, prior="uniform", per="call"))
    return Drawing(
        phases=(*phases, Phase(graph="step", calls=height, shows=True)),
        steps=Steps(default=min(SHOWN, height), min=1, max=height, trained=height),
        noise=tuple(noise),
        completion="raster",
    )
