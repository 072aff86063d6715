"""The protocol's model repository: what is there, and what can be done: it can be read again."""

__all__ = ["Entry", "entries", "load", "refuse_repository", "refuse_unload"]

from collections.abc import Mapping
from typing import NamedTuple

from pentimento.service.errors import Code, PentimentoError, invalid, named, quoted
from pentimento.service.open_inference.names import find_model, targets
from pentimento.service.operations.operations import Operations


class Entry(NamedTuple):
    """A model of the index, or a folder that is refused."""

    name: str
    version: str
    state: str  # READY or UNAVAILABLE
    reason: str


def entries(operations: Operations, *, ready: bool) -> list[Entry]:
    """All models, and the folders that are refused, each with the reason.

    Args:
        operations: Knows them.
        ready: Whether only those that are served are wanted.
    """
    served, refused = operations.models()
    found = [
        Entry(target.name, target.manifest.version, "READY", "")
        for info in served
        for target in targets(info)
    ]
    if not ready:
        found += [Entry(each.name, "", "UNAVAILABLE", each.reason) for each in refused]
    return found


async def load(operations: Operations, name: str, parameters: Mapping[str, object]) -> None:
    """Has the bundle folder read again; afterwards the model is served, as it lies there now.

    Args:
        operations: Read it.
        name: The model that is wanted.
        parameters: Of the request; there may be none.

    Raises:
        PentimentoError: INVALID_ARGUMENT: there are some, or the bundle in the folder is refused. NOT_FOUND:
            the folder does not hold it. UNAVAILABLE.
    """
    for parameter in parameters:
        message = "cannot be given: a bundle's manifest is its configuration, and its folder has its files"
        raise invalid(f"parameters.{named(parameter)}", message)
    await operations.reload()
    bundle = name.partition(":")[0]
    for refusal in operations.models()[1]:
        if refusal.name == bundle:
            raise invalid(
                "model_name", f"{quoted(name)} is not loaded, its folder is refused: {refusal.reason}"
            )
    find_model(operations, name)


def refuse_repository(name: str) -> None:
    """Refuses a repository by name: there is one.

    Raises:
        PentimentoError: INVALID_ARGUMENT.
    """
    if name:
        raise invalid("repository_name", f"must be empty, as there is one bundle folder, got {quoted(name)}")


def refuse_unload(operations: Operations, name: str) -> PentimentoError:
    """Why a model cannot be unloaded.

    Raises:
        PentimentoError: NOT_FOUND: it is not served at all.
    """
    target = find_model(operations, name)
    message = (
        f"model_name {name!r} cannot be unloaded: a bundle is served while it lies in the bundle folder; "
        f"take {target.manifest.name!r} out of it, and load any other model or reload"
    )
    return PentimentoError(Code.UNSUPPORTED, message, field="model_name")
