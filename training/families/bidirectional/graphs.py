"""Graphs of a bidirectional model: `init` and `step` draw, `encode` reads a picture, `score` judges a pair.

A model whose discriminator judges groups has `score_group` besides, whose rows are groups.
"""

__all__ = ["bidirectional_graphs"]

import torch
from torch import Tensor

from pentimento.models.adversarial.bidirectional import BidirectionalGAN
from pentimento.models.adversarial.bigan import BiGAN
from pentimento.models.adversarial.bigran import BiGRAN, BiGRANState
from pentimento.training.export.graphs import EXAMPLE_ROWS, Function, GraphModule
from pentimento.training.families.bidirectional.drawing import from_noise, to_noise

_T = torch.zeros(EXAMPLE_ROWS, dtype=torch.int64)


def bidirectional_graphs(
    model: BidirectionalGAN, image_shape: tuple[int, int, int]
) -> dict[str, GraphModule]:
    """All graphs of a model in inference mode by name, images of shape (C, H, W)."""
    image = torch.rand(EXAMPLE_ROWS, *image_shape)
    if isinstance(model, BiGAN):
        return _one_step(model, image)
    assert isinstance(model, BiGRAN)
    return _in_steps(model, image)


def _one_step(model: BiGAN, image: Tensor) -> dict[str, GraphModule]:
    noise = torch.full((EXAMPLE_ROWS, model.latent_dim), 0.5)

    def step(latent: Tensor) -> tuple[Tensor, ...]:
        return (model.draw(from_noise(model, latent))[:, 0],)

    def encode(image: Tensor) -> tuple[Tensor, ...]:
        return (to_noise(model, model.encode(image, image)),)

    def score(image: Tensor, latent: Tensor) -> tuple[Tensor, ...]:
        return (model.judge(image[:, None], from_noise(model, latent)).flatten(),)

    return {
        "step": GraphModule(module=Function(model, step), inputs={"latent": noise}, outputs=("canvas",)),
        "encode": GraphModule(module=Function(model, encode), inputs={"image": image}, outputs=("latent",)),
        "score": GraphModule(
            module=Function(model, score), inputs={"image": image, "latent": noise}, outputs=("logit",)
        ),
    }


def _in_steps(model: BiGRAN, image: Tensor) -> dict[str, GraphModule]:
    steps, group = model.step_count, model.group_size
    noise = torch.zeros(EXAMPLE_ROWS, model.latent_dim)
    latents = torch.zeros(EXAMPLE_ROWS, steps, model.latent_dim)
    with torch.no_grad():
        state = model.generator.initial_state(noise)
    names = BiGRANState._fields

    def init(t: Tensor) -> BiGRANState:
        return model.generator.initial_state(t)  # which only tells the number of rows

    def step(noise: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
        canvas, after = model.generator.step(noise, BiGRANState(*values))
        return (canvas, *after)

    def encode(image: Tensor, eps: Tensor) -> tuple[Tensor, ...]:
        return (model.encode(image, eps.unflatten(1, (steps, model.latent_dim))),)

    def score(t: Tensor, image: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
        logits = model.judge(image[:, None], noise, 1)[:, 0]  # (B, T)
        return (logits.gather(1, t[:, None])[:, 0],)

    def score_group(image: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
        logits = model.judge(image.flatten(0, 1)[:, None], noise.flatten(0, 1), group)
        return (logits[:, :, -1],)  # (G, m), with all latents seen

    groups = image[:, None].repeat(1, group, 1, 1, 1)
    return {
        "init": GraphModule(
            module=Function(model, init), inputs={"t": _T}, outputs=tuple(f"next.{name}" for name in names)
        ),
        "step": GraphModule(
            module=Function(model, step),
            inputs={"noise": noise} | {f"state.{name}": value for name, value in state._asdict().items()},
            outputs=("canvas", *(f"next.{name}" for name in names)),
        ),
        "encode": GraphModule(
            module=Function(model, encode),
            inputs={"image": image, "eps": torch.zeros(EXAMPLE_ROWS, steps * model.latent_dim)},
            outputs=("noise",),
        ),
        "score": GraphModule(
            module=Function(model, score),
            inputs={"t": _T, "image": image, "noise": latents},
            outputs=("logit",),
        ),
        "score_group": GraphModule(
            module=Function(model, score_group),
            inputs={"image": groups, "noise": latents[:, None].repeat(1, group, 1, 1)},
            outputs=("logit",),
        ),
    }
