"""What a prompt means here: the class to draw. No bundle reads text."""

__all__ = ["MAX_PROMPT", "prompt_class", "prompts_of"]

from pentimento.bundle.manifest import Manifest
from pentimento.service.errors import invalid, quoted
from pentimento.service.operations.classes import class_of

MAX_PROMPT = 32_000  # characters, as the API has it


def prompt_class(manifest: Manifest, prompt: str) -> int | None:
    """The class that a prompt asks for.

    A class is asked for by its name, in whatever case, or by its number, unless classes have numbers for
    names: these are then meant.

    Args:
        manifest: Of the bundle that is asked.
        prompt: Blanks around it do not matter.

    Returns:
        Index of the class; None for an unconditional bundle, whose prompt is empty.

    Raises:
        PentimentoError: INVALID_ARGUMENT: it is no class; or there are none, and it says something.
    """
    if manifest.labels is not None:
        return class_of(manifest, prompt, "prompt", numbers_are_names=True)
    text = prompt.strip()
    if text:
        why = f"model {manifest.name!r} draws one kind of picture and reads no text"
        raise invalid("prompt", f"must be empty: {why}, got {quoted(text)}")
    return None


def prompts_of(manifest: Manifest) -> list[str]:
    """All that can be asked for; only the empty prompt of an unconditional bundle."""
    return [""] if manifest.labels is None else list(manifest.labels.names)
