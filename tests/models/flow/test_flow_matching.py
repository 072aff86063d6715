"""Flow matching: the field on Gaussians against its closed form, steps, guidance, encoding; and the U-Net."""

import math

import pytest
import torch
from torch import nn

from pentimento.models.flow.flow_matching import FlowMatching
from pentimento.models.flow.unet import UNet, UNetConfig

SMALL = UNetConfig(image_size=9, widths=(4, 8), embedding=8, groups=2, class_count=3)


class Gaussian(nn.Module):
    """The exact field towards x_1 ~ N(mean, deviation^2), pixel by pixel: the mean of x_1 - x_0 given x_t."""

    def __init__(self, mean, deviation):
        super().__init__()
        self.mean, self.deviation = mean, deviation

    def forward(self, state, time, label=None):
        t = time[:, None, None, None]
        variance = (1 - t) ** 2 + (t * self.deviation) ** 2
        off = state - t * self.mean
        return self.mean + (t * self.deviation**2 - (1 - t)) / variance * off


class Classes(nn.Module):
    """Each class has a field that is constant; that of nobody is zero."""

    def forward(self, state, time, label=None):
        return label.to(state.dtype)[:, None, None, None].expand_as(state) % 3  # 3 is nobody


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = UNet(SMALL).eval()
    with torch.no_grad():
        for parameter in network.parameters():  # what starts at zero would hide
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return network


def test_the_closed_form_is_the_least_of_the_loss():
    """Of two Gaussians: no other slope or offset of the field has a lower loss, on the same draws."""
    torch.manual_seed(1)
    exact = Gaussian(0.3, 0.5)
    picture = 0.3 + 0.5 * torch.randn(200_000, 1, 1, 1)
    noise, time = (
        torch.randn(picture.shape),
        FlowMatching(exact).draw_times(len(picture), torch.device("cpu")),
    )
    image = (picture + 1) / 2
    best = FlowMatching(exact).loss(image, noise, time)
    for other in (Gaussian(0.35, 0.5), Gaussian(0.25, 0.5), Gaussian(0.3, 0.55), Gaussian(0.3, 0.45)):
        assert FlowMatching(other).loss(image, noise, time) > best


def test_half_of_the_times_are_uniform_and_half_logit_normal():
    torch.manual_seed(7)
    time = FlowMatching(nn.Identity()).draw_times(200_000, torch.device("cpu"))
    for end in (0.02, 0.25, 0.5, 0.9):
        normal = 0.5 * (1 + math.erf(math.log(end / (1 - end)) / 2**0.5))
        assert (time < end).double().mean() == pytest.approx((end + normal) / 2, abs=0.005), end


class Polynomial(nn.Module):
    """A field that is linear in the state, with factors that are polynomials of the time."""

    def __init__(self):
        super().__init__()
        self.factors = nn.Parameter(torch.zeros(2, 7, dtype=torch.float64))

    def forward(self, state, time, label=None):
        powers = time[:, None] ** torch.arange(7)
        slope, offset = (powers @ self.factors.T)[:, :, None, None, None].unbind(1)
        return slope * state + offset


def test_a_field_that_learns_comes_to_the_closed_form():
    torch.manual_seed(2)
    flow = FlowMatching(Polynomial())
    picture = 0.3 + 0.5 * torch.randn(200_000, 1, 1, 1, dtype=torch.float64)
    given = (picture + 1) / 2, torch.randn_like(picture), torch.rand(len(picture), dtype=torch.float64)
    optimizer = torch.optim.LBFGS(flow.parameters(), max_iter=60, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = flow.loss(*given)
        loss.backward()
        return loss

    optimizer.step(closure)
    state = torch.linspace(-0.6, 0.9, 21, dtype=torch.float64)[:, None, None, None]
    for at in (0.25, 0.5, 0.75):
        time = torch.full((21,), at, dtype=torch.float64)
        with torch.no_grad():
            error = flow.ask(state, time) - Gaussian(0.3, 0.5)(state, time)
        assert error.abs().max() < 0.06, at
    with torch.no_grad():
        drawn = flow.follow(torch.randn(4000, 1, 1, 1, dtype=torch.float64), 30)[:, -1] * 2 - 1
    assert drawn.mean() == pytest.approx(0.3, abs=0.05)  # clipped at 1, beyond which 8 % lie


@pytest.mark.parametrize("heun", [False, True])
def test_following_the_field_turns_the_noise_into_the_data(heun):
    """Along x_1 = mean + deviation x_0; Euler's error falls with the steps, and Heun's with their square."""
    flow, noise = FlowMatching(Gaussian(0.1, 0.2), heun=heun), torch.linspace(-2, 2, 9)[:, None, None, None]
    wanted = (0.1 + 0.2 * noise + 1) / 2
    errors = [(flow.follow(noise, steps)[:, -1] - wanted).abs().max() for steps in (20, 40)]
    assert errors[1] < 0.015 and errors[1] < errors[0] * (0.35 if heun else 0.6)


def test_the_estimate_of_the_last_step_is_the_state_it_leaves(network):
    flow = FlowMatching(network, network.nobody)
    state, steps = torch.randn(2, 1, 9, 9), torch.tensor([4, 7])
    with torch.no_grad():
        canvas, after = flow.step(state, steps - 1, steps)
    assert torch.allclose(canvas, ((after + 1) / 2).clamp(0, 1), atol=1e-5)


def test_guidance_of_0_and_1_is_nobody_and_the_class_and_more_is_along_the_same_line(network):
    flow = FlowMatching(network, network.nobody)
    state, time, label = torch.randn(4, 1, 9, 9), torch.rand(4), torch.tensor([0, 1, 2, 1])
    nobody = torch.full((4,), network.nobody)
    with torch.no_grad():
        free, told = network(state, time, nobody), network(state, time, label)
        for g in (0.0, 1.0, 2.5):
            found = flow.ask(state, time, label, torch.full((4,), g))
            assert torch.allclose(found, free + g * (told - free), atol=1e-5)
        assert torch.equal(network(state, time), free), "no label is nobody's"
        assert torch.allclose(flow.ask(state, time, label), told, atol=1e-6)
    assert not torch.allclose(free, told, atol=1e-3)
    constant = FlowMatching(Classes(), 3)
    moved = constant.ask(state, time, label, torch.tensor([1.0, 2.0, 0.5, 0.0]))
    assert moved[:, 0, 0, 0].tolist() == [0, 2, 1, 0]


def test_a_drawing_does_not_depend_on_its_neighbours_nor_on_their_steps(network):
    flow = FlowMatching(network, network.nobody)
    state, label = torch.randn(3, 1, 9, 9), torch.tensor([0, 1, 2])
    t, steps, guidance = torch.tensor([0, 2, 5]), torch.tensor([1, 4, 9]), torch.tensor([0.0, 1.0, 3.0])
    with torch.no_grad():
        together = flow.step(state, t, steps, label, guidance)
        for row in range(3):
            at = slice(row, row + 1)
            alone = flow.step(state[at], t[at], steps[at], label[at], guidance[at])
            assert all(torch.allclose(a[at], b, atol=1e-5) for a, b in zip(together, alone, strict=True))


def test_an_encoding_draws_the_picture_again():
    flow = FlowMatching(Gaussian(0.1, 0.6), heun=True)
    image = torch.rand(5, 1, 3, 3, generator=torch.Generator().manual_seed(3)) * 0.6 + 0.2
    noise = flow.encode(image, 40)
    assert torch.allclose(noise, (2 * image - 1 - 0.1) / 0.6, atol=0.02)
    again = flow.follow(noise, 40)[:, -1]
    assert (again - image).abs().max() < 0.01


@pytest.mark.parametrize(
    ("size", "channels", "patch"), [(28, 1, 1), (32, 3, 1), (9, 1, 1), (28, 1, 2), (9, 3, 3)]
)
def test_the_unet_keeps_shapes_and_every_weight_learns(size, channels, patch):
    torch.manual_seed(0)
    config = UNetConfig(
        image_size=size,
        channels=channels,
        patch=patch,
        widths=(4, 8, 8),
        embedding=8,
        groups=2,
        class_count=2,
    )
    network = UNet(config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    image = torch.rand(3, channels, size, size)
    FlowMatching(network, network.nobody).loss(
        image, torch.randn_like(image), torch.rand(3), torch.tensor([0, 1, 2])
    ).backward()
    assert network(image, torch.rand(3)).shape == image.shape
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_a_new_network_has_a_field_of_nothing():
    assert not UNet(SMALL)(torch.randn(2, 1, 9, 9), torch.rand(2)).any()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"widths": (6,), "groups": 4}, r"widths must be multiples of groups, 4, got \(6,\)"),
        ({"embedding": 7}, "embedding must be even, got 7"),
        ({"patch": 3}, "patch must divide image_size, 28, got 3"),
        ({"blocks": 0}, "blocks must be at least 1, got 0"),
        ({"class_count": -1}, "class_count must be at least 0, got -1"),
    ],
)
def test_sizes_that_cannot_be_built_are_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        UNetConfig(**values)
