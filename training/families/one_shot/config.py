"""Configuration of an adversarial training in one step: an objective and an architecture."""

__all__ = ["OneShotTrainConfig"]

from dataclasses import dataclass
from typing import Any, Literal, Self

from pentimento.models.adversarial.config import OneShotConfig
from pentimento.training.families.one_shot.objectives import OBJECTIVES
from pentimento.training.loop.config import LoopConfig, refuse_unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class OneShotTrainConfig(LoopConfig):
    """Settings of one training; `training.families.one_shot.recipes` holds the named ones.

    An iteration updates the scorer `scorer_updates` times, each on its own batch, and the generator once.
    """

    model: OneShotConfig
    objective: str  # one of OBJECTIVES, whose `settings` belong into the fields below
    batch_rows: int = 64  # images of one update
    optimizer: Literal["adam", "rmsprop"] = "adam"
    generator_rate: float = 1e-4
    scorer_rate: float = 1e-4
    beta1: float = 0.5  # of Adam
    beta2: float = 0.9
    decay_from: float = 1.0  # share of the training after which both rates fall linearly to zero
    scorer_updates: int = 1  # for each update of the generator
    gradient_penalty: float = 0.0  # weight of the penalty on the scorer's gradient; 0 for none
    weight_clip: float | None = None  # the scorer's weights are kept within -limit..limit
    real_label: float = 1.0  # target for data; below 1 it is one-sided label smoothing
    feature_matching: bool = False  # the generator matches mean features, and leaves the scores alone
    historical_averaging: float = 0.0  # weight of the penalty on each network's distance from its past
    scorer_class_weight: float = 1.0  # of the auxiliary classifier's loss
    generator_class_weight: float = 1.0
    classify_drawn: bool = True  # the scorer's classifier learns from drawings too, as AC-GAN has it
    train_rows: int | None = None  # training images that are used; None for all
    held_out_rows: int = (
        500  # test images, and as many training images, that the scorer's loss is compared on
    )
    evaluation_iterations: int | None = (
        None  # from one evaluation to the next; None: one pass over the images
    )
    statistics_rows: int = 2000  # latents for the frozen normalisation, during training

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            ValueError: One is out of range, or two do not go together; the message names the field.
        """
        LoopConfig.__post_init__(self)
        if self.objective not in OBJECTIVES:
            raise ValueError(f"objective must be one of {', '.join(OBJECTIVES)}, got {self.objective!r}")
        if self.optimizer not in ("adam", "rmsprop"):
            raise ValueError(f"optimizer must be adam or rmsprop, got {self.optimizer!r}")
        for name in ("scorer_updates", "train_rows", "held_out_rows", "evaluation_iterations"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if not 0 <= self.decay_from <= 1:
            raise ValueError(f"decay_from must lie in 0..1, got {self.decay_from}")
        if self.real_label != 1 and OBJECTIVES[self.objective].decision is None:
            raise ValueError(f"real_label must be 1 for {self.objective}, whose critic has no labels")
        if self.gradient_penalty and not self.scores_rows_alone:
            raise ValueError(
                "a gradient penalty wants each image judged by itself: take scorer_norm none or layer, "
                "and neither minibatch nor recurrent discrimination"
            )
        group = self.model.group_size
        if group and self.batch_rows % group:
            raise ValueError(f"batch_rows must be a multiple of the group of {group}, got {self.batch_rows}")

    @property
    def scores_rows_alone(self) -> bool:
        """Whether a score depends on its own image only, in training too."""
        return self.model.scorer_norm != "batch" and not self.model.compares_rows

    @property
    def class_count(self) -> int:
        """Number of classes that the model is told; 0 for one that is told none."""
        return self.model.class_count

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Shape of the images that the model draws: (C, H, W)."""
        return (self.model.channels, self.model.image_size, self.model.image_size)

    @property
    def iteration_rows(self) -> int:
        """Training images of an iteration: a batch for each update of the scorer."""
        return self.batch_rows * self.scorer_updates

    def used_rows(self, train_rows: int) -> int:
        """Number of training images that are used, of `train_rows` in the data set."""
        return min(train_rows, self.train_rows or train_rows)

    def epoch_iterations(self, train_rows: int) -> int:
        """Iterations from one evaluation to the next; by default one pass over the images."""
        return self.evaluation_iterations or self.pass_iterations(train_rows)

    def rate_factor(self, progress: float) -> float:
        """Factor on both learning rates: 1 up to `decay_from`, then falling linearly to 0 at `progress` 1."""
        if progress <= self.decay_from:
            return 1.0
        return (1 - progress) / (1 - self.decay_from)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuilds a configuration from what `to_json` gave.

        Raises:
            ValueError: An entry is unknown to this version, or has a value out of range.
        """
        refuse_unknown(values, cls)
        return cls(**{**values, "model": OneShotConfig(**values["model"])})
