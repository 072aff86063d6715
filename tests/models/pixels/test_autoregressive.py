"""Autoregressive models: causality, what a pixel sees, likelihoods that sum to one, drawings."""

import itertools

import pytest
import torch

from pentimento.models.pixels.gated_pixelcnn import GatedPixelCNN, GatedPixelCNNConfig
from pentimento.models.pixels.pixelcnn import PixelCNN, PixelCNNConfig
from tests.models.pixels.small_models import CONFIGS, conditions, make, noisy, random_image

BINARY = [name for name in CONFIGS if "256" not in name]


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def seen(model, i, j, rows=4):
    """Which pixels the logits at (i, j) depend on, shape (H, W): gradients, in double precision."""
    model = model.double()
    image = torch.rand(rows, 1, model.height, model.width, dtype=torch.double, requires_grad=True)
    given = [None if c is None else c.double() for c in conditions(model, rows)]
    model(image, *given)[:, :, i, j].pow(2).sum().backward()
    return image.grad.abs().amax((0, 1)) > 0


@pytest.mark.parametrize("name", CONFIGS)
def test_flipping_a_pixel_changes_nothing_before_it_nor_itself(name):
    model = make(name)
    image = random_image(model, 2)
    given = conditions(model, 2)
    with torch.no_grad():
        before = model(image, *given)
        for i, j in itertools.product(range(model.height), range(model.width)):
            flipped = image.clone()
            flipped[:, :, i, j] = 1 - flipped[:, :, i, j]
            changed = (model(flipped, *given) != before).any(1).any(0).flatten()
            place = i * model.width + j
            assert not changed[: place + 1].any(), f"({i}, {j}) changes a place that is not after it"
            if j + 1 < model.width:
                assert changed[place + 1], "the right neighbour sees it"
            if i + 1 < model.height:
                assert changed[place + model.width], "the pixel below sees it"


@pytest.mark.parametrize("kernel", [3, 5])
def test_gated_layers_have_no_blind_spot(kernel):
    # Enough layers for the vertical stack to span the width from any column: all pixels before count.
    config = GatedPixelCNNConfig(height=5, width=7, features=4, layers=7, first_kernel=3, kernel=kernel)
    model = noisy(GatedPixelCNN(config))
    for i, j in itertools.product(range(5), range(7)):
        before = torch.arange(35).reshape(5, 7) < i * 7 + j
        assert torch.equal(seen(model, i, j), before), (i, j)


def test_stacked_masked_squares_have_the_blind_spot():
    # However many layers: to the right of a pixel's column they reach one more column for each row up (three
    # in the first row up, through the 7x7), so a wedge stays unseen.
    model = noisy(PixelCNN(PixelCNNConfig(height=4, width=12, features=4, blocks=12)))
    view = seen(model, 3, 4)
    assert view[3, :4].all() and not view[3, 4:].any()
    assert not view[2, 9:].any(), "the wedge to the upper right is invisible"
    gated = GatedPixelCNNConfig(height=4, width=12, features=4, layers=10, first_kernel=7)
    assert seen(noisy(GatedPixelCNN(gated)), 3, 4)[:3].all()


@pytest.mark.parametrize("name", BINARY)
def test_probabilities_of_all_tiny_images_sum_to_one(name):
    model = make(name, 2, 4).double()
    images = torch.tensor(list(itertools.product((0.0, 1.0), repeat=8))).double().reshape(-1, 1, 2, 4)
    given = [
        None if c is None else c.double().expand(len(images), *c.shape[1:]) for c in conditions(model, 1)
    ]
    with torch.no_grad():
        total = model.log_likelihood(images, *given).exp().sum()
    assert total.item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", ["pixelcnn 256", "gated 256"])
def test_probabilities_of_all_levels_of_two_pixels_sum_to_one(name):
    model = make(name, 1, 2)
    levels = torch.arange(256) / 255
    images = torch.cartesian_prod(levels, levels).reshape(-1, 1, 1, 2)
    given = [None if c is None else c.expand(len(images), *c.shape[1:]) for c in conditions(model, 1)]
    with torch.no_grad():
        total = model.log_likelihood(images, *given).double().exp().sum()
    assert total.item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", CONFIGS)
def test_redrawing_everything_settles_on_the_pixel_by_pixel_drawing(name):
    model = make(name)
    noise = torch.rand(3, model.height, model.width)
    given = conditions(model, 3)
    naive = model.draw_naive(noise, *given)
    settled, passes = model.draw_jacobi(noise, *given)
    assert torch.equal(naive, settled)
    assert passes <= model.height * model.width + 1
    levels = naive * (model.levels - 1)
    assert torch.allclose(levels, levels.round(), atol=1e-4) and len(levels.unique()) > 1


@pytest.mark.parametrize("name", ["gated", "gated 256"])
def test_drawings_have_the_models_frequencies(name):
    model = make(name, 1, 1)
    given = [None if c is None else c.expand(4000, *c.shape[1:]) for c in conditions(model, 1)]
    noise = ((torch.arange(4000) + 0.5) / 4000).reshape(-1, 1, 1)  # evenly spread, so no tolerance for chance
    drawn = (model.draw_naive(noise, *given) * (model.levels - 1)).round().long().flatten()
    shares = torch.bincount(drawn, minlength=model.levels) / 4000
    levels = (torch.arange(model.levels) / (model.levels - 1)).reshape(-1, 1, 1, 1)
    with torch.no_grad():
        given = [None if c is None else c[: model.levels] for c in given]
        expected = model.log_likelihood(levels, *given).exp()
    assert (shares - expected).abs().max() < 1e-3


@pytest.mark.parametrize("name", CONFIGS)
def test_gradients_are_finite_and_reach_every_parameter(name):
    model = make(name).train()
    model.log_likelihood(random_image(model, 4), *conditions(model, 4)).sum().backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key
        assert parameter.grad.abs().sum() > 0, key


def test_fresh_gated_layers_keep_a_signal_to_the_last():
    model = GatedPixelCNN(GatedPixelCNNConfig(height=28, width=28, layers=12, kernel=5))
    spreads = []
    for layer in model.stack.layers:
        layer.vertical.register_forward_hook(lambda _, __, out: spreads.append(out.std().item()))
    model((torch.rand(4, 1, 28, 28) < 0.2).float())
    assert len(spreads) == 12 and min(spreads) > 0.5


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (lambda: PixelCNNConfig(levels=3), "levels must be 2 or 256, got 3"),
        (lambda: PixelCNNConfig(features=7), "features must be even, got 7"),
        (lambda: GatedPixelCNNConfig(levels=4), "levels must be 2 or 256, got 4"),
        (lambda: GatedPixelCNNConfig(kernel=4).stack, "kernel must be odd and at least 3, got 4"),
        (lambda: GatedPixelCNNConfig(layers=0).stack, "layers must be at least 1, got 0"),
    ],
)
def test_sizes_that_cannot_be_built_are_refused(config, message):
    with pytest.raises(ValueError, match=message):
        config()


def test_a_condition_that_does_not_fit_is_refused():
    image = torch.zeros(1, 1, 5, 6)
    with pytest.raises(ValueError, match="condition must have 3 numbers"):
        make("gated condition")(image)
    with pytest.raises(ValueError, match="condition_map must have 2 channels"):
        make("gated map")(image)
    with pytest.raises(ValueError, match="condition must have 0 numbers"):
        make("gated")(image, torch.zeros(1, 3))
    with pytest.raises(ValueError, match="takes no condition"):
        make("pixelcnn")(image, torch.zeros(1, 3))
    with pytest.raises(ValueError, match="takes a map of 0 channels"):
        make("pixelcnn")(image, None, torch.zeros(1, 2, 5, 6))
    with pytest.raises(ValueError, match="takes a map of 2 channels"):
        make("pixelcnn map")(image)
