"""What is served, what is not and why, and what a reload changed of it: frozen values, no behaviour."""

__all__ = ["ModelInfo", "Refusal", "Reload", "Revision"]

from dataclasses import dataclass

from pentimento.bundle.manifest import Manifest
from pentimento.service.messages import OperationName


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelInfo:
    """A served bundle and what it can do."""

    manifest: Manifest
    operations: tuple[OperationName, ...]
    is_default: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A folder that is not served, and why, in a sentence."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """A bundle that a reload added or replaced."""

    name: str
    version: str
    previous_version: str | None  # None: no bundle of that name was served before


@dataclass(frozen=True, kw_only=True, slots=True)
class Reload:
    """What reading the bundle folder again changed. Served are now `added`, `replaced` and `kept`."""

    added: tuple[Revision, ...]
    replaced: tuple[Revision, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]  # as before; also where what lies in the folder now was refused
    refused: tuple[Refusal, ...]
    default: str | None  # the bundle for requests that name none, from now on
