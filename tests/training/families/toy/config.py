"""Everything that decides the outcome of a training, in one frozen value; and a named one."""

__all__ = ["FadingConfig", "fading_mnist"]

from dataclasses import dataclass

from pentimento.training.loop.config import LoopConfig, refuse_unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class FadingConfig(LoopConfig):
    """Everything that decides the outcome; what all trainings have is in `LoopConfig`."""

    image_size: int = 28  # pixels
    rate: float = 0.1  # SGD

    @property
    def image_shape(self):
        """Shape of the images that the model draws: (C, H, W)."""
        return (1, self.image_size, self.image_size)

    def rate_factor(self, progress):
        """The learning rate is constant."""
        return 1.0

    @classmethod
    def from_json(cls, values):
        """The inverse of `to_json`."""
        refuse_unknown(values, cls)
        return cls(**values)


def fading_mnist():
    """The mean digit, in noise that fades. `pentimento train fading-mnist`. Not measured."""
    return FadingConfig(recipe="fading-mnist", dataset="mnist", epochs=1, batch_rows=150)
