"""Graphs of a one-shot generator: `step` draws, `score` is its discriminator or critic.

Both take `label` where the network is told the class.
"""

__all__ = ["one_shot_graphs"]

import torch
from torch import Tensor

from pentimento.models.adversarial.base import OneShotGenerator, OneShotScorer
from pentimento.training.export.graphs import EXAMPLE_ROWS, Function, GraphModule
from pentimento.training.families.one_shot.config import OneShotTrainConfig

_LABEL = torch.arange(EXAMPLE_ROWS)


def one_shot_graphs(
    config: OneShotTrainConfig, generator: OneShotGenerator, scorer: OneShotScorer
) -> dict[str, GraphModule]:
    """The graphs of a bundle by name.

    A scorer with minibatch discrimination is left out: it looks at all rows of a call, whose composition is
    the server's business and no property of an image.

    Args:
        config: The recipe.
        generator: In inference mode, its statistics frozen.
        scorer: In inference mode, so that batch normalisation takes the statistics of the training.

    Raises:
        ValueError: A network is not in inference mode.
    """
    if generator.training or scorer.training:
        raise ValueError("generator and scorer must be in inference mode: else an image depends on its batch")

    def step(latent: Tensor, *label: Tensor) -> tuple[Tensor, ...]:
        # ONNX Runtime's tanh may pass 1 by a rounding, and a canvas is promised to lie in [0, 1].
        return (generator(latent, *label).clamp(0, 1),)

    def score(image: Tensor, *label: Tensor) -> tuple[Tensor, ...]:
        return (scorer(image, *label).score,)

    conditioning = config.model.conditioning
    graphs = {
        "step": GraphModule(
            module=Function(generator, step),
            inputs={"latent": torch.zeros(EXAMPLE_ROWS, generator.latent_dim)}
            | ({"label": _LABEL} if conditioning != "none" else {}),
            outputs=("canvas",),
        )
    }
    if not config.model.compares_rows:
        graphs["score"] = GraphModule(
            module=Function(scorer, score),
            inputs={"image": torch.rand(EXAMPLE_ROWS, *config.image_shape)}
            | ({"label": _LABEL} if conditioning == "concat" else {}),
            outputs=("logit",),
        )
    return graphs
