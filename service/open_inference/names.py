"""Models of the protocol: every operation of a bundle is one, by a name of its own.

`gran5-mnist` draws, and `gran5-mnist:score` judges. A bundle's name may hold dots and dashes; and
a slash would make two segments of a path, which proxies and clients take apart or escape each in their own
way. A colon is in no bundle's name, stays in one segment with it, and may be escaped or not.
"""

__all__ = ["Target", "find_model", "model_name", "operation_of", "targets"]

from dataclasses import dataclass
from typing import get_args

from pentimento.bundle.manifest import Manifest
from pentimento.service.catalog.served import ModelInfo
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.messages import OperationName
from pentimento.service.operations.operations import Operations

_OPERATIONS: dict[str, OperationName] = {name: name for name in get_args(OperationName)}
_DRAWS: OperationName = "generate"


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A model of the protocol: a served bundle and one of its operations."""

    info: ModelInfo
    operation: OperationName

    @property
    def manifest(self) -> Manifest:
        """The bundle's."""
        return self.info.manifest

    @property
    def name(self) -> str:
        """As the protocol has it."""
        return model_name(self.manifest.name, self.operation)

    @property
    def draws(self) -> bool:
        """Whether it answers with canvases, step by step."""
        return self.operation in ("generate", "autoencode", "complete")


def model_name(bundle: str, operation: OperationName) -> str:
    """The protocol's name of an operation: that of the bundle alone draws."""
    return bundle if operation == _DRAWS else f"{bundle}:{operation}"


def operation_of(name: str) -> OperationName:
    """What a name asks for, for metrics; of a name that is none, drawing."""
    return _OPERATIONS.get(name.partition(":")[2], _DRAWS)


def targets(info: ModelInfo) -> tuple[Target, ...]:
    """The models that a bundle is."""
    return tuple(Target(info=info, operation=operation) for operation in info.operations)


def find_model(operations: Operations, name: str, version: str = "", *, field: str = "model_name") -> Target:
    """The model of a name.

    Args:
        operations: Knows what is served.
        name: As in the request.
        version: As in the request; empty: the one that is served.
        field: What messages call the name.

    Raises:
        PentimentoError: NOT_FOUND: there is none, or not of that version.
    """
    if not name:
        raise PentimentoError(Code.INVALID_ARGUMENT, f"{field} is needed", field=field)
    bundle, colon, wanted = name.partition(":")
    operation = _OPERATIONS.get(wanted) if colon and wanted != _DRAWS else None if colon else _DRAWS
    served = {info.manifest.name: info for info in operations.models()[0]}
    info = served.get(bundle)
    if info is None:
        known = ", ".join(target.name for each in served.values() for target in targets(each)) or "none"
        raise _not_found(field, f"{name[:80]!r} is not served here; served are: {known}")
    if operation not in info.operations:
        known = ", ".join(target.name for target in targets(info)) or "none"
        raise _not_found(field, f"{name[:80]!r} is not served here; bundle {bundle!r} is: {known}")
    if version not in ("", info.manifest.version):
        message = f"{version[:60]!r} of {name!r} is not served here; served is {info.manifest.version}"
        raise _not_found("model_version", message)
    return Target(info=info, operation=operation)


def _not_found(field: str, message: str) -> PentimentoError:
    return PentimentoError(Code.NOT_FOUND, f"{field} {message}", field=field)
