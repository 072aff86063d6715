"""The graphs of a bundle: a step of a drawing, the way back to its noise, and the likelihood on that way."""

__all__ = ["flow_graphs"]

import torch
from torch import Tensor

from pentimento.models.flow.ddpm import DDPM
from pentimento.models.flow.flow_likelihood import (
    VolumeState,
    follow_back,
    parts_of,
    start_of,
    total,
)
from pentimento.models.flow.flow_matching import FlowMatching
from pentimento.models.flow.guided import Guided, as_picture, hold
from pentimento.training.export.branches import Branch, evaluate_if
from pentimento.training.export.graphs import EXAMPLE_ROWS, Function, GraphModule
from pentimento.training.export.loops import Loop, repeat
from pentimento.training.families.flow.config import FlowConfig


def flow_graphs(model: Guided, config: FlowConfig) -> dict[str, GraphModule]:
    """All graphs of a bundle, on the CPU."""
    shape = (EXAMPLE_ROWS, *config.image_shape)
    label = {"label": torch.ones(EXAMPLE_ROWS, dtype=torch.int64)} if config.class_count else {}
    graphs = {
        "init": _init(model, shape),
        "step": _step(model, shape, label),
        "encode": _encode(model, shape, label, config.encode_parts),
    }
    if isinstance(model, FlowMatching):
        graphs["likelihood"] = _likelihood(model, shape, label, config.likelihood_parts)
    return graphs


def _init(model: Guided, shape: tuple[int, ...]) -> GraphModule:
    """Makes the noise the state."""

    def init(noise: Tensor) -> tuple[Tensor, ...]:
        return (noise * 1.0,)  # an output of its own, and not the input

    return GraphModule(
        module=Function(model, init), inputs={"noise": torch.randn(shape)}, outputs=("next.picture",)
    )


def _step(model: Guided, shape: tuple[int, ...], label: dict[str, Tensor]) -> GraphModule:
    """A step as far as the request's number of them makes it, with what the request chose."""
    one, counts = torch.ones(EXAMPLE_ROWS), torch.ones(EXAMPLE_ROWS, dtype=torch.int64)
    mask = torch.zeros(EXAMPLE_ROWS, 1, *shape[2:])
    inputs = {
        "state.picture": torch.randn(shape),
        "noise": torch.randn(shape),
        "t": counts,
        "steps": counts,
        "known": torch.zeros(shape),
        "known_mask": mask,
        "noisy": one,
    }
    if isinstance(model, DDPM):
        inputs |= {"fresh": torch.randn(shape), "eta": one}
    if label:
        inputs |= label | {"guidance": one}
    names = list(inputs)

    def step(*tensors: Tensor) -> tuple[Tensor, ...]:
        given = dict(zip(names, tensors, strict=True))
        t, steps, known, mask = given["t"], given["steps"], given["known"], given["known_mask"]
        state = hold(model.mix(known, given["noise"], t, steps), mask, given["state.picture"])
        asked = (state, t, steps, given.get("label"), given.get("guidance"))
        if isinstance(model, DDPM):
            estimate, after = model.step(*asked, eta=given["eta"], fresh=given["fresh"])
        else:
            estimate, after = model.step(*asked)
        shown = estimate + given["noisy"][:, None, None, None] * (as_picture(after) - estimate)
        return hold(known, mask, shown), after

    branch = None
    if label:  # half of the work, which a batch without guidance need not do
        model.evaluate_if = evaluate_if
        body = Function(model, lambda state, time: (model.of_nobody(state, time),))
        branch = Branch(body=body, given=(inputs["state.picture"], one))
    return GraphModule(
        module=Function(model, step), inputs=inputs, outputs=("canvas", "next.picture"), branch=branch
    )


def _encode(model: Guided, shape: tuple[int, ...], label: dict[str, Tensor], parts: int) -> GraphModule:
    """The way back to the noise, in so many parts."""
    image, classes = torch.rand(shape), tuple(label.values())

    def back(state: Tensor, part: Tensor, *label: Tensor) -> tuple[Tensor, ...]:
        t = part[0] * torch.ones_like(state[:, 0, 0, 0])
        if isinstance(model, DDPM):
            count = torch.full_like(t, parts, dtype=torch.int64)
            return (model.step_back(state, t.long(), count, *label),)
        assert isinstance(model, FlowMatching)
        return (model.step_back(state, t / parts, 1 / parts, *label),)

    loop = Loop(
        body=Function(model, back),
        states=(image,),
        each=torch.arange(parts, 0, -1, dtype=torch.float32)[:, None],
        constants=classes,
    )

    def encode(image: Tensor, *label: Tensor) -> tuple[Tensor, ...]:
        return repeat(loop, (2 * image - 1,), *label)

    return GraphModule(
        module=Function(model, encode), inputs={"image": image, **label}, outputs=("noise",), loop=loop
    )


def _likelihood(
    model: FlowMatching, shape: tuple[int, ...], label: dict[str, Tensor], parts: int
) -> GraphModule:
    """An estimate along one direction, from one point of each level; both come of the noise `eps`."""
    image, rows = torch.rand(shape), torch.zeros(EXAMPLE_ROWS)
    eps = torch.randn(shape[0], 2, *shape[1:])

    def back(
        state: Tensor, volume: Tensor, part: Tensor, signs: Tensor, *label: Tensor
    ) -> tuple[Tensor, ...]:
        return follow_back(model, VolumeState(state, volume), signs, part, *label)

    loop = Loop(
        body=Function(model, back),
        states=(image, rows),
        each=parts_of(parts),
        constants=(image, *label.values()),
    )

    def likelihood(image: Tensor, eps: Tensor, *label: Tensor) -> tuple[Tensor, ...]:
        uniform = 0.5 * (1 + torch.erf(eps[:, 0] * 0.5**0.5))  # of a normal number
        signs = 1 - 2 * (eps[:, 1] < 0).to(eps.dtype)
        end = repeat(loop, tuple(start_of(image, uniform)), signs, *label)
        return (total(VolumeState(*end)),)

    return GraphModule(
        module=Function(model, likelihood),
        inputs={"image": image, "eps": eps, **label},
        outputs=("log_likelihood",),
        loop=loop,
    )
