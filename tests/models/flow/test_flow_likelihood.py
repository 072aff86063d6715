"""The flow's likelihood against that of Gaussians, which is known."""

import math

import pytest
import torch

from pentimento.models.flow.flow_likelihood import LEVELS, follow_back, parts_of, start_of, total
from pentimento.models.flow.flow_matching import FlowMatching
from tests.models.flow.test_flow_matching import Gaussian


def estimate(model, image, signs, uniform, count):
    at = start_of(image, uniform)
    for part in parts_of(count):
        at = follow_back(model, at, signs, part)
    return total(at)


def exact(image, uniform, mean, deviation):
    """log of the density at the point of the level, times the level's width."""
    x = 2 * ((LEVELS - 1) * image + uniform) / LEVELS - 1
    density = torch.distributions.Normal(mean, deviation).log_prob(x)
    return (density + math.log(2 / LEVELS)).sum((1, 2, 3))


@pytest.mark.parametrize(("deviation", "error"), [(1.0, 1e-4), (0.3, 1e-3), (0.01, 0.02)])
def test_the_likelihood_of_a_gaussian_is_the_exact_one(deviation, error):
    """Nats a pixel; 0.01 is about a level's width, as narrow as the black of digits is."""
    torch.manual_seed(0)
    image = ((0.2 + deviation * torch.randn(6, 1, 5, 5) + 1) / 2).clamp(0, 1)
    image, uniform = (image * (LEVELS - 1)).round() / (LEVELS - 1), torch.rand(image.shape)
    signs = torch.randn(image.shape).sign()
    found = estimate(FlowMatching(Gaussian(0.2, deviation)), image, signs, uniform, 64)
    off = (found - exact(image, uniform, 0.2, deviation)).abs() / image[0].numel()
    assert float(off.max()) < error


def test_more_parts_err_less():
    torch.manual_seed(1)
    image, uniform = torch.rand(4, 1, 4, 4), torch.rand(4, 1, 4, 4)
    signs, model = torch.randn(image.shape).sign(), FlowMatching(Gaussian(0.0, 0.2))
    errors = [
        float((estimate(model, image, signs, uniform, count) - exact(image, uniform, 0.0, 0.2)).abs().mean())
        for count in (8, 16, 32)
    ]
    assert errors[1] < 0.5 * errors[0] and errors[2] < 0.5 * errors[1]


def test_the_direction_does_not_bias_the_estimate():
    """Of a field that mixes pixels, whose divergence one direction gives with an error, and many without."""

    class Mixing(torch.nn.Module):
        def forward(self, state, time, label=None):
            return state @ torch.tensor([[-0.5, 0.8], [0.4, 0.2]], dtype=state.dtype)

    torch.manual_seed(2)
    model, image = FlowMatching(Mixing()), torch.full((4000, 1, 2, 2), 0.6)
    at = start_of(image, torch.full(image.shape, 0.5))
    signs = torch.randn(image.shape).sign()
    for part in parts_of(16):
        at = follow_back(model, at, signs, part)
    assert float(at.volume.mean()) == pytest.approx(2 * (-0.5 + 0.2), abs=0.08)
    assert float(at.volume.std()) > 0.5


def test_the_parts_are_the_whole_way():
    parts = parts_of(40)
    assert float(parts[0, 0]) == 1 and float(parts[:, 1].sum()) == pytest.approx(1, abs=1e-6)
    assert torch.allclose(parts[1:, 0], (parts[:, 0] - parts[:, 1])[:-1], atol=1e-6)
    assert (parts[1:, 1] > parts[:-1, 1]).all(), "the closer to the picture the shorter"
