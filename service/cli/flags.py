"""Says refusals in the words of the command line: operations name fields, and a user has given flags."""

__all__ = ["in_flags"]

import re

# Fields by which a refusal may begin, as operations and HTTP call them.
_FLAGS = {
    "n": "--n",
    "steps": "--steps",
    "seed": "--seed",
    "label": "--label",
    "labels": "--labels",
    "samples": "--samples",
    "importance_samples": "--importance-samples",
    "score_by": "--score-by",
    "boxes": "--boxes",
    "group": "--group",
}
_PHRASES = {
    "fit=resize": "--fit resize",
    "authorization: Bearer KEY, or x-api-key: KEY": "--api-key-file FILE, or PENTIMENTO_API_KEY",
}
_FIELD = re.compile(rf"({'|'.join(_FLAGS)})(?=[ \[])")
_CONTROL = re.compile(r"controls\.(\w+)(?= )")
_NOISE = re.compile(r"seeds\.(\w+)(?= )")


def in_flags(message: str) -> str:
    """The message with `--steps` for steps, `--seed-of z` for seeds.z, `--fit resize` for fit=resize ..."""
    message = (
        _FIELD.sub(lambda found: _FLAGS[found[0]], message, count=1) if _FIELD.match(message) else message
    )
    message = _NOISE.sub(r"--seed-of \1", message, count=1) if _NOISE.match(message) else message
    message = _CONTROL.sub(r"--set \1", message, count=1) if _CONTROL.match(message) else message
    for said, flag in _PHRASES.items():
        message = message.replace(said, flag)
    return message
