"""The incremental sampler against the plain ones: same logits, same pixels, at any mixture of rows."""

import pytest
import torch

from pentimento.models.latent.pixelvae_two_level import draw_maps, split_gaussian
from pentimento.models.pixels.gated_stack import GatedStack, GatedStackConfig
from pentimento.models.pixels.incremental import RowSampler
from pentimento.models.pixels.pixelcnn import PixelCNN
from pentimento.models.pixels.plain_incremental import PlainRowSampler
from pentimento.models.shared.likelihoods import draw_pixels, pixel_log_likelihood
from tests.models.pixels.small_models import CONFIGS, conditions, make, noisy, random_image


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def sampler(model, draw=None):
    draw = draw or (lambda outputs, noise: draw_pixels(outputs, noise, model.levels))
    return PlainRowSampler(model, draw) if isinstance(model, PixelCNN) else RowSampler(model.stack, draw)


@torch.no_grad()
def draw(rows, noise, given, height):
    """All rows, and every canvas on the way, (B, H, I, H, W)."""
    state = rows.initial_state(len(noise), *given)
    canvases = []
    for t in range(height):
        canvas, state = rows.step(torch.full((len(noise),), t), noise[..., t, :], state)
        canvases.append(canvas)
    return torch.stack(canvases, dim=1)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_same_noise_draws_the_pixels_of_the_naive_sampler(name):
    model = make(name)
    noise = torch.rand(4, model.height, model.width)
    given = conditions(model, 4)
    canvases = draw(sampler(model), noise, given, model.height)
    naive = model.draw_naive(noise, *given)
    assert torch.equal(canvases[:, -1], naive)
    for t in range(model.height):
        assert torch.equal(canvases[:, t, :, : t + 1], naive[:, :, : t + 1]), "drawn rows are final"
        assert not canvases[:, t, :, t + 1 :].any(), "rows below are empty"


@pytest.mark.parametrize("name", CONFIGS)
def test_fed_with_an_image_its_logits_are_those_of_the_parallel_pass(name):
    model = make(name)
    image = random_image(model, 3)
    given = conditions(model, 3)
    logits = []
    pixels = iter([image[:, :, i, j] for i in range(model.height) for j in range(model.width)])

    def follow(outputs, _):
        logits.append(outputs)
        return next(pixels)

    rows = sampler(model, follow)
    draw(rows, torch.zeros(3, model.height, model.width), given, model.height)
    stepped = torch.stack(logits, dim=2).unflatten(2, (model.height, model.width))
    with torch.no_grad():
        parallel = model(image, *given)
        likelihood = model.log_likelihood(image, *given)
    assert (stepped - parallel).abs().max() < 1e-4
    total = pixel_log_likelihood(stepped, image, model.levels).sum((1, 2, 3))
    assert torch.allclose(total, likelihood, atol=1e-3)


@pytest.mark.parametrize("name", ["gated wide kernel", "gated 256", "pixelcnn map"])
def test_drawings_at_different_rows_share_a_call(name):
    model = make(name)
    rows = sampler(model)
    given = conditions(model, model.height)
    noise = torch.rand(model.height, model.height, model.width)
    alone = []  # drawing r before its row r
    with torch.no_grad():
        for r in range(model.height):
            state = rows.initial_state(1, *(None if c is None else c[r : r + 1] for c in given))
            for t in range(r):
                _, state = rows.step(torch.tensor([t]), noise[r : r + 1, t], state)
            alone.append(state)
        singles = [
            rows.step(torch.tensor([r]), noise[r : r + 1, r], state)[0] for r, state in enumerate(alone)
        ]
        fields = zip(*alone, strict=True)
        mixed = type(alone[0])(*(None if parts[0] is None else torch.cat(parts) for parts in fields))
        t = torch.arange(model.height)
        together, _ = rows.step(t, noise[t, t], mixed)
    assert torch.equal(together, torch.cat(singles))


def test_several_real_values_a_place():
    """The prior over the maps of the two-level PixelVAE."""
    config = GatedStackConfig(
        height=4, width=3, inputs=2, outputs=4, features=6, layers=3, first_kernel=3, kernel=3,
        condition_dim=3, map_channels=2,
    )  # fmt: skip
    stack = noisy(GatedStack(config), 0.3)
    given = torch.randn(2, 3), torch.randn(2, 2, 4, 3)
    noise = torch.randn(2, 2, 4, 3)
    naive = torch.zeros(2, 2, 4, 3)
    with torch.no_grad():
        for i in range(4):
            for j in range(3):
                place = split_gaussian(stack(naive, *given)[:, :, i, j])
                naive[:, :, i, j] = place.sample(noise[:, :, i, j])
    drawn = draw(RowSampler(stack, draw_maps), noise, given, 4)[:, -1]
    assert torch.allclose(drawn, naive, atol=1e-4)
