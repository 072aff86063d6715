"""BiGAN and BiGRAN: pairs, steps and groups see what they may, and no more."""

import pytest
import torch

from pentimento.models.adversarial.bigan import BiGAN, BiGANConfig
from pentimento.models.adversarial.bigran import BiGRAN, BiGRANConfig
from pentimento.models.adversarial.recurrent_discrimination import RecurrentDiscrimination
from pentimento.models.shared.lstm import LSTMCell

SIZE, GROUP, STEPS = 8, 3, 4


@pytest.fixture
def bigan():
    torch.manual_seed(0)
    return BiGAN(BiGANConfig(image_size=SIZE, latent_dim=5, hidden=16)).eval()


@pytest.fixture
def bigran():
    torch.manual_seed(0)
    config = BiGRANConfig(image_size=SIZE, step_count=STEPS, latent_dim=3, hidden=10, group_size=GROUP)
    model = BiGRAN(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # what starts at zero would hide
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return model


@pytest.fixture(params=["bigan", "bigran"])
def model(request):
    return request.getfixturevalue(request.param)


def images(rows, seed=1):
    return torch.rand(rows, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(seed))


def latents(model, rows, seed=2):
    shape = (rows, model.step_count, model.latent_dim)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_shapes(model):
    rows = 2 * model.group_size
    drawn = model.draw(latents(model, rows))
    assert drawn.shape == (rows, model.step_count, 1, SIZE, SIZE) and 0 <= drawn.min() <= drawn.max() <= 1
    encoded = model.encode(images(rows), latents(model, rows))
    assert encoded.shape == latents(model, rows).shape
    logits = model.judge(drawn, encoded)
    assert logits.shape == (2, model.group_size, model.step_count)


def test_the_prior_is_the_one_it_names(bigan, bigran):
    torch.manual_seed(0)
    uniform, normal = bigan.draw_prior(4000), bigran.draw_prior(4000)
    assert -1 <= uniform.min() < -0.99 and 0.99 < uniform.max() <= 1
    assert normal.std().item() == pytest.approx(1, abs=0.03) and normal.abs().max() > 3


def test_rows_draw_and_encode_alone_as_together(model):
    latent, image = latents(model, 4), images(4)
    alone = torch.cat([model.draw(latent[i : i + 1]) for i in range(4)])
    assert torch.allclose(alone, model.draw(latent), atol=1e-6)
    alone = torch.cat([model.encode(image[i : i + 1], latent[i : i + 1]) for i in range(4)])
    assert torch.allclose(alone, model.encode(image, latent), atol=1e-6)


def test_a_pair_is_judged_by_both_of_its_parts(model):
    rows = model.group_size
    image, latent = images(rows)[:, None], latents(model, rows)
    logits = model.judge(image, latent)
    assert not torch.equal(logits, model.judge(1 - image, latent))
    assert not torch.equal(logits, model.judge(image, -latent))


def test_the_hoisted_encoder_is_the_plain_recurrence(bigran):
    image, eps = images(4), latents(bigran, 4)
    encoder = bigran.encoder
    hidden = cell = torch.zeros(4, 10)
    expected = []
    for s in range(STEPS):
        hidden, cell = encoder.cell(image.flatten(1), hidden, cell)
        mean, log_variance = encoder.numbers(hidden).chunk(2, dim=1)
        expected.append(mean + (log_variance / 2).exp() * eps[:, s])
    assert torch.allclose(bigran.encode(image, eps), torch.stack(expected, dim=1), atol=1e-5)


def test_a_canvas_is_the_sigmoid_of_all_that_was_added_so_far(bigran):
    latent = latents(bigran, 2)
    other = latent.clone()
    other[:, 2:] += 1
    one, two = bigran.draw(latent), bigran.draw(other)
    assert torch.equal(one[:, :2], two[:, :2]) and not torch.equal(one[:, 2], two[:, 2])


def test_an_answer_about_a_prefix_has_seen_that_prefix(bigran):
    image, latent = images(2 * GROUP)[:, None], latents(bigran, 2 * GROUP)
    before = bigran.judge(image, latent)
    for changed in range(GROUP):
        other = image.clone()
        other[changed] = 1 - other[changed]  # of the first group
        after = bigran.judge(other, latent)
        assert torch.equal(before[1], after[1]), "the other group knows nothing of it"
        assert torch.equal(before[0, :changed], after[0, :changed]), "nor do shorter prefixes"
        assert (before[0, changed:] != after[0, changed:]).all()


def test_permuting_a_group_changes_only_the_prefixes_in_which_it_shows(bigran):
    image, latent = images(GROUP)[:, None], latents(bigran, GROUP)
    order = torch.tensor([0, 2, 1])
    before, after = bigran.judge(image, latent)[0], bigran.judge(image[order], latent[order])[0]
    assert torch.equal(before[0], after[0])
    assert not torch.allclose(before[1], after[1])


def test_an_answer_about_a_step_has_seen_the_latents_up_to_it(bigran):
    image, latent = images(GROUP)[:, None], latents(bigran, GROUP)
    other = latent.clone()
    other[:, 2] += 1
    before, after = bigran.judge(image, latent), bigran.judge(image, other)
    assert torch.equal(before[:, :, :2], after[:, :, :2])
    assert (before[:, :, 2:] != after[:, :, 2:]).all()


def test_the_first_answer_is_that_of_a_single_sample(bigran):
    image, latent = images(GROUP)[:, None], latents(bigran, GROUP)
    together, alone = bigran.judge(image, latent), bigran.judge(image, latent, 1)
    assert torch.allclose(together[0, 0], alone[0, 0], atol=1e-6)


def test_recurrent_discrimination_is_an_lstm_over_samples():
    torch.manual_seed(1)
    head = RecurrentDiscrimination(4, 6).eval()
    features = torch.randn(5, 3, 4)
    hidden = cell = torch.zeros(5, 6)
    for j in range(3):
        hidden, cell = head.cell(features[:, j], hidden, cell)
        assert torch.allclose(head(features)[:, j], head.answer(hidden)[:, 0], atol=1e-6)


def test_dropout_leaves_out_the_same_inputs_for_all_samples_of_a_group():
    torch.manual_seed(1)
    head = RecurrentDiscrimination(64, 2, dropout=0.5)
    seen = []
    head.cell = type("Spy", (LSTMCell,), {"forward": lambda self, x, h, c: (seen.append(x), (h, c))[1]})(
        64, 2
    )
    head.train()(torch.ones(2, 3, 64))
    first, second, third = seen
    assert torch.equal(first, second) and torch.equal(second, third) and not torch.equal(first[0], first[1])
    assert set(first.unique().tolist()) == {0.0, 2.0}


@pytest.mark.parametrize(("config", "name"), [(BiGANConfig, "hidden"), (BiGRANConfig, "group_size")])
def test_sizes_that_cannot_be_built_are_refused(config, name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        config(**{name: 0})
