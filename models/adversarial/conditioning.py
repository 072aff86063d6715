"""How labels reach generator and scorer (the players), and the normalisations of both.

Two ways (`OneShotConfig.conditioning`): `concat` puts the label as a one-hot code next to the latent and as K
constant planes next to the image (cGAN, Mirza and Osindero, 2014, arXiv:1411.1784). `classifier` is AC-GAN
(Odena et al., 2016, arXiv:1610.09585): the scorer is not told the class but names it. The generator then gets
it by conditional batch normalisation (Dumoulin et al., 2016, arXiv:1610.07629; so in the ResNet of
WGAN-GP), or next to its latent if it is not normalised: that is a label embedding in its first layer.

What differs from the authors' code, and why: labels join at the input, not at every layer as in the
class-conditional script of DCGAN. Generators draw by running statistics, where WGAN-GP's code normalises by
the batch even then: an image must not depend on its batch mates.

Shapes: B batch, C channels, H = W image size, Z latent, K classes, F features.
"""

__all__ = ["ConditionalBatchNorm2d", "LabelledGenerator", "LabelledScorer", "scorer_norm", "with_one_hot"]

from abc import abstractmethod

import torch
from torch import Tensor, nn

from pentimento.models.adversarial.base import Judgement, OneShotGenerator, OneShotScorer
from pentimento.models.adversarial.config import OneShotConfig, ScorerNorm
from pentimento.models.adversarial.minibatch import ScorerHead


class ConditionalBatchNorm2d(nn.Module):
    """Batch normalisation with a scale and a shift per class; with K = 0 the usual one."""

    def __init__(self, features: int, class_count: int = 0) -> None:
        super().__init__()
        self.class_count = class_count
        self.norm = nn.BatchNorm2d(features, affine=not class_count)
        if class_count:
            self.weight = nn.Parameter(torch.ones(class_count, features))
            self.bias = nn.Parameter(torch.zeros(class_count, features))

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """Normalises x, shape (B, F, H, W); label is int64, shape (B,), or None if K is 0."""
        x = self.norm(x)
        if not self.class_count:
            return x
        assert label is not None
        weight, bias = (
            self.weight.index_select(0, label),
            self.bias.index_select(0, label),
        )  # (K, F) -> (B, F)
        return x * weight[:, :, None, None] + bias[:, :, None, None]


def scorer_norm(kind: ScorerNorm, features: int) -> nn.Module:
    """Makes a normalisation layer for the maps of a scorer.

    Layer normalisation is over (C, H, W), so no row depends on another. Its weights are one per channel,
    as in the code of WGAN-GP, and not one per element as in torch's.

    Args:
        kind: `none` gives the identity.
        features: Channels of the map.
    """
    if kind == "batch":
        return nn.BatchNorm2d(features)
    return nn.GroupNorm(1, features) if kind == "layer" else nn.Identity()


def with_one_hot(x: Tensor, label: Tensor | None, class_count: int) -> Tensor:
    """Puts one-hot labels next to x: (B, F, ...) -> (B, F + K, ...), constant along the other axes.

    Args:
        x: Shape (B, F) or (B, C, H, W).
        label: int64, shape (B,).
        class_count: K; if 0, x stays as it is.
    """
    if not class_count:
        return x
    assert label is not None
    # Compared rather than by F.one_hot, which looks at the values and so cannot be exported.
    one_hot = (label[:, None] == torch.arange(class_count, device=label.device)).to(x.dtype)  # (B, K)
    planes = one_hot.reshape(-1, class_count, *(1 for _ in x.shape[2:]))
    return torch.cat([x, planes.expand(-1, -1, *x.shape[2:])], dim=1)


def _check_label(label: Tensor | None, class_count: int, player: str) -> None:
    if label is None and class_count:
        raise ValueError(f"this {player} needs the label of each image, out of {class_count}; got none")
    if label is not None and not class_count:
        raise ValueError(f"this {player} is not told labels, but got some")


class LabelledGenerator(OneShotGenerator):
    """What generators share: sizes from the configuration, and where the label goes.

    Attributes:
        input_dim: Size of what `draw` takes: the latent, and the one-hot label if it comes that way.
        norm_classes: K of each `ConditionalBatchNorm2d`; 0 if the label comes otherwise.
    """

    def __init__(self, config: OneShotConfig, *, normalised: bool) -> None:
        super().__init__()
        self.latent_dim = config.latent_dim
        self.class_count = config.class_count
        self.image_shape = (config.channels, config.image_size, config.image_size)
        self.norm_classes = config.class_count if normalised and config.conditioning == "classifier" else 0
        self.input_dim = config.latent_dim + config.class_count - self.norm_classes

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """Draws images; see `OneShotGenerator.forward`."""
        _check_label(label, self.class_count, "generator")
        x = with_one_hot(latent, label, self.input_dim - self.latent_dim)
        return self.draw(x, label if self.norm_classes else None)

    @abstractmethod
    def draw(self, x: Tensor, label: Tensor | None) -> Tensor:
        """Draws images from the latent, with the one-hot label behind it if it comes that way.

        Args:
            x: Shape (B, input_dim).
            label: int64, shape (B,), for the normalisations; None if they take none.

        Returns:
            In [0, 1], shape (B, C, H, W).
        """


class LabelledScorer(OneShotScorer):
    """What scorers share: the label's planes, the scale of the image, and the last layers.

    Attributes:
        inputs: Planes of what `hidden` takes: channels, and the label's if the scorer is told it.
        signed: Whether `hidden` takes images in [-1, 1]; else they are in [0, 1].
    """

    signed = True

    def __init__(self, config: OneShotConfig, features: int) -> None:
        super().__init__()
        self.class_count = config.class_count
        self.told_classes = config.class_count if config.conditioning == "concat" else 0
        self.inputs = config.channels + self.told_classes
        self.head = ScorerHead(
            features,
            class_count=config.class_count - self.told_classes,
            minibatch_kernels=config.minibatch_kernels,
            group_size=config.group_size,
        )

    def forward(self, image: Tensor, label: Tensor | None = None) -> Judgement:
        """Scores images; see `OneShotScorer.forward`."""
        _check_label(label, self.told_classes, "scorer")
        x = 2 * image - 1 if self.signed else image
        return self.head(self.hidden(with_one_hot(x, label, self.told_classes)))

    @abstractmethod
    def hidden(self, x: Tensor) -> Tensor:
        """Computes the features of the last hidden layer: (B, inputs, H, W) -> (B, F)."""
