"""Named trainings of models that draw and encode. Each docstring holds the command and what it measured.

"Not measured" means that only the tests have run the recipe, on a slice of the data and narrower.
"""

__all__ = ["BIDIRECTIONAL_RECIPES"]

from collections.abc import Callable

from pentimento.models.adversarial.bigan import BiGANConfig
from pentimento.models.adversarial.bigran import BiGRANConfig
from pentimento.training.families.bidirectional.config import BidirectionalConfig


def bigan_mnist() -> BidirectionalConfig:
    """BiGAN on MNIST: draws in one step, and encodes what it never saw paired with a latent.

    `pentimento train bigan-mnist`

    Half as long as the authors: a hundred epochs, and a hundred more in which the rate falls to a hundredth.
    Here it stopped by itself after 145, as digits had become too unlike in number, and kept the 70th.

    74 minutes on one thread of a shared CPU. Of 10,000 test digits, reconstructions lie at 0.58 of the
    distance of others, 79 % are of the same digit; nearest neighbours by the encoder's features err in 3.7 %.
    Drawings: KL of the classes 0.21, the rarest 1.4 %, confidence 0.909.
    """
    return BidirectionalConfig(
        recipe="bigan-mnist",
        model=BiGANConfig(),
        dataset="mnist",
        epochs=200,
        batch_rows=128,
        l2_penalty=2.5e-5,
        sheet_iterations=4680,
        checkpoint_iterations=2340,
    )


def bigran_mnist() -> BidirectionalConfig:
    """BiGRAN on MNIST: four steps, groups of four, encoder and decoder as recurrences.

    `pentimento train bigran-mnist`

    The authors train for 300,000 updates of encoder and generator, at a rate of 1e-4, with four of the
    discriminator before each. Here 22,500 have to do, so the rate is ten times theirs, and the discriminator
    has one update for each: with four it was right in every case after 300 of them.

    54 minutes on one thread of a shared CPU; the 15th epoch was best. Drawings: KL of the classes 0.004, the
    rarest 8.1 %, confidence 0.899. Of 10,000 test digits, 64 % are drawn again as the same class, at 0.73 of
    the distance to another's.
    """
    return BidirectionalConfig(
        recipe="bigran-mnist",
        model=BiGRANConfig(),
        dataset="mnist",
        epochs=24,
        batch_rows=64,
        generator_rate=1e-3,
        scorer_rate=3e-4,
        l1_penalty=1e-6,
        sheet_iterations=937,
        checkpoint_iterations=937,
    )


BIDIRECTIONAL_RECIPES: dict[str, Callable[[], BidirectionalConfig]] = {
    build().recipe: build for build in (bigan_mnist, bigran_mnist)
}
