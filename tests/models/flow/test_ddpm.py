"""Diffusion: levels, DDPM's own sampling among DDIM's steps, and drawings of Gaussians in closed form."""

import pytest
import torch
from torch import nn

from pentimento.models.flow.ddpm import DDPM, LEVELS

CPU = torch.device("cpu")


class GaussianNoise(nn.Module):
    """What is known of the noise of x_s if x ~ N(mean, deviation^2), pixel by pixel."""

    def __init__(self, mean, deviation):
        super().__init__()
        self.mean, self.deviation = mean, deviation
        betas = torch.linspace(1e-4, 0.02, LEVELS, dtype=torch.float64)
        self.kept = torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - betas, 0)])

    def forward(self, state, time, label=None):
        kept = self.kept[(time * LEVELS).round().long()][:, None, None, None].to(state.dtype)
        variance = kept * self.deviation**2 + 1 - kept
        return (1 - kept).sqrt() * (state - kept.sqrt() * self.mean) / variance


def test_the_closed_form_is_the_least_of_the_loss():
    torch.manual_seed(0)
    picture = 0.3 + 0.5 * torch.randn(200_000, 1, 1, 1)
    best_model = DDPM(GaussianNoise(0.3, 0.5))
    noise, time = torch.randn_like(picture), best_model.draw_times(len(picture), CPU)
    best = best_model.loss((picture + 1) / 2, noise, time)
    for mean, deviation in ((0.35, 0.5), (0.25, 0.5), (0.3, 0.55), (0.3, 0.45)):
        assert DDPM(GaussianNoise(mean, deviation)).loss((picture + 1) / 2, noise, time) > best


def test_times_are_levels():
    time = DDPM(nn.Identity()).draw_times(20_000, CPU)
    levels = time * LEVELS
    assert torch.allclose(levels, levels.round(), atol=1e-3)
    assert levels.min() >= 1 and levels.max() <= LEVELS and abs(float(time.mean()) - 0.5) < 0.02


def test_all_steps_with_eta_1_have_the_mean_and_variance_of_ddpms_posterior():
    """q(x_(s-1) | x_s, x^) of Ho et al., equation 7, at several levels."""
    torch.manual_seed(1)
    model = DDPM(GaussianNoise(0.0, 0.3)).double()
    betas = torch.linspace(1e-4, 0.02, LEVELS, dtype=torch.float64)
    kept = torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - betas, 0)])
    model.kept = kept  # not rounded to float32
    state, steps = 0.5 * torch.randn(3, 1, 2, 2, dtype=torch.float64), torch.full((3,), LEVELS)
    for level in (1000, 700, 50, 2):
        t = torch.full((3,), LEVELS - level)
        eta, zero, one = torch.ones(3).double(), torch.zeros_like(state), torch.ones_like(state)
        estimate, mean = model.step(state, t, steps, eta=eta, fresh=zero)
        moved = model.step(state, t, steps, eta=eta, fresh=one)[1]
        picture, beta = 2 * estimate - 1, betas[level - 1]
        posterior = (
            kept[level - 1].sqrt() * beta * picture + (1 - beta).sqrt() * (1 - kept[level - 1]) * state
        ) / (1 - kept[level])
        assert torch.allclose(mean, posterior, atol=1e-9), level
        variance = (1 - kept[level - 1]) / (1 - kept[level]) * beta
        assert torch.allclose(moved - mean, variance.sqrt().expand_as(mean), atol=1e-9), level


def test_the_mean_path_of_ddpm_is_that_of_ddim_where_nothing_is_random():
    """A picture that is known: eps^ leads straight to it, whatever share of the noise is drawn anew."""
    model, steps = DDPM(GaussianNoise(0.4, 0.0)), torch.tensor([50])
    state = torch.randn(1, 1, 3, 3)
    for eta in (None, torch.ones(1)):
        estimate, _ = model.step(state, torch.tensor([20]), steps, eta=eta, fresh=torch.zeros_like(state))
        assert torch.allclose(estimate, torch.full_like(estimate, 0.7), atol=1e-4)


@pytest.mark.parametrize(("steps", "error"), [(10, 0.25), (50, 0.06), (1000, 0.004)])
def test_ddim_turns_noise_into_the_data(steps, error):
    """Along x = mean + deviation * noise: the closed form of the flow that DDIM follows."""
    noise = torch.linspace(-2, 2, 9)[:, None, None, None]
    drawn = DDPM(GaussianNoise(0.1, 0.2)).follow(noise, steps)[:, -1] * 2 - 1
    assert (drawn - (0.1 + 0.2 * noise)).abs().max() < error


def test_random_steps_draw_from_the_data_too():
    torch.manual_seed(2)
    model, rows = DDPM(GaussianNoise(0.1, 0.2)), 4000
    state, count = torch.randn(rows, 1, 1, 1), torch.full((rows,), 400)
    for t in range(400):
        state = model.step(
            state, torch.full_like(count, t), count, eta=torch.ones(rows), fresh=torch.randn_like(state)
        )[1]
    assert float(state.mean()) == pytest.approx(0.1, abs=0.02)
    assert float(state.std()) == pytest.approx(0.2, abs=0.03)


def test_rows_of_other_steps_do_not_mix():
    model = DDPM(GaussianNoise(0.1, 0.2))
    state, t, steps = torch.randn(3, 1, 2, 2), torch.tensor([0, 3, 40]), torch.tensor([1, 7, 64])
    together = model.step(state, t, steps)
    for row in range(3):
        at = slice(row, row + 1)
        for whole, alone in zip(together, model.step(state[at], t[at], steps[at]), strict=True):
            assert torch.equal(whole[at], alone)


def test_the_last_step_leaves_its_estimate():
    model, steps = DDPM(GaussianNoise(0.1, 0.2)), torch.tensor([5, 64])
    estimate, state = model.step(torch.randn(2, 1, 3, 3), steps - 1, steps)
    assert torch.allclose(estimate, ((state + 1) / 2), atol=1e-6)


def test_an_encoding_draws_the_picture_again():
    model = DDPM(GaussianNoise(0.1, 0.4))
    image = torch.rand(5, 1, 3, 3, generator=torch.Generator().manual_seed(3)) * 0.6 + 0.2
    noise = model.encode(image, 50)
    assert torch.allclose(noise, (2 * image - 1 - 0.1) / 0.4, atol=0.15)
    assert (model.follow(noise, 50)[:, -1] - image).abs().max() < 0.02


def test_what_is_given_is_mixed_with_the_noise_that_the_drawing_began_from():
    model = DDPM(GaussianNoise(0.0, 1.0))
    image, noise = torch.rand(2, 1, 2, 2), torch.randn(2, 1, 2, 2)
    steps = torch.tensor([4, 4])
    mixed = model.mix(image, noise, torch.tensor([0, 4]), steps)
    assert torch.allclose(mixed[0], noise[0], atol=0.02), "nearly all of it is noise at first"
    assert torch.allclose(mixed[1], 2 * image[1] - 1), "and nothing in the end"
