"""What a configuration of a generator that draws in one step refuses, and the sides of its maps."""

import pytest

from pentimento.models.adversarial.architectures import OneShotConfig
from pentimento.models.adversarial.config import map_sides


@pytest.mark.parametrize(
    ("size", "sides"), [(28, (4, 7, 14, 28)), (32, (4, 8, 16, 32)), (64, (4, 8, 16, 32, 64))]
)
def test_sides_double_and_end_at_the_images(size, sides):
    assert map_sides(size) == sides


REFUSED = [
    ({"architecture": "biggan"}, "architecture must be dcgan, .* or resnet101, got 'biggan'"),
    ({"image_size": 30}, "image_size of dcgan must be 28, 32 or 64, got 30"),
    ({"architecture": "wgan_gp", "image_size": 64}, "image_size of wgan_gp must be 28 or 32, got 64"),
    ({"channels": 2}, "channels must be 1 or 3, got 2"),
    ({"latent_dim": 0}, "latent_dim must be at least 1, got 0"),
    ({"width": 0}, "width must be at least 1, got 0"),
    ({"architecture": "resnet101", "width": 6}, "width of resnet101 must be a multiple of 4, got 6"),
    ({"architecture": "resnet101", "image_size": 64, "blocks": 3}, "blocks must be at least 4, got 3"),
    ({"conditioning": "both"}, "conditioning must be none, concat or classifier, got 'both'"),
    ({"class_count": 10}, "class_count without conditioning must be 0, got 10"),
    ({"conditioning": "concat"}, "class_count with conditioning concat must be at least 2, got 0"),
    ({"conditioning": "classifier", "class_count": 1}, "must be at least 2, got 1"),
    ({"scorer_norm": "instance"}, "scorer_norm must be none, batch or layer, got 'instance'"),
    ({"architecture": "no_normalisation", "scorer_norm": "layer"}, "must be none, got 'layer'"),
    ({"minibatch_kernels": -1}, "minibatch_kernels must be at least 0, got -1"),
    ({"group_size": -1}, "group_size must be at least 0, got -1"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED, ids=[str(options) for options, _ in REFUSED])
def test_what_cannot_be_built_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        OneShotConfig(**options)
