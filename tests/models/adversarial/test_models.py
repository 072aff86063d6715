"""What every generator that draws in one step, and every scorer of its images, must do."""

import pytest
import torch
from torch import nn

from pentimento.models.adversarial.architectures import ARCHITECTURES, OneShotConfig, build_one_shot
from pentimento.models.adversarial.conditioning import ConditionalBatchNorm2d
from pentimento.models.adversarial.config import ARCHITECTURE_NAMES

K = 4
BLOCKS = 5
NORMS = [
    (name, norm)
    for name in ARCHITECTURE_NAMES
    for norm in ("none", "layer", "batch")
    if name != "no_normalisation" or norm == "none"
]
SMOOTH = [(name, norm) for name, norm in NORMS if norm != "batch"]
CONDITIONINGS = ("none", "concat", "classifier")


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def config_of(name, **options):
    class_count = 0 if options.get("conditioning", "none") == "none" else K
    # The largest maps of resnet101 have but half as many features, and of two both may be rectified.
    width = 16 if name == "resnet101" else 4
    sizes = {"width": width, "latent_dim": 6, "blocks": BLOCKS, "class_count": class_count}
    return OneShotConfig(architecture=name, **sizes | options)


def moved(network):
    """The network in double precision, its parameters off the values that hide mistakes, such as 0 and 1."""
    network = network.double()
    with torch.no_grad():
        for parameter in network.parameters():
            scale = 0.3 if parameter.dim() == 1 else parameter.std().clamp(min=0.05)
            parameter.add_(scale * torch.randn_like(parameter))
    return network


def inputs_of(config, rows=6):
    latent = torch.randn(rows, config.latent_dim, dtype=torch.float64)
    image = torch.rand(rows, config.channels, config.image_size, config.image_size, dtype=torch.float64)
    label = torch.arange(rows) % K if config.class_count else None
    return latent, image, label, label if config.conditioning == "concat" else None


def players_of(config):
    """Moved players in inference mode, with statistics of the generator's own maps."""
    generator, scorer = build_one_shot(config)
    generator, scorer = moved(generator), moved(scorer)
    latent, image, label, told = inputs_of(config, rows=16)
    for _ in range(5):
        generator(latent, label)
        scorer(image, told)
    return generator.eval(), scorer.eval()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("name", "size"),
    [
        (name, size)
        for name in ARCHITECTURE_NAMES
        for size in (28, 32, 64)
        if (name, size) != ("wgan_gp", 64)  # refused
    ],
)
def test_draws_and_judges_images_of_every_size(name, size, channels):
    generator, scorer = build_one_shot(config_of(name, image_size=size, channels=channels))
    assert generator.image_shape == (channels, size, size)
    assert (generator.latent_dim, generator.class_count, scorer.class_count) == (6, 0, 0)
    image = generator(10 * generator.latents(3, torch.device("cpu")))
    assert image.shape == (3, channels, size, size)
    assert image.min() >= 0 and image.max() <= 1
    assert image.flatten(1).std(dim=0).max() > 0  # of different latents
    judgement = scorer(image)
    assert judgement.score.shape == (3,)
    assert judgement.features.shape[0] == 3 and judgement.features.dim() == 2
    assert judgement.class_logits is None


@pytest.mark.parametrize("conditioning", CONDITIONINGS)
@pytest.mark.parametrize("name", ARCHITECTURE_NAMES)
def test_gradients_reach_every_parameter(name, conditioning):
    config = config_of(name, conditioning=conditioning, minibatch_kernels=3)
    players = nn.ModuleList(build_one_shot(config))
    latent, _, label, told = inputs_of(config, rows=8)
    generator, scorer = moved(players)
    # Normalised by the batch, a shift before the normalisation has no effect; by running statistics it has.
    for training in (True, False):
        players.train(training).zero_grad()
        judgement = scorer(generator(latent, label), told)
        loss = (judgement.score * torch.randn(8)).sum()
        if judgement.class_logits is not None:
            loss = loss + nn.functional.cross_entropy(judgement.class_logits, label)
        loss.backward()
        for path, parameter in players.named_parameters():
            assert parameter.grad is not None, path
            assert torch.isfinite(parameter.grad).all(), path
            assert training or parameter.grad.abs().sum() > 0, path


@pytest.mark.parametrize(
    ("name", "norm", "conditioning"),
    [(*pair, "none") for pair in NORMS]
    + [(name, "none", conditioning) for name in ARCHITECTURE_NAMES for conditioning in CONDITIONINGS[1:]],
)
def test_rows_do_not_depend_on_their_batch_mates(name, norm, conditioning):
    config = config_of(name, scorer_norm=norm, conditioning=conditioning)
    generator, scorer = players_of(config)
    scorer.train(norm != "batch")  # the others do not depend on the mode
    latent, image, label, told = inputs_of(config, rows=3)
    drawn, judged = generator(latent, label), scorer(image, told)
    for row in range(len(latent)):
        one = slice(row, row + 1)
        drawn_alone = generator(latent[one], None if label is None else label[one])
        judged_alone = scorer(image[one], None if told is None else told[one])
        torch.testing.assert_close(drawn_alone, drawn[one], rtol=1e-7, atol=0)
        torch.testing.assert_close(judged_alone.score, judged.score[one], rtol=1e-7, atol=0)
        torch.testing.assert_close(judged_alone.features, judged.features[one], rtol=1e-7, atol=1e-12)
        if judged.class_logits is not None:
            torch.testing.assert_close(judged_alone.class_logits, judged.class_logits[one], rtol=1e-7, atol=0)


@pytest.mark.parametrize("options", [{"scorer_norm": "batch"}, {"minibatch_kernels": 3}], ids=str)
@pytest.mark.parametrize("name", ["dcgan", "wgan_gp", "resnet", "gated", "resnet101"])
def test_scores_depend_on_the_batch_where_they_are_said_to(name, options):
    config = config_of(name, **options)
    _, scorer = players_of(config)
    scorer.train()
    _, image, _, _ = inputs_of(config)
    if config.minibatch_kernels:
        with torch.no_grad():  # so that no image is too far from the others to count
            scorer.head.minibatch.weight.div_(5 * scorer(image).features.abs().max())
    assert not torch.allclose(scorer(image[:3]).score, scorer(image).score[:3], rtol=1e-4)


@pytest.mark.parametrize("conditioning", ["concat", "classifier"])
@pytest.mark.parametrize("name", ARCHITECTURE_NAMES)
def test_the_label_changes_the_drawing(name, conditioning):
    config = config_of(name, conditioning=conditioning)
    generator, scorer = players_of(config)
    latent = torch.randn(1, 6, dtype=torch.float64).expand(K, -1)
    images = generator(latent, torch.arange(K))
    torch.testing.assert_close(generator(latent, torch.zeros(K, dtype=torch.int64))[-1], images[0])
    distances = torch.cdist(images.flatten(1)[None], images.flatten(1)[None])[0] + torch.eye(K)
    assert distances.min() > 1e-4
    image = images[:1].expand(K, -1, -1, -1)
    if conditioning == "concat":
        judgement = scorer(image, torch.arange(K))
        assert judgement.class_logits is None
        assert torch.pdist(judgement.score[:, None]).min() > 1e-6
    else:
        judgement = scorer(image)
        assert judgement.class_logits.shape == (K, K)
        assert torch.pdist(judgement.class_logits[0, :, None]).min() > 1e-6


@pytest.mark.parametrize("name", ARCHITECTURE_NAMES)
def test_a_label_comes_by_the_normalisation_or_next_to_the_latent(name):
    generator, _ = build_one_shot(config_of(name, conditioning="classifier"))
    told = [m for m in generator.modules() if isinstance(m, ConditionalBatchNorm2d) and m.class_count == K]
    unnormalised = {"wgan_gp", "constant_filters", "mlp_generator", "no_normalisation"}
    assert bool(told) == (name not in unnormalised)
    first = next(module for module in generator.modules() if isinstance(module, nn.Linear))
    assert first.in_features == (6 + K if name in unnormalised else 6)


@pytest.mark.parametrize("name", ARCHITECTURE_NAMES)
def test_missing_and_unwanted_labels_are_refused(name):
    config = config_of(name, conditioning="concat")
    generator, scorer = (player.double() for player in build_one_shot(config))
    latent, image, label, _ = inputs_of(config)
    for player, given in ((generator, latent), (scorer, image)):
        with pytest.raises(ValueError, match="needs the label of each image, out of 4"):
            player(given)
    generator, scorer = (player.double() for player in build_one_shot(config_of(name)))
    for player, given in ((generator, latent), (scorer, image)):
        with pytest.raises(ValueError, match="is not told labels"):
            player(given, label)


def penalty(scorer, image, told):
    """Of the slopes' distance from 1, as a gradient penalty has it."""
    image = image.detach().requires_grad_()
    (slope,) = torch.autograd.grad(scorer(image, told).score.sum(), image, create_graph=True)
    return ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()


@pytest.mark.parametrize("conditioning", CONDITIONINGS)
@pytest.mark.parametrize(("name", "norm"), SMOOTH)
def test_the_gradient_of_a_gradient_penalty_is_right(name, norm, conditioning):
    config = config_of(name, scorer_norm=norm, conditioning=conditioning)
    scorer = moved(build_one_shot(config)[1])
    _, image, _, told = inputs_of(config, rows=3)
    parameters = list(scorer.parameters())
    gradients = torch.autograd.grad(penalty(scorer, image, told), parameters, allow_unused=True)
    direction = [torch.randn_like(parameter) * parameter.std(correction=0) for parameter in parameters]
    expected = 0.0
    for gradient, along in zip(gradients, direction, strict=True):
        if gradient is not None:  # the bias of the score, and the classes' layer, do not change a slope
            assert torch.isfinite(gradient).all()
            expected += (gradient * along).sum().item()
    values = []
    step = 1e-7
    for offset in (step, -2 * step):
        with torch.no_grad():
            for parameter, along in zip(parameters, direction, strict=True):
                parameter.add_(offset * along)
        values.append(penalty(scorer, image, told).item())
    assert expected != 0
    assert (values[0] - values[1]) / (2 * step) == pytest.approx(expected, rel=1e-3)


def test_the_registry_holds_what_the_configuration_allows():
    assert tuple(ARCHITECTURES) == ARCHITECTURE_NAMES


def test_weights_come_from_the_seed_alone():
    def weights(seed):
        return torch.cat(
            [p.flatten() for net in build_one_shot(config_of("dcgan"), seed) for p in net.parameters()]
        )

    state = torch.get_rng_state()
    first = weights(1)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)
    assert torch.equal(weights(1), first)
    assert not torch.equal(weights(2), first)
