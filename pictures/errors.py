"""What can be wrong with a picture: a sentence without its subject, which whoever reads it puts before."""

__all__ = ["Misfit", "PictureError", "other_size"]

from typing import Literal


class PictureError(ValueError):
    """A picture cannot be read or taken; the message goes on after its name: "must be ...", "is ..."."""


class Misfit(PictureError):
    """A sound picture of another size or kind than `fit="exact"` takes.

    Args:
        message: As for every `PictureError`.
        mended_by: What another fit would do to it.
    """

    def __init__(self, message: str, mended_by: Literal["scale", "convert"]) -> None:
        super().__init__(message)
        self.mended_by = mended_by


def other_size(size: tuple[int, int], wanted: tuple[int, int]) -> Misfit:
    """The error for a picture of another size; both as (width, height)."""
    sizes = f"must be {wanted[0]}x{wanted[1]} pixels (width x height), got {size[0]}x{size[1]}"
    return Misfit(sizes, "scale")
