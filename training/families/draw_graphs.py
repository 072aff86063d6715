"""What the bundles of all families with a DRAW have in common: paper, graphs and the plan of its drawings."""

__all__ = ["DRAW_PAPER", "draw_encode_graph", "draw_graphs", "draw_plan", "draw_prior"]

import torch
from torch import Tensor

from pentimento.bundle.drawing import Drawing, FrameOutput, NoiseSpec, Phase, Steps
from pentimento.bundle.facts import Paper
from pentimento.bundle.noise import draw
from pentimento.models.recurrent.draw import DRAW, DRAWState
from pentimento.training.export.graphs import EXAMPLE_ROWS, Function, GraphModule

DRAW_PAPER = Paper(
    title="DRAW: a recurrent neural network for image generation",
    authors="Karol Gregor, Ivo Danihelka, Alex Graves, Danilo Jimenez Rezende, Daan Wierstra",
    year=2015,
    arxiv="1502.04623",
)

_T = torch.zeros(EXAMPLE_ROWS, dtype=torch.int64)


def draw_prior(model: DRAW, rows: range, seed: int) -> Tensor:
    """Latents of all steps that the server would draw for these rows of a request, (B, T Z), on the CPU."""
    shape = (model.step_count, model.config.step_latents)
    return torch.from_numpy(draw(seed, "noise", shape, rows=rows)).flatten(1)


def draw_graphs(model: DRAW) -> dict[str, GraphModule]:
    """`init`, which takes t for the number of rows, and `step`, with the boxes of a model with attention."""
    names = DRAWState._fields
    with torch.no_grad():
        state = model.initial_state(EXAMPLE_ROWS)
        boxes = tuple(model.boxes(state, state))

    def init(t: Tensor) -> DRAWState:
        return model.initial_state(t.shape[0])

    def step(noise: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
        before = DRAWState(*values)
        canvas, after = model.step(noise, before)
        return (canvas, *after, *model.boxes(before, after).values())

    return {
        "init": GraphModule(
            module=Function(model, init), inputs={"t": _T}, outputs=tuple(f"next.{name}" for name in names)
        ),
        "step": GraphModule(
            module=Function(model, step),
            inputs={"noise": torch.zeros(EXAMPLE_ROWS, model.config.step_latents)}
            | {f"state.{name}": value for name, value in state._asdict().items()},
            outputs=("canvas", *(f"next.{name}" for name in names), *boxes),
        ),
    }


def draw_encode_graph(model: DRAW, image: Tensor) -> GraphModule:
    """`encode`: the noise of all steps that draws an image again, and its posterior."""

    def encode(image: Tensor, eps: Tensor) -> tuple[Tensor, ...]:
        latent, posterior = model.posterior(image, eps)
        noise = latent.unflatten(1, (model.step_count, model.config.step_latents))  # (B, T, Z)
        return noise, posterior.mean, posterior.log_variance

    return GraphModule(
        module=Function(model, encode),
        inputs={"image": image, "eps": torch.zeros(EXAMPLE_ROWS, model.latent_dim)},
        outputs=("noise", "mean", "log_variance"),
    )


def draw_plan(model: DRAW) -> Drawing:
    """All steps at every drawing, for the picture is made of all of them."""
    steps, config = model.step_count, model.config
    boxes = (
        FrameOutput(name="read_box", meaning="box", points=config.read_points, summary="where it looks"),
        FrameOutput(name="write_box", meaning="box", points=config.write_points, summary="where it writes"),
    )
    return Drawing(
        phases=(Phase(graph="init"), Phase(graph="step", calls=steps, shows=True)),
        steps=Steps(default=steps, min=1, max=steps, trained=steps),
        noise=(NoiseSpec(name="noise", shape=(config.step_latents,), per="call"),),
        outputs=boxes if config.attention else (),
    )
