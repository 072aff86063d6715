"""What the proto calls the fields of the core's requests, in messages and in metadata."""

__all__ = ["field_name", "sentence"]

from pentimento.service.errors import PentimentoError

# The core's names where the proto's style guide wants others.
_FIELDS = {
    "n": "image_count",
    "steps": "step_count",
    "score": "with_scores",
    "boxes": "with_boxes",
    "samples": "sample_count",
    "importance_samples": "importance_sample_count",
    "pixels": "with_pixels",
}


def field_name(field: str) -> str:
    """What the proto calls a field of the core's requests."""
    return _FIELDS.get(field, field)


def sentence(error: PentimentoError) -> str:
    """The error's message, with the field called as in the proto."""
    if error.field in _FIELDS and error.message.startswith(f"{error.field} "):
        return _FIELDS[error.field] + error.message.removeprefix(error.field)
    return error.message
