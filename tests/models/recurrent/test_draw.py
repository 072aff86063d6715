"""DRAW: bound, latents drawn step by step, what each step may see, and the cell it is made of."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from pentimento.models.recurrent.draw import DRAW, DRAWConfig
from pentimento.models.shared.likelihoods import Gaussian, gaussian_kl, gaussian_log_density, importance_bound
from pentimento.models.shared.lstm import LSTMCell

SIZE, STEPS, LATENTS = 8, 3, 2


@pytest.fixture(params=[True, False], ids=["attention", "plain"])
def model(request):
    torch.manual_seed(0)
    config = DRAWConfig(
        image_size=SIZE,
        step_count=STEPS,
        step_latents=LATENTS,
        hidden=12,
        read_points=3,
        write_points=4,
        attention=request.param,
    )
    model = DRAW(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # what starts at zero would hide
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return model


@pytest.fixture
def image():
    return (torch.rand(5, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(1)) < 0.4).float()


@pytest.fixture
def eps():
    return torch.randn(5, STEPS * LATENTS, generator=torch.Generator().manual_seed(2))


def test_the_decoder_alone_draws_what_the_encoder_saw_drawn(model, image, eps):
    latent, _, pixels = model.explain(image, eps)
    assert torch.allclose(model.log_likelihood_map(image, latent), pixels, atol=1e-5)
    drawn = model.canvases(latent)[:, -1].clamp(1e-6, 1 - 1e-6)
    assert torch.allclose(image * drawn.log() + (1 - image) * (1 - drawn).log(), pixels, atol=1e-4)


def test_the_bound_is_the_likelihood_less_the_kl_of_every_step(model, image, eps):
    bound = model.bound(image, eps)
    _, posterior, pixels = model.explain(image, eps)
    assert bound.kl.shape == (5, STEPS)
    by_hand = 0.5 * (
        posterior.mean**2 + posterior.log_variance.exp() - posterior.log_variance - 1
    )  # against N(0, I)
    assert torch.allclose(bound.kl.sum(1), by_hand.sum(1), atol=1e-5)
    assert torch.allclose(bound.total, pixels.sum((1, 2, 3)) - by_hand.sum(1), atol=1e-4)


def test_the_kl_is_what_draws_say_it_is():
    q = Gaussian(torch.tensor([0.7, -1.2]), torch.tensor([0.3, -1.0]))
    p = Gaussian(torch.zeros(2), torch.zeros(2))
    draws = q.sample(torch.randn(200_000, 2, generator=torch.Generator().manual_seed(0)))
    estimated = (gaussian_log_density(draws, q) - gaussian_log_density(draws, p)).mean(0)
    assert torch.allclose(estimated, gaussian_kl(q, p), atol=0.01)


@torch.no_grad()
def test_the_bound_tightens_with_more_samples(model, image):
    generator = torch.Generator().manual_seed(3)
    draws = [torch.randn(5, STEPS * LATENTS, generator=generator) for _ in range(256)]
    weights = torch.stack([model.log_weight(image, each) for each in draws])  # (256, B)
    means = [
        torch.stack([importance_bound(part) for part in weights.split(k)]).mean() for k in (1, 4, 16, 64, 256)
    ]
    assert all(a < b for a, b in pairwise(means)), means


def test_a_step_knows_the_steps_before_it_and_no_later_one(model, image, eps):
    latent, posterior, _ = model.explain(image, eps)
    changed = eps.clone()
    changed[:, LATENTS : 2 * LATENTS] += 1  # of the second step
    again, after, _ = model.explain(image, changed)
    first, second, third = (slice(t * LATENTS, (t + 1) * LATENTS) for t in range(3))
    assert torch.equal(posterior.mean[:, : 2 * LATENTS], after.mean[:, : 2 * LATENTS])
    assert torch.equal(latent[:, first], again[:, first])
    assert (latent[:, second] != again[:, second]).all(), "every step has noise of its own"
    assert (posterior.mean[:, third] != after.mean[:, third]).all(), "the next step sees what was drawn"


def test_a_canvas_is_changed_by_its_step_and_not_by_later_ones(model):
    latent = torch.randn(4, STEPS * LATENTS, generator=torch.Generator().manual_seed(5))
    other = latent.clone()
    other[:, LATENTS:] += 1
    one, two = model.canvases(latent), model.canvases(other)
    assert torch.equal(one[:, 0], two[:, 0])
    assert not torch.equal(one[:, 1], two[:, 1])
    assert one.min() >= 0 and one.max() <= 1 and one.shape == (4, STEPS, 1, SIZE, SIZE)


def test_rows_do_not_depend_on_each_other(model, image, eps):
    together = model.log_weight(image, eps)
    alone = torch.cat([model.log_weight(image[i : i + 1], eps[i : i + 1]) for i in range(5)])
    assert torch.allclose(together, alone, atol=1e-4)


def test_every_parameter_learns(model, image, eps):
    model.bound(image, eps).total.mean().backward()
    idle = [name for name, parameter in model.named_parameters() if not parameter.grad.abs().sum() > 0]
    assert not idle


@pytest.mark.parametrize("model", [True], indirect=True)
def test_boxes_are_where_the_step_reads_and_writes(model):
    state = model.initial_state(2)
    _, after = model.step(torch.randn(2, LATENTS, generator=torch.Generator().manual_seed(6)), state)
    boxes = model.boxes(state, after)
    assert torch.equal(boxes["read_box"], model.reader.box(state.hidden).geometry())
    assert torch.equal(boxes["write_box"], model.writer.box(after.hidden).geometry())
    assert boxes["read_box"].shape == boxes["write_box"].shape == (2, 4)


@pytest.mark.parametrize("model", [False], indirect=True)
def test_without_attention_image_and_error_image_are_read(model, image):
    assert model.boxes(model.initial_state(1), model.initial_state(1)) == {}
    canvas, reader = torch.rand_like(image), model.reader
    read = reader.read(reader.glimpse(image), image, canvas, torch.zeros(5, 12))
    straight = reader.linear(torch.cat([image.flatten(1), (image - canvas).flatten(1)], dim=1))
    assert torch.allclose(read, straight, atol=1e-5)


def test_the_cell_is_torchs():
    ours, theirs = LSTMCell(3, 4), nn.LSTMCell(3, 4)
    with torch.no_grad():
        weight, bias = ours.gates.weight, ours.gates.bias
        theirs.weight_ih.copy_(weight[:, :3])
        theirs.weight_hh.copy_(weight[:, 3:])
        theirs.bias_ih.copy_(bias)
        theirs.bias_hh.zero_()
    x, hidden, cell = torch.randn(5, 3), torch.randn(5, 4), torch.randn(5, 4)
    for ours_out, theirs_out in zip(ours(x, hidden, cell), theirs(x, (hidden, cell)), strict=True):
        assert torch.allclose(ours_out, theirs_out, atol=1e-6)


@pytest.mark.parametrize(("name", "value"), [("step_count", 0), ("read_points", 1), ("write_points", 1)])
def test_sizes_that_cannot_be_built_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} must be at least {value + 1}, got {value}"):
        DRAWConfig(**{name: value})
