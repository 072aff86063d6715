"""What does each pixel layer add? Gulrajani et al. (2016, arXiv:1611.05013); Ahmed (2017), figure 2.4.

PixelVAEs with none to six pixel layers, and PixelCNNs of as many, by their nats and by how much of them the
latent keeps. Without a pixel layer a PixelVAE is a VAE. All have the same encoder and decoder, whose maps the
first layer sees, and none has free nats: what the latent keeps is what the training leaves it.

An update takes 0.07 s without a pixel layer, 0.17 with one and 0.54 with six, of a PixelCNN 0.08 and 0.52,
measured as time of one CPU core in float32 on a busy machine; all thirteen trainings some 80 minutes.
"""

__all__ = ["LAYERS", "LayerPlan", "layer_config", "layer_table", "run_layers", "save_layer_picture"]

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pentimento.models.latent.pixelvae import PixelVAEConfig
from pentimento.models.latent.vae import VAEConfig
from pentimento.models.pixels.gated_pixelcnn import GatedPixelCNNConfig
from pentimento.training.data.binarise import find_binarisation
from pentimento.training.data.datasets import Dataset
from pentimento.training.data.subset import take_rows
from pentimento.training.experiments.records import markdown_table, recorded
from pentimento.training.experiments.trainer import Trainer
from pentimento.training.families.likelihood.config import LikelihoodConfig, ModelConfig
from pentimento.training.families.likelihood.evaluation import evaluate_likelihood
from pentimento.training.judging.plots import new_figure, save_figure

LAYERS = tuple(range(7))
SYSTEMS = ("pixelvae", "pixelcnn")
_SEED = 20161115  # of binarisation and latents of what is asked


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerPlan:
    """Settings of all trainings."""

    dataset: str = "mnist"
    train_rows: int = 20_000
    epochs: int = 4
    asked_rows: int = 10_000  # test images
    features: int = 16  # of the pixel layers, and of the decoder's largest maps
    latent_dim: int = 16
    seed: int = 1

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be trained; the message names field, limit and value."""
        for name, least in (("train_rows", 1), ("epochs", 1), ("asked_rows", 10), ("features", 2)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")


def layer_config(plan: LayerPlan, system: str, layers: int) -> LikelihoodConfig:
    """The training of a system with so many pixel layers.

    Raises:
        ValueError: There is no such system, or a PixelCNN would have no layer.
    """
    if system not in SYSTEMS or layers < (system == "pixelcnn"):
        raise ValueError(f"there is no {system!r} of {layers} pixel layers")
    widths = plan.features, 2 * plan.features
    model: ModelConfig
    if system == "pixelcnn":
        model = GatedPixelCNNConfig(features=plan.features, layers=layers)
    elif layers == 0:
        model = VAEConfig(latent_dim=plan.latent_dim, widths=widths)
    else:
        model = PixelVAEConfig(
            latent_dim=plan.latent_dim, widths=widths, upsampling=True, features=plan.features, layers=layers
        )
    return LikelihoodConfig(
        recipe=f"{system}-{layers}-layers",
        model=model,
        dataset=plan.dataset,
        epochs=plan.epochs,
        seed=plan.seed,
        rate=2e-3,
        kl_warm_share=0.25,
        free_nats=0.0,
        evaluation_rows=250,
        sheet_iterations=10**6,  # none: drawn pixel after pixel they take longer than an epoch
    )


def run_layers(
    plan: LayerPlan, dataset: Dataset, folder: Path, *, layers: tuple[int, ...] = LAYERS, trainer: Trainer
) -> Iterator[dict[str, Any]]:
    """Trains one model after the other, in a folder each, and measures its nats on test images.

    Yields:
        `system`, `layers`, `nats`, `standard_error`, `kl` (None for a PixelCNN), `rows` and `seconds`, of
        each model when it is finished, or at once if it was before.

    Raises:
        ValueError: The folder holds a model that was trained with other settings.
    """
    used = take_rows(dataset, plan.train_rows)
    for count in layers:
        for system in SYSTEMS if count else SYSTEMS[:1]:
            config = layer_config(plan, system, count)
            here = folder / config.recipe
            settings = {"config": config.to_json(), "plan": asdict(plan), "dataset_sha256": dataset.sha256}
            ask = partial(_train_and_ask, plan, config, used, here, trainer)
            yield {"system": system, "layers": count, **recorded(here / "found.json", settings, ask)}


def _train_and_ask(
    plan: LayerPlan, config: LikelihoodConfig, dataset: Dataset, folder: Path, trainer: Trainer
) -> dict[str, Any]:
    trained = trainer.run(config, dataset, folder)
    rule = find_binarisation(dataset.train.images, config.levels)
    found = evaluate_likelihood(trained.networks, dataset.test, rows=plan.asked_rows, rule=rule, seed=_SEED)
    return {
        "nats": found.nats,
        "standard_error": found.standard_error,
        "kl": found.kl[0] if found.kl else None,
        "rows": found.rows,
        "binarisation": found.binarisation,
        "seconds": round(trained.record["train_seconds"], 1),
    }


def layer_table(found: Sequence[dict[str, Any]]) -> str:
    """Markdown: a row a number of layers, nats with intervals of 95 %, and the KL."""
    rows = []
    for count in sorted({each["layers"] for each in found}):
        here = {each["system"]: each for each in found if each["layers"] == count}
        pixelvae, pixelcnn = (here.get(system) for system in SYSTEMS)
        rows.append(
            (
                str(count),
                _words(pixelvae, "≤ "),
                f"{pixelvae['kl']:.2f}" if pixelvae else "-",
                _words(pixelcnn, ""),
            )
        )
    return markdown_table(("pixel layers", "PixelVAE, nats", "of them KL", "PixelCNN, nats"), rows, words=0)


def _words(found: dict[str, Any] | None, bound: str) -> str:
    return f"{bound}{found['nats']:.2f} ± {1.96 * found['standard_error']:.2f}" if found else "-"


def save_layer_picture(path: Path, found: Sequence[dict[str, Any]]) -> None:
    """Plots nats of both systems, and the KL, over the number of pixel layers, as a PNG."""
    figure, (nats, kl) = new_figure(2)
    for system in SYSTEMS:
        models = sorted((each for each in found if each["system"] == system), key=lambda each: each["layers"])
        if models:
            errors = [1.96 * each["standard_error"] for each in models]
            counts = [each["layers"] for each in models]
            nats.errorbar(counts, [each["nats"] for each in models], errors, marker="o", label=system)
            if system == "pixelvae":
                kl.plot(counts, [each["kl"] for each in models], marker="o", label=system)
    kl.set_ylim(bottom=0)
    save_figure(figure, ((nats, "nats an image"), (kl, "of them KL")), path, along="pixel layers")
