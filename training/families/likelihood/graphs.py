"""Graphs of a likelihood model: `init`, `step` (a row a call), `encode`, `likelihood`, and those of a prior.

Pictures come to these graphs as the server makes them, black and white for a model of two levels. A `step`
takes `known` and `known_mask`, so that a picture can be completed: given pixels stay, and the pixels after
them see them. An encoding is the noise that draws it again; for the maps of a two-level model that is the
noise that its prior turns into them, for a DRAW the latents of all its steps.
"""

__all__ = ["likelihood_graphs"]

from typing import TypeVar

import torch
from torch import Tensor

from pentimento.models.latent.pixelvae import PixelVAE
from pentimento.models.latent.pixelvae_two_level import PixelVAETwoLevel, draw_maps
from pentimento.models.latent.vae import VAE
from pentimento.models.pixels.base import AutoregressiveModel
from pentimento.models.pixels.gated_pixelcnn import GatedPixelCNN
from pentimento.models.pixels.incremental import RowSampler, RowState
from pentimento.models.pixels.plain_incremental import PlainRowSampler
from pentimento.models.recurrent.draw import DRAW
from pentimento.models.shared.latent_model import LatentModel
from pentimento.models.shared.likelihoods import keep_known
from pentimento.training.export.graphs import EXAMPLE_ROWS, Function, GraphModule
from pentimento.training.export.scan import columns_as_scan
from pentimento.training.families.draw_graphs import draw_encode_graph, draw_graphs
from pentimento.training.families.likelihood.config import LikelihoodModel, class_condition
from pentimento.training.families.likelihood.drawing import row_sampler

_Sampler = TypeVar("_Sampler", RowSampler, PlainRowSampler, RowSampler | PlainRowSampler)
_T = torch.zeros(EXAMPLE_ROWS, dtype=torch.int64)
_LABEL = torch.zeros(EXAMPLE_ROWS, dtype=torch.int64)


def likelihood_graphs(model: LikelihoodModel) -> dict[str, GraphModule]:
    """All graphs that a model has by name: first those that draw, in order, then those that read an image."""
    model = model.cpu().eval()
    if isinstance(model, AutoregressiveModel):
        image = torch.zeros(EXAMPLE_ROWS, 1, model.height, model.width)
        return _row_graphs(model) | {"likelihood": _exact_graph(model, image)}
    size = model.config.image_size
    image = torch.zeros(EXAMPLE_ROWS, 1, size, size)
    if isinstance(model, DRAW):
        encode = draw_encode_graph(model, image)
        return draw_graphs(model) | {"encode": encode, "likelihood": _bound_graph(model, image)}
    if isinstance(model, VAE):
        drawing = {"step": _one_shot_graph(model)}
    elif isinstance(model, PixelVAE):
        drawing = _latent_row_graphs(model)
    else:
        assert isinstance(model, PixelVAETwoLevel)
        drawing = _two_level_graphs(model)
    return drawing | {"encode": _encode_graph(model, image), "likelihood": _bound_graph(model, image)}


def _exact_graph(model: AutoregressiveModel, image: Tensor) -> GraphModule:
    def likelihood(image: Tensor, *label: Tensor) -> tuple[Tensor, ...]:
        pixels = model.log_likelihood_map(image, *(class_condition(model, each) for each in label))
        return pixels.sum((1, 2, 3)), pixels

    return GraphModule(
        module=Function(model, likelihood),
        inputs={"image": image} | ({"label": _LABEL} if _has_classes(model) else {}),
        outputs=("log_likelihood", "pixel_log_likelihood"),
    )


def _bound_graph(model: LatentModel, image: Tensor) -> GraphModule:
    def likelihood(image: Tensor, eps: Tensor) -> tuple[Tensor, ...]:
        return model.log_weights(image, eps)

    return GraphModule(
        module=Function(model, likelihood),
        inputs={"image": image, "eps": torch.zeros(EXAMPLE_ROWS, model.latent_dim)},
        outputs=("log_likelihood", "pixel_log_likelihood"),
    )


def _encode_graph(model: LatentModel, image: Tensor) -> GraphModule:
    levels = isinstance(model, PixelVAETwoLevel)

    def encode(image: Tensor, eps: Tensor) -> tuple[Tensor, ...]:
        latent, posterior = model.posterior(image, eps)
        if not isinstance(model, PixelVAETwoLevel):
            return latent, posterior.mean, posterior.log_variance
        vector, maps = model.split(latent)
        # The noise that the prior, drawing row by row, turns into these very maps.
        prior_mean, prior_log_variance = (model.split(part)[1] for part in model.prior(latent))
        noise = (maps - prior_mean) * torch.exp(-0.5 * prior_log_variance)
        return vector, noise.transpose(1, 2), posterior.mean, posterior.log_variance  # (B, h, M1, w)

    return GraphModule(
        module=Function(model, encode),
        inputs={"image": image, "eps": torch.zeros(EXAMPLE_ROWS, model.latent_dim)},
        # What a drawing takes of an encoding, and the posterior.
        outputs=("latent", *(("map_noise",) if levels else ()), "mean", "log_variance"),
    )


def _one_shot_graph(model: VAE) -> GraphModule:
    def step(latent: Tensor) -> tuple[Tensor, ...]:
        return (torch.sigmoid(model.decode(latent)),)

    return GraphModule(
        module=Function(model, step),
        inputs={"latent": torch.zeros(EXAMPLE_ROWS, model.latent_dim)},
        outputs=("canvas",),
    )


def _row_graphs(pixels: AutoregressiveModel) -> dict[str, GraphModule]:
    """Graphs of a model without a latent; its `init` takes the label, or t for the number of rows."""
    sampler = _scanning(row_sampler(pixels))

    def init(first: Tensor) -> RowState:
        return sampler.initial_state(first.shape[0], class_condition(pixels, first))

    given = {"label": _LABEL} if _has_classes(pixels) else {"t": _T}
    with torch.no_grad():
        state = init(*given.values())
    return {"init": _init_graph(sampler, init, given), "step": _step_graph(sampler, pixels.levels, state)}


def _latent_row_graphs(model: PixelVAE) -> dict[str, GraphModule]:
    sampler = _scanning(row_sampler(model.pixels))
    latent = torch.zeros(EXAMPLE_ROWS, model.latent_dim)

    def init(latent: Tensor) -> RowState:
        return sampler.initial_state(latent.shape[0], *model.conditions(latent))

    with torch.no_grad():
        state = init(latent)
    network = torch.nn.ModuleList([model, sampler])
    return {
        "init": _init_graph(network, init, {"latent": latent}),
        "step": _step_graph(sampler, model.pixels.levels, state),
    }


def _two_level_graphs(model: PixelVAETwoLevel) -> dict[str, GraphModule]:
    """`init` and `prior` draw z1 row by row; `paint` turns it into the map that `step` draws pixels from."""
    maps_sampler = _scanning(RowSampler(model.prior_maps, draw_maps).eval())
    sampler = _scanning(row_sampler(model.pixels))
    latent = torch.zeros(EXAMPLE_ROWS, model.level_sizes[0])
    map_count, _, width = model.map_shape

    def init(latent: Tensor) -> RowState:
        return maps_sampler.initial_state(latent.shape[0], latent, model.prior_condition(latent))

    def paint(maps: Tensor) -> RowState:
        return sampler.initial_state(maps.shape[0], None, model.pixel_map(maps))

    with torch.no_grad():
        prior_state, state = init(latent), paint(torch.zeros(EXAMPLE_ROWS, *model.map_shape))
    held, changed = _fields(prior_state)

    def prior(t: Tensor, noise: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
        _, after = maps_sampler.step(t, noise, _state(held, values))
        return tuple(getattr(after, name) for name in changed)

    network = torch.nn.ModuleList([model, maps_sampler, sampler])
    start = _init_graph(network, init, {"latent": latent}, prefix="prior_")
    return {
        "init": start,
        "prior": GraphModule(
            module=Function(network, prior),
            inputs={"t": _T, "map_noise": torch.zeros(EXAMPLE_ROWS, map_count, width)}
            | {f"state.prior_{name}": getattr(prior_state, name) for name in held},
            outputs=tuple(f"next.prior_{name}" for name in changed),
            pixel=maps_sampler.pixel,
        ),
        "paint": _init_graph(network, paint, {"state.prior_canvas": prior_state.canvas}),
        "step": _step_graph(sampler, model.pixels.levels, state),
    }


def _has_classes(model: AutoregressiveModel) -> bool:
    return isinstance(model, GatedPixelCNN) and model.config.condition_dim > 0


def _scanning(sampler: _Sampler) -> _Sampler:
    """Makes a sampler whose loop over the columns is exported as a Scan."""
    sampler.columns = columns_as_scan
    return sampler


def _fields(state: RowState) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the state's tensors, and names of those among them that drawing a row changes."""
    held = tuple(name for name, value in state._asdict().items() if value is not None)
    return held, tuple(name for name in held if name in ("canvas", "rows", "above"))


def _state(held: tuple[str, ...], values: tuple[Tensor, ...]) -> RowState:
    named = dict(zip(held, values, strict=True))
    return RowState(**{name: named.get(name) for name in RowState._fields})


def _init_graph(
    network: torch.nn.Module, init: object, inputs: dict[str, Tensor], prefix: str = ""
) -> GraphModule:
    assert callable(init)
    with torch.no_grad():
        held, _ = _fields(init(*inputs.values()))

    def first(*values: Tensor) -> tuple[Tensor, ...]:
        state = init(*values)
        return tuple(getattr(state, name) for name in held)

    return GraphModule(
        module=Function(network, first),
        inputs=inputs,
        outputs=tuple(f"next.{prefix}{name}" for name in held),
    )


def _step_graph(sampler: RowSampler | PlainRowSampler, levels: int, state: RowState) -> GraphModule:
    """The graph that draws one row of pixels; rows not drawn yet show the given pixels only."""
    held, changed = _fields(state)
    height, width = sampler.config.height, sampler.config.width

    def step(
        t: Tensor, noise: Tensor, known: Tensor, known_mask: Tensor, *values: Tensor
    ) -> tuple[Tensor, ...]:
        rows = torch.arange(height)
        here = (rows == t[:, None]).to(noise.dtype)[:, None, None]  # (B, 1, 1, H)
        known_row, mask_row = ((here @ part).flatten(1) for part in (known, known_mask))  # (B, W)
        before = _state(held, values)
        canvas, after = sampler.step(t, keep_known(noise, known_row, mask_row, levels), before)
        below = (rows > t[:, None]).to(noise.dtype)[:, None, :, None]  # (B, 1, H, 1)
        shown = canvas + below * (known * known_mask)
        return (shown, *(getattr(after, name) for name in changed))

    inputs = {
        "t": _T,
        "noise": torch.full((EXAMPLE_ROWS, width), 0.5),
        "known": torch.zeros(EXAMPLE_ROWS, 1, height, width),
        "known_mask": torch.zeros(EXAMPLE_ROWS, 1, height, width),
    }
    return GraphModule(
        module=Function(sampler, step),
        inputs=inputs | {f"state.{name}": getattr(state, name) for name in held},
        outputs=("canvas", *(f"next.{name}" for name in changed)),
        pixel=sampler.pixel,
    )
