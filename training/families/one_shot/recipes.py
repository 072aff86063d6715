"""Named trainings of generators that draw in one step. Each docstring holds the command and what it measured.

An iteration is one update of the generator and, for a critic, five of the critic, each on a batch of its own.
"""

__all__ = ["ONE_SHOT_RECIPES"]

from collections.abc import Callable
from dataclasses import replace

from pentimento.models.adversarial.config import OneShotConfig
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.objectives import OBJECTIVES


def dcgan_mnist() -> OneShotTrainConfig:
    """DCGAN on MNIST: strided convolutions, batch normalisation in the generator.

    `pentimento train dcgan-mnist`

    The discriminator is not normalised, so that it judges each image by itself.

    Measured on one CPU core in float32, shared with other trainings: two hours, 0.15 seconds an update of the
    generator when the other core was idle. The 41st epoch was best. 10,000 drawings: KL(classes || data)
    0.010, rarest class 7.6 %, confidence 0.895. With fifteen epochs: 0.015, 7.2 %, 0.875.
    """
    return OneShotTrainConfig(
        recipe="dcgan-mnist",
        model=OneShotConfig(architecture="dcgan", width=32),
        objective="gan",
        dataset="mnist",
        epochs=45,
        batch_rows=128,
        **{**OBJECTIVES["gan"].settings, "real_label": 0.9},
    )


def lsgan_mnist() -> OneShotTrainConfig:
    """LSGAN on MNIST: dcgan-mnist with least squares.

    `pentimento train lsgan-mnist`

    Not measured.
    """
    return _with_objective(dcgan_mnist(), "lsgan", recipe="lsgan-mnist")


def wgan_mnist() -> OneShotTrainConfig:
    """WGAN with clipped weights on MNIST, with the networks of wgan-gp-mnist.

    `pentimento train wgan-mnist`

    Not measured.
    """
    return _with_objective(wgan_gp_mnist(), "wgan", recipe="wgan-mnist")


def wgan_gp_mnist() -> OneShotTrainConfig:
    """WGAN-GP on MNIST, the authors' networks at three eighths of their width.

    `pentimento train wgan-gp-mnist`

    With the paper's rate of 1e-4, which is for 200,000 updates of the generator, 4,000 updates of a net of
    width 16 had reached a confidence of 0.79; hence four times that rate, falling in the second half.

    Measured on one CPU core in bfloat16: 34 minutes to epoch 22 of 24, where the bundle is from, the core
    shared with other work. 10,000 drawings: KL(classes || data) 0.002, rarest class 8.0 %, confidence 0.914.
    """
    settings = OBJECTIVES["wgan_gp"].settings | {"generator_rate": 4e-4, "scorer_rate": 4e-4}
    return OneShotTrainConfig(
        recipe="wgan-gp-mnist",
        model=OneShotConfig(architecture="wgan_gp", width=24, latent_dim=128),
        objective="wgan_gp",
        dataset="mnist",
        epochs=24,
        batch_rows=50,
        decay_from=0.5,
        **settings,
    )


def wgan_gp_1000() -> OneShotTrainConfig:
    """WGAN-GP on 1,000 digits: the critic learns them by heart, and its loss on others shows it.

    `pentimento train wgan-gp-1000`

    Measured on one CPU core in bfloat16, shared with other work: 22 minutes. At the end the critic's negative
    loss is 2.00 on the digits that it was trained on and 0.89 on others, and still moving apart.
    """
    return replace(
        wgan_gp_mnist(),
        recipe="wgan-gp-1000",
        train_rows=1000,
        epochs=30,
        evaluation_iterations=100,
        held_out_rows=1000,
    )


def acgan_mnist() -> OneShotTrainConfig:
    """AC-GAN on MNIST with the objective of WGAN-GP: the critic also names the class, which can be asked for.

    `pentimento train acgan-mnist`

    As with the WGAN-GP authors, the critic's classifier learns from data only, with a weight of 1. Theirs for
    the generator, 0.1, is for 100,000 updates: after 480 of them 27 % of the drawings were of the class asked
    for, with a weight of 1 it was 86 %.

    Measured on one CPU core in bfloat16: 24 minutes, 0.25 seconds an update of the generator, the core shared
    with other work. 10,000 drawings: KL(classes || data) 0.001, rarest class 9.9 %, confidence 0.989, of the
    class asked for 99.1 %.
    """
    base = wgan_gp_mnist()
    return replace(
        base,
        recipe="acgan-mnist",
        model=replace(base.model, class_count=10, conditioning="classifier"),
        scorer_class_weight=1.0,
        generator_class_weight=1.0,
        classify_drawn=False,
    )


def cgan_mnist() -> OneShotTrainConfig:
    """Conditional GAN on MNIST: dcgan-mnist, both players being told the class.

    `pentimento train cgan-mnist`

    Not measured.
    """
    base = dcgan_mnist()
    model = replace(base.model, class_count=10, conditioning="concat")
    return replace(base, recipe="cgan-mnist", model=model)


def wgan_gp_cifar10() -> OneShotTrainConfig:
    """WGAN-GP on CIFAR-10 with residual networks, at a quarter of the paper's width.

    `pentimento train wgan-gp-cifar10`

    The paper updates its generator 100,000 times with batches of 64; a CPU core does some thousands in
    90 minutes. Hence half the batch, for twice the updates, and twice the paper's rate.

    Measured on one CPU core in bfloat16, on a JPEG copy of CIFAR-10: 105 minutes on the wall, the core shared
    with much other work; 0.66 seconds an update of the generator where it has a core for itself. 10,000
    drawings: KL(classes || data) 0.010, rarest class 7.7 %, confidence 0.46, where that of the test images is
    0.57.
    """
    return OneShotTrainConfig(
        recipe="wgan-gp-cifar10",
        model=OneShotConfig(architecture="resnet", image_size=32, channels=3, latent_dim=128, width=32),
        objective="wgan_gp",
        dataset="cifar10",
        epochs=20,
        batch_rows=32,
        # The paper's betas for this network, where momentum did harm.
        **{**OBJECTIVES["wgan_gp"].settings, "generator_rate": 4e-4, "scorer_rate": 4e-4, "beta1": 0.0},
        decay_from=0.0,
    )


def dcgan_colour() -> OneShotTrainConfig:
    """DCGAN on colour pictures of any folder, 32x32: dcgan-mnist with other data, named with --dataset.

    `pentimento train dcgan-colour --dataset FOLDER`

    Batches are small, so that a small folder fills one.

    Not measured.
    """
    base = dcgan_mnist()
    model = replace(base.model, image_size=32, channels=3)
    return replace(base, recipe="dcgan-colour", model=model, dataset="", epochs=50, batch_rows=32)


def _with_objective(config: OneShotTrainConfig, objective: str, recipe: str) -> OneShotTrainConfig:
    """Changes the objective: networks and images stay, the rest becomes what that objective's paper says."""
    plain = {"weight_clip": None, "gradient_penalty": 0.0, "real_label": 1.0, "decay_from": 1.0}
    return replace(config, recipe=recipe, objective=objective, **{**plain, **OBJECTIVES[objective].settings})


ONE_SHOT_RECIPES: dict[str, Callable[[], OneShotTrainConfig]] = {
    build().recipe: build
    for build in (
        dcgan_mnist,
        lsgan_mnist,
        wgan_mnist,
        wgan_gp_mnist,
        wgan_gp_1000,
        acgan_mnist,
        cgan_mnist,
        wgan_gp_cifar10,
        dcgan_colour,
    )
}
