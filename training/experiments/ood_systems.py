"""What is asked about images out of distribution, and how large it is: a system, a configuration.

The systems are the recipes' at a part of their size: four times ten trainings are to fit on two cores. An
update takes 0.12 s of VAE, 0.34 of PixelCNN, 0.27 of PixelVAE and 0.05 of DCGAN, measured as time of one CPU
core in float32 on a busy machine; with 1,250 updates each, that is 16 minutes a class and less than three
hours for all ten. A GAN's discriminator is not normalised, as batch statistics would tell which images come
together.

Another data set is another entry of `SYSTEMS`, by its name; one of 28 grey pixels that is not there is taken
as MNIST is. CIFAR-10 has the one system that this package can train on it.
"""

__all__ = ["SYSTEMS", "OodPlan", "image_shape_of", "system_config", "systems_of"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pentimento.models.adversarial.config import OneShotConfig
from pentimento.models.latent.pixelvae import PixelVAEConfig
from pentimento.models.latent.vae import VAEConfig
from pentimento.models.pixels.gated_pixelcnn import GatedPixelCNNConfig
from pentimento.training.families.likelihood.config import LikelihoodConfig
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.objectives import OBJECTIVES
from pentimento.training.loop.config import LoopConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class OodPlan:
    """Settings of all trainings."""

    dataset: str  # its name, a key of SYSTEMS, or a path
    train_rows: int = 20_000  # training images of each, of those that are left
    epochs: int = 4
    asked_rows: int = 10_000  # test images, of all classes
    width: float = 1.0  # factor on all widths, for trials
    seed: int = 1

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be trained; the message names field, limit and value."""
        for name in ("train_rows", "epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.asked_rows < 100:
            raise ValueError(f"asked_rows must be at least 100, got {self.asked_rows}")
        if not 0 < self.width <= 8:
            raise ValueError(f"width must lie in 0..8, above 0, got {self.width}")


def _wide(plan: OodPlan, features: int) -> int:
    return max(2, round(features * plan.width))


def _likelihood(plan: OodPlan, model: Any, **changed: Any) -> LikelihoodConfig:  # noqa: ANN401
    return LikelihoodConfig(
        recipe="ood",
        model=model,
        dataset=plan.dataset,
        epochs=plan.epochs,
        seed=plan.seed,
        evaluation_rows=250,
        sheet_iterations=10**6,  # none: a sheet of pixels drawn one by one takes longer than an epoch
        rate=2e-3,
        **changed,
    )


def _vae(plan: OodPlan) -> LoopConfig:
    widths = _wide(plan, 16), _wide(plan, 32)
    return _likelihood(plan, VAEConfig(latent_dim=16, widths=widths))


def _pixelcnn(plan: OodPlan) -> LoopConfig:
    return _likelihood(plan, GatedPixelCNNConfig(features=_wide(plan, 16), layers=4, place_bias=True))


def _pixelvae(plan: OodPlan) -> LoopConfig:
    widths, features = (_wide(plan, 8), _wide(plan, 16)), _wide(plan, 16)
    model = PixelVAEConfig(latent_dim=16, widths=widths, features=features, layers=3, place_bias=True)
    return _likelihood(plan, model, kl_warm_share=0.25, free_nats=5.0)


def _dcgan(plan: OodPlan, channels: int = 1, image_size: int = 28) -> LoopConfig:
    model = OneShotConfig(
        architecture="dcgan", channels=channels, image_size=image_size, width=_wide(plan, 16), latent_dim=64
    )
    return OneShotTrainConfig(
        recipe="ood",
        model=model,
        objective="gan",
        dataset=plan.dataset,
        epochs=plan.epochs,
        seed=plan.seed,
        evaluation_rows=500,
        statistics_rows=500,
        sheet_iterations=10**6,
        **{**OBJECTIVES["gan"].settings, "real_label": 0.9},
    )


SYSTEMS: dict[str, dict[str, Callable[[OodPlan], LoopConfig]]] = {
    "mnist": {"vae": _vae, "pixelcnn": _pixelcnn, "pixelvae": _pixelvae, "dcgan": _dcgan},
    "cifar10": {"dcgan": lambda plan: _dcgan(plan, 3, 32)},
}


def systems_of(name: str) -> Mapping[str, Callable[[OodPlan], LoopConfig]]:
    """The systems of a data set, by name."""
    return SYSTEMS.get(name, SYSTEMS["mnist"])


def image_shape_of(name: str) -> tuple[int, int, int]:
    """Shape of the images that a data set's systems are trained on, (C, H, W)."""
    first = next(iter(systems_of(name).values()))
    return first(OodPlan(dataset=name)).image_shape


def system_config(plan: OodPlan, system: str, held_out: int) -> LoopConfig:
    """The training of a system without a class.

    Raises:
        ValueError: The data set has no such system.
    """
    known = systems_of(plan.dataset)
    if system not in known:
        raise ValueError(f"system must be one of {', '.join(known)} for {plan.dataset}, got {system!r}")
    return replace(known[system](plan), recipe=f"ood-{system}-without-{held_out}")
