"""The residual nets, of CIFAR-10 and of 101 layers: their blocks, and how many there are."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pentimento.models.adversarial.architectures import OneShotConfig, build_one_shot
from pentimento.models.adversarial.conditioning import scorer_norm
from pentimento.models.adversarial.hard_gans import Bottleneck
from pentimento.models.adversarial.resnet_gan import CriticBlock, UpBlock


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def players(name, **options):
    return build_one_shot(OneShotConfig(architecture=name, **{"width": 4, "latent_dim": 6} | options))


@pytest.mark.parametrize(("size", "halvings", "doublings"), [(28, 2, 3), (32, 2, 3), (64, 3, 4)])
def test_the_blocks_of_the_residual_nets(size, halvings, doublings):
    generator, critic = players("resnet", image_size=size, channels=3)
    assert len(generator.blocks) == doublings
    assert [block.down for block in critic.blocks] == [True] * halvings + [False, False]
    assert [block.first for block in critic.blocks] == [True] + [False] * (halvings + 1)
    assert critic.head.score.in_features == 4


@pytest.mark.parametrize("side", [7, 8])
def test_an_up_block_doubles_and_crops(side):
    block = UpBlock(3, side, 0)
    x = torch.randn(2, 3, 4, 4)

    def doubled(maps):
        return maps.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, :side, :side]

    y = block.conv1(doubled(block.norm1(x).relu()))
    y = block.conv2(block.norm2(y).relu())
    # The authors double before their shortcut's convolution.
    torch.testing.assert_close(block(x, None), F.conv2d(doubled(x), *block.shortcut.parameters()) + y)


@pytest.mark.parametrize(("down", "first"), [(True, True), (True, False), (False, False)])
def test_a_critics_block(down, first):
    block = CriticBlock(3, 3, "layer", down=down, first=first)
    x = torch.randn(2, 3, 6, 6)
    y = block.conv1(x if first else F.layer_norm(x, (3, 6, 6)).relu())
    y = block.conv2((y if first else F.layer_norm(y, (3, 6, 6))).relu())
    expected = x + y
    if down:
        expected = F.avg_pool2d(F.conv2d(x, *block.shortcut.parameters()) + y, 2)
    torch.testing.assert_close(block(x), expected)


def test_a_critic_averages_what_is_rectified():
    _, critic = players("resnet")
    image = torch.rand(2, 1, 28, 28)
    expected = critic.blocks(2 * image - 1).clamp(min=0).flatten(2).mean(2)
    torch.testing.assert_close(critic(image).features, expected)


def depth(network, call):
    """Convolutions and linear layers that a call runs one after the other, so without shortcuts."""
    ran = []
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear) and "shortcut" not in name:
            module.register_forward_hook(lambda *_, name=name: ran.append(name))
    call()
    assert len(set(ran)) == len(ran)
    return len(ran)


@pytest.mark.parametrize("size", [28, 32, 64])
def test_resnet101_has_101_layers(size):
    generator, scorer = players("resnet101", image_size=size)
    image = torch.rand(1, 1, size, size)
    assert depth(generator.eval(), lambda: generator(torch.randn(1, 6))) == 101
    assert depth(scorer, lambda: scorer(image)) == 101
    generator, scorer = players("resnet101", image_size=size, blocks=7)
    assert depth(generator.eval(), lambda: generator(torch.randn(1, 6))) == 3 * 7 + 2
    assert depth(scorer, lambda: scorer(image)) == 3 * 7 + 2


def test_resnet101_spends_its_blocks_as_the_authors_do():
    generator, scorer = players("resnet101", image_size=64)
    plain = {side: 0 for side in (4, 8, 16, 32, 64)}
    for block in generator.blocks:
        plain[block.side_after] += block.resample is None
    assert plain == {4: 6, 8: 6, 16: 6, 32: 6, 64: 5}
    up = [block.conv3.out_channels for block in generator.blocks if block.resample == "up"]
    assert up == [16, 8, 4, 2]  # of 4d, 2d, d, d/2
    down = [block.conv3.out_channels for block in scorer.blocks if block.resample == "down"]
    assert down == [4, 8, 16, 32]
    assert [b.resample for b in scorer.blocks] == [
        {"up": "down"}.get(b.resample) for b in reversed(generator.blocks)
    ]


def test_a_bottleneck_adds_three_tenths():
    block = Bottleneck(8, 8, scorer_norm("layer", 8), 5, 5)
    x = torch.randn(2, 8, 5, 5)
    y = F.conv2d(x.relu(), *block.conv1.parameters())
    y = F.conv2d(y.relu(), *block.conv2.parameters(), padding=1)
    y = F.conv2d(y.relu(), block.conv3.weight)
    torch.testing.assert_close(block(x), x + 0.3 * F.layer_norm(y, (8, 5, 5)))
    assert block.conv1.out_channels == 4


@pytest.mark.parametrize("after", [7, 8])
def test_a_bottleneck_doubles_and_crops(after):
    block = Bottleneck(8, 4, nn.Identity(), 4, after)
    x = torch.randn(2, 8, 4, 4)
    y = block.conv1(x.relu()).relu()
    y = F.conv_transpose2d(y, *block.conv2.parameters(), stride=2, padding=1, output_padding=1).relu()
    y = block.conv3(y)[:, :, :after, :after]
    wide = block.shortcut(x)  # (2, 16, 4, 4): four values for each place and feature
    shortcut = torch.empty(2, 4, 8, 8)
    for row in range(2):
        for column in range(2):
            shortcut[:, :, row::2, column::2] = wide[:, 2 * row + column :: 4]
    torch.testing.assert_close(block(x), shortcut[:, :, :after, :after] + 0.3 * y)


@pytest.mark.parametrize(("side", "after"), [(7, 4), (8, 4)])
def test_a_bottleneck_halves(side, after):
    block = Bottleneck(4, 8, nn.Identity(), side, after)
    x = torch.randn(2, 4, side, side)
    y = block.conv1(x.relu()).relu()
    y = block.conv3(F.conv2d(y, *block.conv2.parameters(), padding=1)[:, :, ::2, ::2].relu())
    torch.testing.assert_close(block(x), block.shortcut.eval()(x) + 0.3 * y)
    torch.testing.assert_close(block.shortcut(x), F.conv2d(x, *block.shortcut.parameters())[:, :, ::2, ::2])
    assert block(x).shape == (2, 8, after, after)


def test_resnet101_divides_its_outputs_by_five():
    generator, scorer = players("resnet101", blocks=3)
    generator.eval()
    latent = torch.randn(2, 6)
    x = generator.linear(latent).reshape(2, 16, 4, 4)
    for block in generator.blocks:
        x = block(x, None)
    image = (torch.tanh(generator.output(x) / 5) + 1) / 2
    torch.testing.assert_close(generator(latent), image)
    features = scorer.blocks(scorer.input(2 * image - 1)).flatten(1)
    torch.testing.assert_close(scorer(image).score, scorer.head.score(features)[:, 0] / 5)
