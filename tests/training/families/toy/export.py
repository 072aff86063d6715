"""From a checkpoint to what its bundle is."""

__all__ = ["draft", "load"]

import torch

from pentimento.bundle.manifest import Drawing, ImageSpec, NoiseSpec, Phase, Steps
from pentimento.training.export.bundle import Draft
from pentimento.training.export.graphs import EXAMPLE_ROWS, GraphModule
from pentimento.training.export.trained import load_trained
from tests.training.families.toy.config import FadingConfig
from tests.training.families.toy.iteration import Fading
from tests.training.families.toy.judge import error


def load(path, device):
    """A checkpoint's averaged model, in inference mode."""

    def build(config, players):
        model = Fading(config.image_shape)
        model.load_state_dict(players["average"])
        return model.to(device).eval()

    return load_trained(path, device, FadingConfig, build)


def draft(trained, dataset, classifier, rows):
    """What the bundle is: its graphs, how a drawing runs, its figures. The export does the rest."""
    model, (channels, height, width) = trained.networks.cpu(), trained.config.image_shape
    step = GraphModule(
        module=model,
        inputs={
            "t": torch.zeros(EXAMPLE_ROWS, dtype=torch.int64),
            "latent": torch.zeros(EXAMPLE_ROWS, channels, height, width),
        },
        outputs=("canvas",),
    )
    return Draft(
        family="fading",
        summary="The mean digit, in noise that fades from step to step.",
        image=ImageSpec(channels=channels, height=height, width=width),
        graphs={"step": step},
        images=dataset.test.images[:64].astype("float32") / 255,
        drawing=Drawing(
            phases=(Phase(graph="step", calls="steps", shows=True),),
            steps=Steps(default=4, min=1, max=16, trained=4),
            noise=(NoiseSpec(name="latent", shape=trained.config.image_shape),),
        ),
        judge=lambda: {"error": error(model, dataset)},
    )
