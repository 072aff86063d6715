"""Named trainings by maximum likelihood. Each docstring holds the command and what it measured."""

__all__ = ["LIKELIHOOD_RECIPES"]

from collections.abc import Callable
from dataclasses import replace

from pentimento.models.latent.pixelvae import PixelVAEConfig
from pentimento.models.latent.pixelvae_two_level import PixelVAETwoLevelConfig
from pentimento.models.latent.vae import VAEConfig
from pentimento.models.pixels.gated_pixelcnn import GatedPixelCNNConfig
from pentimento.models.pixels.pixelcnn import PixelCNNConfig
from pentimento.models.recurrent.draw import DRAWConfig
from pentimento.training.families.likelihood.config import LikelihoodConfig


def pixelcnn_mnist() -> LikelihoodConfig:
    """Gated PixelCNN on binary MNIST.

    `pentimento train pixelcnn-mnist`

    As wide and as long as `pixelvae-mnist`. Measured with 24 features and four epochs, on one CPU core in
    bfloat16: 34 minutes, the core shared with other work; 84.2 nats on the first 2,000 test images,
    dynamically binarised.
    """
    model = GatedPixelCNNConfig(features=32, layers=6, place_bias=True)
    return LikelihoodConfig(recipe="pixelcnn-mnist", model=model, dataset="mnist", epochs=8, rate=2e-3)


def pixelcnn_plain_mnist() -> LikelihoodConfig:
    """PixelCNN with one stack on binary MNIST, six blocks of the paper's width: the older, with a blind spot.

    `pentimento train pixelcnn-plain-mnist`

    Not measured.
    """
    model = PixelCNNConfig(features=32, blocks=6)
    return replace(pixelcnn_mnist(), recipe="pixelcnn-plain-mnist", model=model)


def pixelcnn_mnist_classes() -> LikelihoodConfig:
    """Gated PixelCNN on binary MNIST that is told the class, and draws the digit that is asked for.

    `pentimento train pixelcnn-mnist-classes`

    Not measured.
    """
    model = GatedPixelCNNConfig(features=24, layers=6, place_bias=True, condition_dim=10)
    return replace(pixelcnn_mnist(), recipe="pixelcnn-mnist-classes", model=model)


def pixelvae_mnist() -> LikelihoodConfig:
    """PixelVAE without upsampling on binary MNIST: sixteen latents are a bias of every gate.

    `pentimento train pixelvae-mnist`

    Measured on one CPU core in bfloat16: 100 minutes, the core shared with other work; 10,000 test images: a
    bound of 81.1 nats, dynamically binarised, of which the KL is 7.2. Without free nats the KL fell to 1.3.
    """
    return LikelihoodConfig(
        recipe="pixelvae-mnist",
        model=PixelVAEConfig(latent_dim=16, features=32, layers=6, place_bias=True),
        dataset="mnist",
        epochs=8,
        kl_warm_share=0.25,
        free_nats=7.0,
    )


def pixelvae_plain_mnist() -> LikelihoodConfig:
    """PixelVAE without gates on binary MNIST: the paper's first, a decoder's maps for plain pixel layers.

    `pentimento train pixelvae-plain-mnist`

    Not measured.
    """
    model = PixelVAEConfig(latent_dim=16, features=32, layers=6, upsampling=True, gated=False)
    return replace(pixelvae_mnist(), recipe="pixelvae-plain-mnist", model=model)


def pixelvae2d_mnist() -> LikelihoodConfig:
    """PixelVAE on binary MNIST with two latents: they must place the strokes, one pixel layer draws the rest.

    `pentimento train pixelvae2d-mnist`

    With upsampling, because a latent that only biases the gates of three layers stored no class at all (a
    5-nearest-neighbour error of 73 %), and with one pixel layer, because with two the error was 22 %.

    Measured on one CPU core in bfloat16: 15 minutes, the core shared with other work; 10,000 test images: a
    bound of 87.1 nats, dynamically binarised, of which the KL is 5.0; five nearest neighbours in the plane of
    posterior means err on 12.7 %.
    """
    return LikelihoodConfig(
        recipe="pixelvae2d-mnist",
        model=PixelVAEConfig(latent_dim=2, features=16, layers=1, first_kernel=5, upsampling=True),
        dataset="mnist",
        epochs=6,
        kl_warm_share=0.3,
        free_nats=5.0,
    )


def vae2d_mnist() -> LikelihoodConfig:
    """Convolutional VAE on binary MNIST with two latents, which pixelvae2d-mnist is compared with.

    `pentimento train vae2d-mnist`

    Measured on one CPU core in bfloat16: 9 minutes, the core shared with other work; 10,000 test images: a
    bound of 138.6 nats, KL 6.8, error of five nearest neighbours 20.5 %.
    """
    model = VAEConfig(latent_dim=2, widths=(16, 32))
    return LikelihoodConfig(recipe="vae2d-mnist", model=model, dataset="mnist", epochs=12, rate=2e-3)


def vae_mnist() -> LikelihoodConfig:
    """Convolutional VAE on binary MNIST with sixteen latents.

    `pentimento train vae-mnist`

    Measured on one CPU core in bfloat16: 9 minutes, the core shared with other work; 10,000 test images: a
    bound of 95.1 nats, KL 24.1, error of five nearest neighbours 3.3 %.
    """
    model = VAEConfig(latent_dim=16, widths=(16, 32))
    return LikelihoodConfig(recipe="vae-mnist", model=model, dataset="mnist", epochs=10, rate=2e-3)


def pixelvae2level_mnist() -> LikelihoodConfig:
    """PixelVAE with two latent levels on binary MNIST: a vector, maps of 7x7, pixels.

    `pentimento train pixelvae2level-mnist`

    Measured on one CPU core in bfloat16: 38 minutes, the core shared with other work; 10,000 test images: a
    bound of 84.3 nats, dynamically binarised, of which the KL is 5.0 for the vector and 13.1 for the maps.
    """
    model = PixelVAETwoLevelConfig()
    return LikelihoodConfig(
        recipe="pixelvae2level-mnist",
        model=model,
        dataset="mnist",
        epochs=5,
        kl_warm_share=0.3,
        free_nats=4.0,
    )


def draw_mnist() -> LikelihoodConfig:
    """DRAW on binary MNIST: looks at the digit and draws it through a small moving window, in twelve steps.

    `pentimento train draw-mnist`

    Measured on one CPU core in float32, shared with a little other work: 59 minutes, 0.24 seconds an
    iteration; 10,000 test images: a bound of 88.5 nats, dynamically binarised, of which the KL is 25.2; with
    fifty latents 86.1 on 500 random images, whose bound with one is 89.4. With LSTMs of 176, twelve latents
    and sixteen steps it was 93.0 after thirty epochs.
    """
    return LikelihoodConfig(
        recipe="draw-mnist",
        model=DRAWConfig(step_count=12, step_latents=16, hidden=256),
        dataset="mnist",
        epochs=25,
        batch_rows=100,
        rate=2e-3,
        kl_warm_share=0.0,
        gradient_limit=10.0,
        average_decay=0.999,
        sheet_iterations=600,
    )


def draw_plain_mnist() -> LikelihoodConfig:
    """DRAW without attention on binary MNIST: reads and writes the whole picture at each of twelve steps.

    `pentimento train draw-plain-mnist`

    Measured on one CPU core in float32, the other busy: 38 minutes, 0.16 seconds an iteration; 10,000 test
    images: a bound of 89.6 nats, dynamically binarised, of which the KL is 24.2; with fifty latents 87.6 on
    500 random images, whose bound with one is 90.8.
    """
    model = DRAWConfig(step_count=12, step_latents=16, hidden=208, attention=False)
    return replace(draw_mnist(), recipe="draw-plain-mnist", model=model, epochs=20)


LIKELIHOOD_RECIPES: dict[str, Callable[[], LikelihoodConfig]] = {
    build().recipe: build
    for build in (
        pixelcnn_mnist,
        pixelcnn_plain_mnist,
        pixelcnn_mnist_classes,
        pixelvae_mnist,
        pixelvae_plain_mnist,
        pixelvae2d_mnist,
        vae2d_mnist,
        vae_mnist,
        pixelvae2level_mnist,
        draw_mnist,
        draw_plain_mnist,
    )
}
