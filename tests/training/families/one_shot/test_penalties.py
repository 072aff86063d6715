"""The gradient penalty against a critic whose slope is known, and against finite differences."""

import pytest
import torch
from torch import nn

from pentimento.training.families.one_shot.iteration import duel
from pentimento.training.families.one_shot.penalties import (
    HistoricalAverage,
    clip_weights,
    feature_distance,
    gradient_norms,
    interpolate,
    norm_penalty,
)
from tests.training.families.one_shot.toys import toy_config, toy_players

# B rows, C channels, H = W image size: another number each, so that a mistaken axis shows.
B, C, H = 5, 3, 4


def test_a_linear_critic_has_the_norm_of_its_weights():
    weight = torch.randn(C, H, H, requires_grad=True)
    image = torch.randn(B, C, H, H)
    norms = gradient_norms(lambda x: (weight * x).sum((1, 2, 3)), image)
    assert norms.shape == (B,)
    expected = weight.detach().square().sum().sqrt()  # over all axes of an image, not over one
    torch.testing.assert_close(norms, expected.expand(B))
    norm_penalty(norms).backward()
    # d (|w| - 1)^2 / dw = 2 (|w| - 1) w / |w|
    torch.testing.assert_close(weight.grad, 2 * (expected - 1) * weight.detach() / expected)


def test_rows_have_norms_of_their_own():
    scale = torch.tensor([0.0, 0.5, 1.0, 2.0, 3.0])
    norms = gradient_norms(
        lambda x: scale * x.flatten(1).sum(1) / (C * H * H) ** 0.5, torch.randn(B, C, H, H)
    )
    torch.testing.assert_close(norms, scale, atol=2e-6, rtol=0)
    assert norm_penalty(norms).item() == pytest.approx((1 + 0.25 + 0 + 1 + 4) / 5, abs=1e-5)


def test_norms_and_the_slope_of_the_penalty_agree_with_finite_differences():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(C * H * H, 6), nn.Tanh(), nn.Linear(6, 1)).double()
    image = torch.randn(B, C, H, H, dtype=torch.float64)

    def score(x):
        return net(x)[:, 0]

    norms = gradient_norms(score, image)
    h = 1e-5
    slopes = torch.zeros(B, C * H * H, dtype=torch.float64)
    with torch.no_grad():
        for pixel in range(C * H * H):
            bump = torch.zeros(C * H * H, dtype=torch.float64)
            bump[pixel] = h
            bump = bump.view(C, H, H)
            slopes[:, pixel] = (score(image + bump) - score(image - bump)) / (2 * h)
    torch.testing.assert_close(norms, slopes.norm(dim=1), rtol=1e-6, atol=0)

    norm_penalty(norms).backward()
    weight = net[1].weight
    for place in ((0, 0), (3, 17), (5, 47)):
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                weight[place] += sign * h
            values.append(norm_penalty(gradient_norms(score, image)).item())
            with torch.no_grad():
                weight[place] -= sign * h
        assert weight.grad[place].item() == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-5)


def test_a_zero_gradient_gives_a_penalty_of_one_and_no_nan():
    weight = torch.zeros(C * H * H, requires_grad=True)
    norms = gradient_norms(lambda x: x.flatten(1) @ weight, torch.randn(B, C, H, H))
    loss = norm_penalty(norms)
    loss.backward()
    assert loss.item() == pytest.approx(1, abs=1e-5)
    assert torch.isfinite(weight.grad).all()


def test_it_is_in_float32_whatever_is_around():
    net, seen = nn.Linear(4, 4, bias=False), []

    def score(x):
        hidden = net(x)
        seen.append((x.dtype, hidden.dtype))
        return hidden.sum(1)

    with torch.autocast("cpu", torch.bfloat16):
        norms = gradient_norms(score, torch.randn(B, 4, dtype=torch.bfloat16))
    assert seen == [(torch.float32, torch.float32)] and norms.dtype == torch.float32


def test_interpolates_lie_on_segments_one_share_a_row():
    real, drawn, epsilon = torch.rand(B, C, H, H), torch.rand(B, C, H, H), torch.rand(B)
    between = interpolate(real, drawn, epsilon)
    for row in range(B):
        share = ((between - drawn) / (real - drawn))[row]
        torch.testing.assert_close(share, epsilon[row].expand(C, H, H), rtol=0, atol=2e-2)
        straight = drawn[row] + epsilon[row] * (real[row] - drawn[row])
        torch.testing.assert_close(between[row], straight)
    assert torch.equal(interpolate(real, drawn, torch.ones(B)), real)


def test_an_iteration_draws_a_share_for_every_row_of_every_batch(monkeypatch):
    seen = []

    def spy(real, drawn, epsilon):
        seen.append(epsilon)
        return interpolate(real, drawn, epsilon)

    monkeypatch.setattr("pentimento.training.families.one_shot.iteration.interpolate", spy)
    config = toy_config("wgan_gp", batch_rows=16, scorer_updates=3)
    torch.manual_seed(0)
    duel(toy_players(config), config, torch.rand(48, 2, 1, 1), torch.zeros(48, dtype=torch.int64), "float32")
    assert [tuple(epsilon.shape) for epsilon in seen] == [(16,)] * 3
    values = torch.cat(seen)
    assert len(values.unique()) == 48 and 0 <= values.min() < 0.2 and 0.8 < values.max() <= 1


def test_clipping_leaves_nothing_outside():
    net = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    inside = net[0].weight.detach().clone()
    clip_weights(net, 0.1)
    torch.testing.assert_close(net[0].weight.detach(), inside.clamp(-0.1, 0.1))
    assert max(parameter.abs().max() for parameter in net.parameters()) <= 0.1


def test_feature_distance_by_hand():
    real = torch.tensor([[1.0, 2.0], [3.0, 2.0]])  # mean (2, 2)
    drawn = torch.tensor([[0.0, 0.0], [0.0, 2.0]], requires_grad=True)  # mean (0, 1)
    distance = feature_distance(real, drawn)
    assert distance.item() == pytest.approx(4 + 1)
    distance.backward()
    torch.testing.assert_close(drawn.grad, torch.tensor([[-2.0, -1.0], [-2.0, -1.0]]))


def test_historical_averaging_by_hand():
    weight = nn.Parameter(torch.tensor([0.0]))
    history = HistoricalAverage([weight])
    for value in (3.0, 6.0):  # the mean of 0, 3, 6 is 3
        with torch.no_grad():
            weight.fill_(value)
        history.update()
    assert history.distance().item() == pytest.approx(9)  # (6 - 3)^2
    history.distance().backward()
    assert weight.grad.item() == pytest.approx(6)  # towards the mean
    again = HistoricalAverage([weight])
    again.load_state_dict(history.state_dict())
    again.update()
    assert again.distance().item() == pytest.approx((6 - 15 / 4) ** 2)
