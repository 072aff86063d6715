"""DRAW-GAN's networks: what is drawn anew from latents, and whom gradients reach."""

import pytest
import torch

from pentimento.models.recurrent.draw_gan import DRAWGAN, DRAWGANConfig

CONFIG = DRAWGANConfig(
    image_size=9, step_count=3, step_latents=2, hidden=8, read_points=3, write_points=3, scorer_hidden=6
)


@pytest.fixture(params=[True, False], ids=["attention", "plain"])
def model(request):
    torch.manual_seed(0)
    values = {name: getattr(CONFIG, name) for name in CONFIG.__dataclass_fields__}
    model = DRAWGAN(DRAWGANConfig(**{**values, "attention": request.param})).train()
    with torch.no_grad():
        for parameter in model.parameters():  # what starts at zero would hide
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return model


@pytest.fixture
def image():
    return torch.rand(4, 1, 9, 9, generator=torch.Generator().manual_seed(1))


def test_a_reconstruction_drawn_anew_is_the_reconstruction(model, image):
    latent, _, canvas = model.draw.look_and_draw(image, torch.randn(4, 6))
    noise = torch.randn(4, 6)
    redrawn, drawn = model.redraw_and_draw(latent, noise)
    assert torch.allclose(redrawn, torch.sigmoid(canvas), atol=1e-6)
    assert torch.allclose(drawn, model.draw.canvases(noise)[:, -1], atol=1e-6)


def test_every_weight_of_the_draw_belongs_to_encoder_or_decoder(model):
    encoder, decoder = list(model.encoder_parameters()), list(model.decoder_parameters())
    assert {id(weight) for weight in encoder + decoder} == {id(weight) for weight in model.draw.parameters()}
    assert len(encoder) + len(decoder) == len(list(model.draw.parameters()))


def test_the_features_are_those_that_the_score_is_made_of(model, image):
    scorer = model.discriminator
    features = scorer.features(image)
    assert features.shape == (4, 32 * 3 * 3)
    hidden = torch.nn.functional.leaky_relu(scorer.hidden(features), 0.2)
    assert torch.equal(scorer(image), scorer.out(hidden).squeeze(1))


def test_a_score_is_of_its_picture_alone(model, image):
    together = model.discriminator(image)
    alone = torch.cat([model.discriminator(each) for each in image.split(1)])
    assert torch.allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"scorer_widths": (8,)}, r"scorer_widths must be two numbers of at least 1, got \(8,\)"),
        ({"scorer_hidden": 0}, "scorer_hidden must be at least 1, got 0"),
        ({"hidden": 0}, "hidden must be at least 1, got 0"),
    ],
)
def test_sizes_that_cannot_be_built_are_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        DRAWGANConfig(**values)
