"""Generators that draw in one step, and scorers, as ONNX graphs: alike in torch and in ONNX Runtime."""

import pytest
import torch

from pentimento.models.adversarial.architectures import OneShotConfig, build_one_shot
from pentimento.training.export.graphs import Function, GraphModule, export_graph
from pentimento.training.export.parity import Session

K = 4
GENERATORS = {
    "label in normalisation": {"architecture": "dcgan", "conditioning": "classifier", "channels": 3},
    "label by latent": {"architecture": "wgan_gp", "conditioning": "concat"},
    "upsampling": {"architecture": "resnet"},
    "pixel shuffle": {"architecture": "resnet101", "blocks": 3, "width": 8},
}
SCORERS = {
    "classes": {
        "architecture": "gated",
        "conditioning": "classifier",
        "scorer_norm": "batch",
        "channels": 3,
    },
    "label by image": {"architecture": "wgan_gp", "conditioning": "concat"},
    "layer normalisation": {"architecture": "resnet", "scorer_norm": "layer"},
}


def trained(options):
    """Players whose normalisations have seen something, so that no part is the identity."""
    torch.manual_seed(0)
    class_count = K if "conditioning" in options else 0
    config = OneShotConfig(**{"width": 4, "latent_dim": 6, "class_count": class_count} | options)
    generator, scorer = build_one_shot(config)
    with torch.no_grad():
        for parameter in [*generator.parameters(), *scorer.parameters()]:
            parameter.add_(0.1 * torch.randn_like(parameter))
        for _ in range(10):
            label = torch.randint(K, (16,)) if class_count else None
            image = generator(torch.randn(16, 6), label)
            scorer(image, label if config.conditioning == "concat" else None)
    return config, generator.eval(), scorer.eval()


def check(source, feeds):
    """Runs a graph on five rows and on each alone, in ONNX Runtime, and compares with torch."""
    session = Session(export_graph(source).data)
    arrays = {name: value.numpy() for name, value in feeds.items()}
    together = session.run(arrays)
    for name, expected in source.run(feeds).items():
        value = torch.from_numpy(together[name])
        torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-4)
        assert expected.std(dim=0).max() > 1e-3, name  # else nothing was compared
        for row in range(5):
            alone = session.run({name: array[row : row + 1] for name, array in arrays.items()})
            torch.testing.assert_close(torch.from_numpy(alone[name])[0], value[row], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("options", GENERATORS.values(), ids=GENERATORS)
def test_a_generator_is_exported(options):
    config, generator, _ = trained(options)
    feeds = {"latent": torch.randn(5, 6)}
    if config.class_count:
        feeds["label"] = torch.arange(5) % K
    source = GraphModule(
        module=generator, inputs={name: value[:2] for name, value in feeds.items()}, outputs=("canvas",)
    )
    check(source, feeds)


@pytest.mark.parametrize("options", SCORERS.values(), ids=SCORERS)
def test_a_scorer_is_exported(options):
    config, generator, scorer = trained(options)
    feeds = {"image": torch.rand(5, *generator.image_shape)}
    if config.conditioning == "concat":
        feeds["label"] = torch.arange(5) % K
    classifies = config.conditioning == "classifier"

    def judge(*tensors):
        judgement = scorer(*tensors)
        return (judgement.score, judgement.class_logits) if classifies else (judgement.score,)

    source = GraphModule(
        module=Function(scorer, judge),
        inputs={name: value[:2] for name, value in feeds.items()},
        outputs=("logit", "class_logits") if classifies else ("logit",),
    )
    check(source, feeds)
