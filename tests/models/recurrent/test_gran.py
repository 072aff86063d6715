"""GRAN's mathematics: equations, gradients, step statistics, independence of rows."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from pentimento.models.recurrent.gran import GRAN, GRANConfig, GRANDiscriminator, GRANState, gran_config
from pentimento.models.shared.blocks import StepBatchNorm, collect_statistics

SMALL = GRANConfig(image_size=12, widths=(8, 6), latent_dim=5, step_count=3)
CONFIGS = {
    "same": SMALL,
    "per_step": replace(SMALL, noise_mode="per_step"),
    "tied": replace(SMALL, tied=True),
    "one step": replace(SMALL, step_count=1),
    "colour": replace(SMALL, image_size=16, channels=3, widths=(8, 6, 4)),
}


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def make(config):
    """A generator with frozen statistics of its own latents."""
    generator = GRAN(config)
    latent = torch.randn(generator.latent_shape(256))
    collect_statistics(generator, [lambda: generator.draw_last(latent)])
    return generator


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_draws_canvases_of_the_right_shape_and_range(config):
    generator = make(config)
    canvases = generator.draw(torch.randn(generator.latent_shape(4)))
    size = (config.channels, config.image_size, config.image_size)
    assert canvases.shape == (4, config.step_count, *size)
    assert canvases.min() >= 0 and canvases.max() <= 1


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_gradients_reach_every_parameter_through_all_steps(config):
    generator, scorer = GRAN(config), GRANDiscriminator(config)
    scorer(generator.draw_last(torch.randn(generator.latent_shape(8)))).sum().backward()
    for name, parameter in [*generator.named_parameters(), *scorer.named_parameters()]:
        used = config.step_count > 1 or not name.startswith("encoder")  # one step never encodes its delta
        if used:
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name
            assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize(
    ("size", "widths", "channels", "latent_dim"),
    [(28, (80, 40), 1, 60), (32, (1024, 512, 256), 3, 100), (64, (1024, 512, 216, 128), 3, 100)],
)
def test_the_papers_sizes(size, widths, channels, latent_dim):
    config = gran_config(size)
    assert (config.widths, config.channels, config.latent_dim) == (widths, channels, latent_dim)
    narrow = gran_config(size, step_count=2, width_divisor=8)
    assert GRAN(narrow).draw_last(torch.randn(2, latent_dim)).shape == (2, channels, size, size)


def test_the_authors_layers_for_28_pixels():
    generator, scorer = GRAN(gran_config(28)), GRANDiscriminator(gran_config(28))
    shapes = {name: tuple(p.shape) for name, p in generator.named_parameters() if p.dim() > 1}
    assert shapes == {
        "latent_linear.weight": (60, 60),
        "decoder.linear.weight": (80 * 7 * 7, 120),
        "decoder.deconvs.0.weight": (80, 40, 5, 5),
        "decoder.deconvs.1.weight": (40, 1, 5, 5),
        "encoder.convs.0.weight": (40, 1, 5, 5),
        "encoder.convs.1.weight": (80, 40, 5, 5),
        "encoder.linear.weight": (60, 80 * 7 * 7),
    }
    shapes = {name: tuple(p.shape) for name, p in scorer.named_parameters() if p.dim() > 1}
    assert shapes == {
        "convs.0.weight": (80, 1, 5, 5),
        "convs.1.weight": (40, 80, 5, 5),
        "hidden.weight": (100, 40 * 7 * 7),
        "output.weight": (1, 100),
    }


def recompute(generator, latents):
    """The paper's equations in plain calls, in training mode: batch normalisation by the batch itself."""
    p = dict(generator.named_parameters())

    def bn(x, name):
        dims = [0, *range(2, x.dim())]
        shape = [1, -1] + [1] * (x.dim() - 2)
        mean, var = x.mean(dims).view(shape), x.var(dims, unbiased=False).view(shape)
        return (x - mean) / (var + 1e-5).sqrt() * p[f"{name}.weight"].view(shape) + p[f"{name}.bias"].view(
            shape
        )

    def f(h_z, h_c):
        x = torch.cat([h_z, h_c], 1) @ p["decoder.linear.weight"].T + p["decoder.linear.bias"]
        x = bn(x, "decoder.norm").relu().view(-1, *generator.decoder.base_shape)
        x = F.conv_transpose2d(x, p["decoder.deconvs.0.weight"], p["decoder.deconvs.0.bias"], 2, 2, 1).relu()
        return F.conv_transpose2d(x, p["decoder.deconvs.1.weight"], p["decoder.deconvs.1.bias"], 2, 2, 1)

    def g(delta):
        x = bn(F.conv2d(delta, p["encoder.convs.0.weight"], None, 2, 2), "encoder.norms.0").relu()
        x = bn(F.conv2d(x, p["encoder.convs.1.weight"], None, 2, 2), "encoder.norms.1").relu()
        x = x.flatten(1) @ p["encoder.linear.weight"].T + p["encoder.linear.bias"]
        return bn(x, "encoder.norm").tanh()

    h_c, total, canvases = torch.zeros(len(latents[0]), 5), 0, []
    for z in latents:
        h_z = bn(z @ p["latent_linear.weight"].T + p["latent_linear.bias"], "latent_norm").tanh()
        delta = f(h_z, h_c)
        h_c = g(delta)
        total = total + delta
        canvases.append(torch.sigmoid(total))
    return torch.stack(canvases, 1)


@pytest.mark.parametrize("mode", ["same", "per_step"])
def test_equations(mode):
    generator = GRAN(CONFIGS[mode])
    for name, parameter in generator.named_parameters():
        if "norm" in name:  # away from one and zero, so that a forgotten weight or bias would show
            torch.nn.init.normal_(parameter, mean=1.0, std=0.3)
    latent = torch.randn(generator.latent_shape(9))
    latents = [latent] * 3 if mode == "same" else list(latent.unbind(1))
    torch.testing.assert_close(generator.draw(latent), recompute(generator, latents), rtol=1e-4, atol=1e-5)


def test_one_step_decodes_the_latent_with_an_empty_encoding():
    generator = make(CONFIGS["one step"])
    latent = torch.randn(4, 5)
    h_z = generator.initial_state(4, latent).h_z
    t = torch.zeros(4, dtype=torch.int64)
    expected = torch.sigmoid(generator.decoder(torch.cat([h_z, torch.zeros(4, 5)], 1), t))
    assert torch.equal(generator.draw_last(latent), expected)


@pytest.mark.parametrize("mode", ["same", "per_step"])
def test_a_canvas_is_the_sigmoid_of_the_deltas_so_far(mode):
    generator = make(CONFIGS[mode])
    latent = torch.randn(generator.latent_shape(4))
    state = generator.initial_state(4, latent if mode == "same" else None)
    total = torch.zeros(4, 1, 12, 12)
    for t in range(3):
        before = state.canvas_logits
        step = torch.full((4,), t)
        canvas, state = generator.step(step, None if mode == "same" else latent[:, t], state)
        total = total + (state.canvas_logits - before)
        torch.testing.assert_close(canvas, torch.sigmoid(total))
        assert torch.equal(canvas, generator.draw(latent)[:, t])


def test_the_state_is_a_value():
    generator = make(SMALL)
    latent, t = torch.randn(4, 5), torch.zeros(4, dtype=torch.int64)
    state = generator.initial_state(4, latent)
    first, after = generator.step(t, None, state)
    generator.step(t + 1, None, after)
    again, _ = generator.step(t, None, state)
    assert torch.equal(first, again)


def test_tied_kernels_are_the_same_and_are_counted_once():
    tied, free = GRAN(CONFIGS["tied"]), GRAN(SMALL)
    assert tied.encoder.convs[0].weight is tied.decoder.deconvs[-1].weight
    assert tied.encoder.convs[1].weight is tied.decoder.deconvs[0].weight
    kernels = sum(conv.weight.numel() for conv in free.encoder.convs)
    count = [sum(p.numel() for p in model.parameters()) for model in (free, tied)]
    assert count[0] - count[1] == kernels


def test_fresh_noise_changes_only_the_steps_that_it_is_for():
    generator = make(CONFIGS["per_step"])
    latent = torch.randn(4, 3, 5)
    other = latent.clone()
    other[:, 2] = torch.randn(4, 5)
    ours, theirs = generator.draw(latent), generator.draw(other)
    assert torch.equal(ours[:, :2], theirs[:, :2])
    assert not torch.allclose(ours[:, 2], theirs[:, 2])
    with pytest.raises(ValueError, match="latent holds 3 steps, but step_count is 4"):
        generator.draw(latent, 4)
    with pytest.raises(ValueError, match="needs that noise"):
        generator.step(torch.zeros(4, dtype=torch.int64), None, generator.initial_state(4, None))
    with pytest.raises(ValueError, match="needs that latent"):
        make(SMALL).initial_state(4, None)


def test_statistics_are_picked_by_each_rows_own_step():
    norm = StepBatchNorm(2, 3).eval()
    norm.mean.copy_(torch.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]]))
    norm.variance.copy_(torch.tensor([[1.0, 1.0], [4.0, 9.0], [16.0, 25.0]]))
    x = torch.tensor([[5.0, 6.0]]).repeat(4, 1)
    t = torch.tensor([2, 0, 1, 9])  # beyond the last set: the last set
    expected = torch.tensor([[0.5, 0.4], [5.0, 6.0], [2.0, 4 / 3], [0.5, 0.4]])
    torch.testing.assert_close(norm(x, t), expected, rtol=1e-4, atol=1e-4)


def test_collected_statistics_are_those_of_every_step():
    generator = GRAN(SMALL)
    latent = torch.randn(400, 5)
    expected = generator.train().draw(latent)  # normalised by these 400 rows themselves
    collect_statistics(generator, [lambda: generator.draw_last(latent)])
    assert not generator.training
    torch.testing.assert_close(generator.draw(latent), expected, rtol=1e-3, atol=1e-4)
    assert not torch.allclose(generator.encoder.norm.mean[0], generator.encoder.norm.mean[1])


def test_statistics_of_chunks_add_up():
    norm = StepBatchNorm(3, 1)
    x = torch.randn(50, 3, 4, 4) * 2 + 1
    model = torch.nn.ModuleList([norm])
    t = torch.zeros(50, dtype=torch.int64)
    collect_statistics(model, [lambda part=part: norm(part, t[: len(part)]) for part in x.split(20)])
    torch.testing.assert_close(norm.mean[0], x.mean((0, 2, 3)))
    torch.testing.assert_close(norm.variance[0], x.var((0, 2, 3), unbiased=False))


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_a_row_does_not_depend_on_its_batch_mates(config):
    generator = make(config)
    latent = torch.randn(generator.latent_shape(6))
    together = generator.draw(latent)
    for row in range(6):
        alone = generator.draw(latent[row : row + 1])
        torch.testing.assert_close(together[row : row + 1], alone, rtol=1e-5, atol=1e-6)


def test_rows_may_be_at_different_steps():
    generator = make(SMALL)
    latent = torch.randn(3, 5)
    states = [generator.initial_state(3, latent)]
    canvases = []
    for t in range(3):
        canvas, state = generator.step(torch.full((3,), t), None, states[-1])
        states.append(state)
        canvases.append(canvas)
    mixed = GRANState(
        *(
            torch.stack([field[row] for row, field in enumerate(fields)])
            for fields in zip(*states[:3], strict=True)
        )
    )
    canvas, _ = generator.step(torch.arange(3), None, mixed)
    expected = torch.stack([canvases[row][row] for row in range(3)])
    torch.testing.assert_close(canvas, expected, rtol=1e-5, atol=1e-6)


def test_the_discriminator_scores_single_images():
    scorer = GRANDiscriminator(SMALL).eval()
    images = torch.rand(5, 1, 12, 12)
    logits = scorer(images)
    assert logits.shape == (5,)
    for row in range(5):
        torch.testing.assert_close(scorer(images[row : row + 1]), logits[row : row + 1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"image_size": 30}, "image_size must be a multiple of 4"),
        ({"widths": ()}, "widths must name at least one layer"),
        ({"step_count": 0}, "step_count must be at least 1, got 0"),
        ({"noise_mode": "twice"}, "noise_mode must be same or per_step, got 'twice'"),
    ],
)
def test_impossible_sizes_are_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(SMALL, **values)
    with pytest.raises(ValueError, match="image_size must be 28, 32 or 64, got 48"):
        gran_config(48)
