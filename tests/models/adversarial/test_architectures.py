"""The layers of each paper's nets; those without residual blocks against direct computations."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pentimento.models.adversarial.architectures import OneShotConfig, build_one_shot
from pentimento.models.adversarial.dcgan import ACTIVATIONS, dcgan_widths
from pentimento.models.adversarial.wgan_gp import init_scaled


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def players(name, **options):
    return build_one_shot(OneShotConfig(architecture=name, **{"width": 4, "latent_dim": 6} | options))


def matrices(network):
    """Shapes of all weights of convolutions and linear layers, in order."""
    kinds = nn.Conv2d | nn.ConvTranspose2d | nn.Linear
    return [tuple(m.weight.shape) for m in network.modules() if isinstance(m, kinds)]


def widths_before_output(generator):
    return [deconv.in_channels for deconv in generator.deconvs]


def test_the_layers_of_dcgan_at_64_pixels():
    assert dcgan_widths(OneShotConfig(image_size=64, width=128)) == (1024, 512, 256, 128)
    sizes = {"image_size": 64, "channels": 3, "width": 2, "latent_dim": 100}
    generator, scorer = players("dcgan", **sizes, scorer_norm="batch")
    deconvs = [(16, 8, 5, 5), (8, 4, 5, 5), (4, 2, 5, 5), (2, 3, 5, 5)]
    assert matrices(generator) == [(16 * 4 * 4, 100), *deconvs]
    assert [norm.norm.num_features for norm in generator.norms] == [16, 8, 4, 2]
    convs = [(2, 3, 5, 5), (4, 2, 5, 5), (8, 4, 5, 5), (16, 8, 5, 5)]
    assert matrices(scorer) == [(1, 16 * 4 * 4), *convs]
    assert [type(norm) for norm in scorer.norms] == [nn.Identity, *[nn.BatchNorm2d] * 3]


def starting_scale(name, module):
    """The scale that the authors of WGAN-GP start a layer from."""
    fresh = copy.deepcopy(module)
    init_scaled(fresh, rectified="shortcut" not in name)
    return fresh.weight.std().item()


@pytest.mark.parametrize(
    ("name", "narrow"),
    [
        ("dcgan", (True, True)),
        ("tanh", (True, True)),
        ("no_normalisation", (True, True)),
        ("constant_filters", (False, True)),
        ("gated", (False, False)),
        ("wgan_gp", (False, False)),
        ("resnet", (False, False)),
        ("resnet101", (False, False)),
    ],
)
def test_players_start_as_the_authors_do(name, narrow):
    for player, is_narrow in zip(players(name, width=32, blocks=4), narrow, strict=True):
        large = 0
        for path, module in player.named_modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                assert module.bias is None or not module.bias.any()
                if module.weight.numel() > 1000:
                    large += 1
                    std = 0.02 if is_narrow else starting_scale(path, module)
                    assert module.weight.std().item() == pytest.approx(std, rel=0.1), path
                    # A uniform distribution ends at 1.73 standard deviations.
                    assert (module.weight.abs().max() > 2 * std) == is_narrow, path
        assert large > 1


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("dcgan", 1),  # two convolutions, the first without
        ("wgan_gp", 2),  # three, the first without
        ("resnet", 6),  # four blocks, the first without
        ("constant_filters", 1),
        ("mlp_generator", 1),
        ("gated", 1),
        ("tanh", 1),
        ("resnet101", 4),  # blocks
    ],
)
def test_scorers_are_normalised_as_asked(name, count):
    for norm, kind in (("batch", nn.BatchNorm2d), ("layer", nn.GroupNorm), ("none", None)):
        _, scorer = players(name, scorer_norm=norm, blocks=4)
        found = [type(m) for m in scorer.modules() if isinstance(m, nn.BatchNorm2d | nn.GroupNorm)]
        assert found == ([] if kind is None else [kind] * count)


def test_dcgan_is_what_its_docstring_says():
    generator, scorer = players("dcgan", scorer_norm="batch")
    latent = torch.randn(5, 6)
    x = generator.linear(latent).reshape(5, 8, 7, 7)
    for norm, deconv in zip(generator.norms, generator.deconvs, strict=True):
        x = F.batch_norm(x, None, None, norm.norm.weight, norm.norm.bias, training=True)
        x = F.conv_transpose2d(x.relu(), deconv.weight, deconv.bias, stride=2, padding=2, output_padding=1)
    image = (torch.tanh(x) + 1) / 2
    torch.testing.assert_close(generator(latent), image)
    x = F.conv2d(2 * image - 1, scorer.convs[0].weight, scorer.convs[0].bias, stride=2, padding=2)
    x = F.conv2d(F.leaky_relu(x, 0.2), scorer.convs[1].weight, stride=2, padding=2)
    x = F.leaky_relu(F.batch_norm(x, None, None, training=True), 0.2).flatten(1)
    judgement = scorer(image)
    torch.testing.assert_close(judgement.features, x)
    torch.testing.assert_close(judgement.score, scorer.head.score(x)[:, 0])


def test_the_layers_of_the_authors_nets_for_mnist():
    generator, critic = players("wgan_gp", width=64, latent_dim=128)
    assert matrices(generator) == [
        (256 * 4 * 4, 128),
        (256, 128, 5, 5),
        (128, 64, 5, 5),
        (64, 1, 5, 5),
    ]
    assert matrices(critic) == [(1, 256 * 4 * 4), (64, 1, 5, 5), (128, 64, 5, 5), (256, 128, 5, 5)]
    assert not any(
        isinstance(m, nn.BatchNorm2d | nn.GroupNorm) for n in (generator, critic) for m in n.modules()
    )


def test_leaving_out_the_last_row_is_cropping():
    generator, critic = players("wgan_gp")
    latent = torch.randn(3, 6)
    x = generator.linear(latent).reshape(3, 16, 4, 4)
    for index, deconv in enumerate(generator.deconvs):
        x = F.conv_transpose2d(x.relu(), deconv.weight, deconv.bias, stride=2, padding=2, output_padding=1)
        if index == 0:
            assert x.shape[-1] == 8
            x = x[:, :, :7, :7]
    image = torch.sigmoid(x)
    torch.testing.assert_close(generator(latent), image)
    x = image  # in [0, 1]
    for conv in critic.convs:
        x = F.leaky_relu(F.conv2d(x, conv.weight, conv.bias, stride=2, padding=2), 0.2)
    torch.testing.assert_close(critic(image).features, x.flatten(1))


@pytest.mark.parametrize(
    ("layer", "variance"),
    [
        (nn.Linear(300, 100), 2 / 400),
        (nn.Conv2d(20, 40, 5), 4 / (25 * 60)),
        (nn.Conv2d(20, 40, 5, stride=2), 4 / (25 * (20 + 10))),
        (nn.ConvTranspose2d(20, 40, 5, stride=2), 4 / (25 * (5 + 40))),
    ],
    ids=["linear", "convolution", "stride", "transposed"],
)
def test_the_authors_scale_of_weights(layer, variance):
    init_scaled(layer)
    assert layer.weight.var().item() == pytest.approx(variance, rel=0.05)
    assert layer.weight.abs().max().item() == pytest.approx((3 * variance) ** 0.5, rel=0.01)  # uniform
    assert not layer.bias.any()
    if not isinstance(layer, nn.Linear):
        init_scaled(layer, rectified=False)
        assert layer.weight.var().item() == pytest.approx(variance / 2, rel=0.05)


def test_constant_filters_has_as_many_everywhere_and_no_normalisation():
    generator, scorer = players("constant_filters", image_size=64, scorer_norm="layer")
    assert widths_before_output(generator) == [4, 4, 4, 4]
    assert not any(isinstance(module, nn.BatchNorm2d) for module in generator.modules())
    assert [conv.out_channels for conv in scorer.convs] == [4, 8, 16, 32]


def test_no_normalisation_has_none():
    for player in players("no_normalisation", image_size=64):
        assert not any(isinstance(m, nn.BatchNorm2d | nn.GroupNorm) for m in player.modules())
    assert widths_before_output(players("no_normalisation", image_size=64)[0]) == [32, 16, 8, 4]


def test_the_mlp_has_four_layers_of_512_at_the_papers_width():
    generator, _ = players("mlp_generator", width=64, channels=3, latent_dim=128)
    assert sorted(matrices(generator)) == [(512, 128), *[(512, 512)] * 3, (3 * 28 * 28, 512)]
    latent = torch.randn(2, 128)
    x = latent
    for layer in generator.layers:
        x = layer(x).clamp(min=0)
    expected = (torch.tanh(generator.output(x)) + 1) / 2
    torch.testing.assert_close(generator(latent), expected.reshape(2, 3, 28, 28))


def test_gates_are_everywhere_and_take_twice_the_features():
    x = torch.randn(2, 6, 3, 3)
    torch.testing.assert_close(ACTIVATIONS["gated"](x), torch.sigmoid(x[:, :3]) * torch.tanh(x[:, 3:]))
    generator, scorer = players("gated", scorer_norm="layer")
    plain, plain_scorer = players("dcgan", scorer_norm="layer")
    assert widths_before_output(generator) == widths_before_output(plain)
    assert [norm.norm.num_features for norm in generator.norms] == [16, 8]
    assert [conv.out_channels for conv in scorer.convs] == [8, 16]
    assert scorer.head.score.in_features == plain_scorer.head.score.in_features
    assert scorer.activation is generator.activation is ACTIVATIONS["gated"]


def test_tanh_is_everywhere():
    for player in players("tanh"):
        assert player.activation(torch.tensor(0.7)) == torch.tanh(torch.tensor(0.7))
