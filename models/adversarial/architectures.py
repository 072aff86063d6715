"""The registry of one-step GANs: from the name of an architecture to its generator and scorer."""

__all__ = ["ARCHITECTURES", "Builder", "OneShotConfig", "build_one_shot"]

from collections.abc import Callable

import torch

from pentimento.models.adversarial.base import OneShotGenerator, OneShotScorer
from pentimento.models.adversarial.config import OneShotConfig
from pentimento.models.adversarial.dcgan import build_dcgan
from pentimento.models.adversarial.hard_gans import (
    build_constant_filters,
    build_gated,
    build_mlp_generator,
    build_no_normalisation,
    build_resnet101,
    build_tanh,
)
from pentimento.models.adversarial.resnet_gan import build_resnet
from pentimento.models.adversarial.wgan_gp import build_wgan_gp

Builder = Callable[[OneShotConfig], tuple[OneShotGenerator, OneShotScorer]]

ARCHITECTURES: dict[str, Builder] = {
    "dcgan": build_dcgan,
    "wgan_gp": build_wgan_gp,
    "resnet": build_resnet,
    "constant_filters": build_constant_filters,
    "mlp_generator": build_mlp_generator,
    "no_normalisation": build_no_normalisation,
    "gated": build_gated,
    "tanh": build_tanh,
    "resnet101": build_resnet101,
}


def build_one_shot(config: OneShotConfig, seed: int = 0) -> tuple[OneShotGenerator, OneShotScorer]:
    """Builds the generator and the scorer of a configuration.

    Args:
        config: Architecture and sizes.
        seed: Of the initial weights; torch's own generator stays as it is.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ARCHITECTURES[config.architecture](config)
