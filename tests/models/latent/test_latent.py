"""Models with a Gaussian latent: bounds, divergences, importance samples, what the two levels depend on."""

import itertools
from dataclasses import replace

import pytest
import torch

from pentimento.models.latent.pixelvae import PixelVAE, PixelVAEConfig
from pentimento.models.latent.pixelvae_two_level import PixelVAETwoLevel, PixelVAETwoLevelConfig
from pentimento.models.latent.vae import VAE, VAEConfig
from pentimento.models.shared.likelihoods import (
    Gaussian,
    gaussian_kl,
    gaussian_log_density,
    importance_bound,
    pixel_log_likelihood,
    standard_normal,
)
from tests.models.pixels.small_models import noisy

PIXELS = {"features": 4, "layers": 2, "first_kernel": 3}
SMALL = PixelVAEConfig(image_size=12, latent_dim=3, widths=(4, 6), **PIXELS)
PLAIN = replace(SMALL, upsampling=True, gated=False, first_kernel=7)
TWO_LEVEL = PixelVAETwoLevelConfig(
    image_size=12, map_count=2, vector_dim=3, widths=(4, 6, 6), prior_features=4, prior_layers=2, **PIXELS
)
MODELS = {
    "vae": lambda: VAE(VAEConfig(image_size=12, latent_dim=3, widths=(4, 6))),
    "without upsampling": lambda: PixelVAE(SMALL),
    "upsampling": lambda: PixelVAE(replace(SMALL, upsampling=True)),
    "256 levels": lambda: PixelVAE(replace(SMALL, levels=256)),
    "upsampling, 256 levels": lambda: PixelVAE(replace(SMALL, upsampling=True, levels=256)),
    "plain pixel layers": lambda: PixelVAE(PLAIN),
    "two levels": lambda: PixelVAETwoLevel(TWO_LEVEL),
    "two levels, 256": lambda: PixelVAETwoLevel(replace(TWO_LEVEL, levels=256)),
}


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def random_images(rows, size=12):
    return (torch.rand(rows, 1, size, size) < 0.3).float()


@pytest.mark.parametrize("name", MODELS)
def test_shapes_and_finite_gradients_for_every_parameter(name):
    model = MODELS[name]()
    image = random_images(5)
    posterior = model.encode(image)
    assert posterior.mean.shape == posterior.log_variance.shape == (5, model.latent_dim)
    assert model.log_likelihood_map(image, posterior.mean).shape == image.shape
    bound = model.bound(image, torch.randn(5, model.latent_dim))
    assert bound.kl.shape == (5, len(model.level_sizes)) and sum(model.level_sizes) == model.latent_dim
    assert bound.total.shape == (5,) and (bound.kl[:, :1] >= 0).all()
    (-bound.total.sum()).backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key
        assert parameter.grad.abs().sum() > 0, key


@pytest.mark.parametrize("size", [28, 32, 13])
def test_the_parts_fit_images_of_any_size(size):
    model = VAE(VAEConfig(image_size=size, latent_dim=2, widths=(2, 3)))
    assert model.decode(torch.randn(2, 2)).shape == (2, 1, size, size)
    assert model.encode(random_images(2, size)).mean.shape == (2, 2)


def test_the_papers_layers_for_28_pixels():
    encoder = VAE(VAEConfig(widths=(32, 64))).encoder
    shapes = [tuple(conv.weight.shape[:2]) for conv in encoder.convs]
    assert shapes == [(32, 1), (32, 32), (32, 32), (64, 32), (64, 64), (64, 64), (64, 64), (64, 64)]
    assert encoder.linear.in_features == 1024


def test_divergence_worked_out_agrees_with_samples():
    q = Gaussian(torch.tensor([0.5, -1.0]), torch.tensor([-1.0, 0.3]))
    p = Gaussian(torch.tensor([0.0, 0.7]), torch.tensor([0.2, -0.4]))
    values = q.sample(torch.randn(400_000, 2))
    sampled = (gaussian_log_density(values, q) - gaussian_log_density(values, p)).mean(0)
    assert torch.allclose(gaussian_kl(q, p), sampled, atol=0.02)
    assert torch.allclose(gaussian_kl(q, q), torch.zeros(2), atol=1e-6)


@pytest.mark.parametrize("name", ["vae", "without upsampling", "two levels"])
def test_bound_agrees_with_the_mean_log_weight(name):
    # The same expectation, once with the divergence worked out and once with it sampled.
    model = noisy(MODELS[name](), 0.15).double()
    image = random_images(1).double().expand(2_000, -1, -1, -1)
    eps = torch.randn(2_000, model.latent_dim, dtype=torch.double)
    with torch.no_grad():
        bound, weight = model.bound(image, eps).total, model.log_weight(image, eps)
    error = (bound - weight).std() / len(image) ** 0.5
    assert (bound.mean() - weight.mean()).abs() < 4 * error


@pytest.mark.parametrize("name", ["vae", "without upsampling", "two levels"])
def test_more_importance_samples_tighten_the_bound(name):
    model = noisy(MODELS[name](), 0.15)
    image = random_images(8)
    with torch.no_grad():
        weights = torch.stack([model.log_weight(image, torch.randn(8, model.latent_dim)) for _ in range(200)])
    # Means over disjoint groups of K samples: the expectation of the bound with K samples.
    bounds = [
        torch.stack([importance_bound(group) for group in weights.split(k)]).mean().item()
        for k in (1, 20, 200)
    ]
    assert bounds[0] < bounds[1] < bounds[2]


def test_importance_bound_reaches_the_exact_likelihood():
    # p(z) = N(0, 1), p(x | z) = N(z, 1), so p(x) = N(0, 2); q is deliberately off.
    x, eps = torch.tensor([0.3, -1.2]), torch.randn(50_000, 2)
    q = Gaussian(0.3 * x, torch.full((2,), -0.5))
    z = q.sample(eps)
    joint = gaussian_log_density(z, standard_normal(z)) + gaussian_log_density(
        x, Gaussian(z, torch.zeros_like(z))
    )
    exact = gaussian_log_density(x, Gaussian(torch.zeros(2), torch.full((2,), 2.0).log()))
    assert torch.allclose(importance_bound(joint - gaussian_log_density(z, q)), exact, atol=0.01)


@pytest.mark.parametrize("upsampling", [False, True])
def test_pixelvae_is_a_distribution_for_every_latent(upsampling):
    model = noisy(PixelVAE(replace(SMALL, image_size=3, upsampling=upsampling))).double()
    images = torch.tensor(list(itertools.product((0.0, 1.0), repeat=9))).double().reshape(-1, 1, 3, 3)
    latent = torch.randn(1, 3, dtype=torch.double).expand(len(images), -1)
    with torch.no_grad():
        total = model.log_likelihood_map(images, latent).sum((1, 2, 3)).exp().sum()
    assert total.item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", ["without upsampling", "upsampling", "two levels"])
def test_pixels_see_the_latent_and_the_pixels_before_them(name):
    model = noisy(MODELS[name]()).double()
    image = random_images(2).double().requires_grad_()
    latent = torch.randn(2, model.latent_dim, dtype=torch.double, requires_grad=True)
    logits = model.log_likelihood_map(image.detach(), latent)
    (grad,) = torch.autograd.grad(logits.sum(), latent)
    used = grad.abs().sum(0) > 0
    vector = model.level_sizes[0] if len(model.level_sizes) > 1 else 0  # z2 acts through z1 only
    assert used[vector:].all() and not used[:vector].any()
    (grad,) = torch.autograd.grad(model.log_likelihood_map(image, latent.detach())[:, :, 5, 5].sum(), image)
    reached = grad.abs().sum((0, 1)) > 0
    assert not reached[6:].any() and not reached[5, 6:].any() and reached[5, 4] and reached[4, 5]


def test_the_prior_of_the_maps_is_autoregressive_and_sees_the_vector():
    model = noisy(PixelVAETwoLevel(TWO_LEVEL), 0.4).double()
    latent = torch.randn(2, model.latent_dim, dtype=torch.double, requires_grad=True)
    prior = model.prior(latent)
    (grad,) = torch.autograd.grad(
        prior.mean[:, :3].sum() + prior.log_variance[:, :3].sum(), latent, retain_graph=True
    )
    assert not grad.any(), "z2 is standard normal"
    _, maps = model.split(prior.mean)  # (B, 2, 3, 3)
    (grad,) = torch.autograd.grad(maps[:, :, 1, 1].sum(), latent)
    assert (grad[:, :3].abs() > 0).all(), "z1 depends on z2"
    seen = model.split(grad.abs())[1].sum((0, 1)) > 0
    assert torch.equal(seen.flatten(), torch.arange(9) < 4), "and on the places before"


@pytest.mark.parametrize("levels", [2, 256])
def test_likelihoods_of_extreme_logits_stay_finite(levels):
    logits = torch.zeros(1, 1 if levels == 2 else levels, 1, 2)
    logits[:, 0] = 200.0
    value = pixel_log_likelihood(logits, torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2), levels)
    assert torch.isfinite(value).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"upsampling": False}, "gated=False needs upsampling=True"),
        ({"place_bias": True}, "takes first_kernel 7, kernel 3 and no place_bias"),
        ({"kernel": 5}, "takes first_kernel 7, kernel 3 and no place_bias"),
    ],
)
def test_plain_pixel_layers_have_nothing_of_the_gated_ones(change, message):
    with pytest.raises(ValueError, match=message):
        replace(PLAIN, **change)
