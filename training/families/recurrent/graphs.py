"""Graphs of a generator that draws in steps: `init` and `step` draw, `score` is its discriminator."""

__all__ = ["drawing_graphs", "recurrent_graphs", "score_graph"]

import torch
from torch import Tensor, nn

from pentimento.models.recurrent.base import SequentialGenerator
from pentimento.training.export.graphs import EXAMPLE_ROWS, Function, GraphModule


def recurrent_graphs(
    generator: SequentialGenerator, scorer: nn.Module, image_shape: tuple[int, int, int]
) -> dict[str, GraphModule]:
    """All graphs of a bundle by name; both networks in inference mode, images of shape (C, H, W)."""
    return drawing_graphs(generator) | {"score": score_graph(scorer, image_shape)}


def drawing_graphs(generator: SequentialGenerator) -> dict[str, GraphModule]:
    """The `init` and `step` graphs of a generator.

    A state field that no step changes is put out by `init` only: it stays as it is.

    Raises:
        ValueError: The generator is not in inference mode.
    """
    if generator.training:
        raise ValueError("the generator must be in inference mode, its statistics frozen")
    device = next(generator.parameters()).device
    t = torch.zeros(EXAMPLE_ROWS, dtype=torch.int64, device=device)
    noise = torch.zeros(EXAMPLE_ROWS, generator.latent_dim, device=device)
    per_step = generator.noise_mode == "per_step"
    with torch.no_grad():
        state = generator.initial_state(EXAMPLE_ROWS, None if per_step else noise)
        _, after = generator.step(t, noise if per_step else None, state)
    state_type = type(state)
    held = {name: value for name, value in state._asdict().items() if value is not None}
    changed = tuple(name for name in held if getattr(after, name) is not held[name])

    def init(first: Tensor) -> tuple[Tensor, ...]:
        # Without a latent for the whole drawing, t only tells the number of rows.
        started = generator.initial_state(first.shape[0], None if per_step else first)
        return tuple(getattr(started, name) for name in held)

    def step(t: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        values = dict(zip(held, rest[1:] if per_step else rest, strict=True))
        before = state_type(**{name: values.get(name) for name in state_type._fields})
        canvas, after = generator.step(t, rest[0] if per_step else None, before)
        return (canvas, *(getattr(after, name) for name in changed))

    states = {f"state.{name}": value for name, value in held.items()}
    return {
        "init": GraphModule(
            module=Function(generator, init),
            inputs={"t": t} if per_step else {"latent": noise},
            outputs=tuple(f"next.{name}" for name in held),
        ),
        "step": GraphModule(
            module=Function(generator, step),
            inputs={"t": t} | ({"noise": noise} if per_step else {}) | states,
            outputs=("canvas", *(f"next.{name}" for name in changed)),
        ),
    }


def score_graph(scorer: nn.Module, image_shape: tuple[int, int, int]) -> GraphModule:
    """The discriminator's `score` graph: image (B, C, H, W) -> logit (B,)."""
    device = next(scorer.parameters()).device
    return GraphModule(
        module=scorer.eval(),
        inputs={"image": torch.rand(EXAMPLE_ROWS, *image_shape, device=device)},
        outputs=("logit",),
    )
