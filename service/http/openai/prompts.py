"""What a prompt means here: the class to draw. No bundle reads text."""

__all__ = ["MAX_PROMPT", "class_of", "prompts_of"]

from functools import lru_cache

from pentimento.bundle.manifest import Manifest
from pentimento.service.errors import invalid

MAX_PROMPT = 32_000  # characters, as the API has it

_SHOWN = 10  # classes that a message lists


def class_of(manifest: Manifest, prompt: str) -> int | None:
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
    text = prompt.strip()
    if manifest.labels is None:
        if text:
            why = f"model {manifest.name!r} draws one kind of picture and reads no text"
            raise invalid("prompt", f"must be empty: {why}, got {_quoted(text)}")
        return None
    names = manifest.labels.names
    folded, numbered = _known(names)
    found = names.index(text) if text in names else folded.get(text.casefold())
    if found is None and not numbered and text.isdecimal() and len(text) < 7 and int(text) < len(names):
        found = int(text)
    if found is None:
        shown = ", ".join(name[:40] for name in names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        number = "" if numbered else f" or its number, 0..{len(names) - 1}"
        message = (
            f"must be one of the {len(names)} classes of model {manifest.name!r} ({shown}){number}, "
            f"got {_quoted(text)}"
        )
        raise invalid("prompt", message)
    return found


def prompts_of(manifest: Manifest) -> list[str]:
    """All that can be asked for; only the empty prompt of an unconditional bundle."""
    return [""] if manifest.labels is None else list(manifest.labels.names)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


@lru_cache(maxsize=16)
def _known(names: tuple[str, ...]) -> tuple[dict[str, int], bool]:
    """Classes by their names without case, of equal ones the first; and whether some name is a number."""
    folded: dict[str, int] = {}
    for i, name in enumerate(names):
        folded.setdefault(name.casefold(), i)
    return folded, any(name.isdecimal() for name in names)
