"""Sizes and options of a generator that draws in one step, and of its scorer; `architectures` builds them.

Kept apart from that registry because every architecture's file reads it.
"""

__all__ = ["ARCHITECTURE_NAMES", "Conditioning", "OneShotConfig", "ScorerNorm", "map_sides"]

from dataclasses import dataclass
from typing import Literal, get_args

Conditioning = Literal["none", "concat", "classifier"]
ScorerNorm = Literal["none", "batch", "layer"]

ARCHITECTURE_NAMES = (
    "dcgan",
    "wgan_gp",
    "resnet",
    "constant_filters",
    "mlp_generator",
    "no_normalisation",
    "gated",
    "tanh",
    "resnet101",
)


def map_sides(image_size: int) -> tuple[int, ...]:
    """Sides of the maps from 4 up, each half of the next, rounded up: 28 -> (4, 7, 14, 28)."""
    sides = [image_size]
    while sides[0] > 4:
        sides.insert(0, -(-sides[0] // 2))
    return tuple(sides)


@dataclass(frozen=True, kw_only=True, slots=True)
class OneShotConfig:
    """Which architecture, how large, and how it is conditioned on classes."""

    architecture: str = "dcgan"  # one of ARCHITECTURE_NAMES
    image_size: int = 28  # pixels: 28, 32 or 64
    channels: int = 1  # 1 grey, 3 colour
    latent_dim: int = 100
    width: int = 32  # d, features of the largest maps; the papers have 64 or 128
    class_count: int = 0  # K; 0 for images without labels
    # concat: the label goes to both players next to their inputs (cGAN). classifier: the generator is told
    # it, and the scorer has a second output that names it (AC-GAN).
    conditioning: Conditioning = "none"
    scorer_norm: ScorerNorm = "none"  # batch lets a score depend on the batch while training
    minibatch_kernels: int = 0  # of minibatch discrimination; 0 for none
    group_size: int = 0  # images that recurrent discrimination judges together; 0 for none
    blocks: int = 33  # residual blocks of each player; resnet101 only

    def __post_init__(self) -> None:
        """Raises ValueError for sizes and options that cannot be built."""
        _require(
            self.architecture in ARCHITECTURE_NAMES, "architecture", ARCHITECTURE_NAMES, self.architecture
        )
        # The nets for MNIST have three levels; `no_normalisation` is much the same with four.
        sizes = (28, 32) if self.architecture == "wgan_gp" else (28, 32, 64)
        _require(self.image_size in sizes, f"image_size of {self.architecture}", sizes, self.image_size)
        _require(self.channels in (1, 3), "channels", (1, 3), self.channels)
        _require_least("latent_dim", self.latent_dim, 1)
        _require_least("width", self.width, 1)
        _require_least("minibatch_kernels", self.minibatch_kernels, 0)
        _require_least("group_size", self.group_size, 0)
        modes, norms = get_args(Conditioning), get_args(ScorerNorm)
        _require(self.conditioning in modes, "conditioning", modes, self.conditioning)
        _require(self.scorer_norm in norms, "scorer_norm", norms, self.scorer_norm)
        if self.conditioning == "none":
            _require(self.class_count == 0, "class_count without conditioning", (0,), self.class_count)
        else:
            _require_least(f"class_count with conditioning {self.conditioning}", self.class_count, 2)
        if self.architecture == "no_normalisation":
            _require(
                self.scorer_norm == "none", "scorer_norm of no_normalisation", ("none",), self.scorer_norm
            )
        if self.architecture == "resnet101":
            if self.width % 4:
                raise ValueError(f"width of resnet101 must be a multiple of 4, got {self.width}")
            # One block for each change of the side.
            _require_least("blocks", self.blocks, len(map_sides(self.image_size)) - 1)

    @property
    def compares_rows(self) -> bool:
        """Whether a score depends on other images of the batch by design."""
        return self.minibatch_kernels > 0 or self.group_size > 1


def _require(holds: bool, field: str, allowed: tuple[object, ...], value: object) -> None:
    if not holds:
        *others, last = (str(one) for one in allowed)
        choice = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(f"{field} must be {choice}, got {value!r}")


def _require_least(field: str, value: int, least: int) -> None:
    if value < least:
        raise ValueError(f"{field} must be at least {least}, got {value}")
