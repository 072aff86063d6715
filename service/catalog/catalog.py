"""The catalog: the bundles that are served, and the folders that were refused, each with the reason.

It belongs to the event loop. A reload reads the folder in a thread and changes everything here at once; what
runs meanwhile holds the graphs that it began with, and they are gone when the last of it is over.
"""

__all__ = ["Catalog"]

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from pentimento.bundle.store import BundleError
from pentimento.service.catalog.bundle_folder import Contents, read_folder
from pentimento.service.catalog.loaded_model import LoadedModel
from pentimento.service.catalog.served import ModelInfo, Reload, Revision
from pentimento.service.catalog.trials import Trials
from pentimento.service.engine.job import Graph
from pentimento.service.engine.runtime import Runtime
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.messages import OperationName

_PREFERRED_DEFAULT = "gran5-mnist"


class Catalog:
    """Served bundles by name.

    Attributes:
        refused: The folders that are not served, or not in the state that they are in.
        default: Name of the bundle for requests that name none; None if there is none that draws.
        controls: Names of all controls that some bundle has.
    """

    def __init__(
        self,
        folder: Path,
        runtime: Runtime,
        contents: Contents,
        default: str | None,
        trials: Trials | None = None,
        present: str | None = None,
    ) -> None:
        self._folder = folder
        self._runtime = runtime
        self._trials = trials
        self._models = contents.models
        self.refused = contents.refused
        self._wanted_default = default
        self.default = present
        self.default = self._choose_default()
        self.controls = self._all_controls()
        self._watchers: list[Callable[[Collection[str]], None]] = []

    @classmethod
    def load(
        cls,
        folder: Path,
        runtime: Runtime,
        *,
        default: str | None = None,
        trials: Trials | None = None,
        present: str | None = None,
    ) -> "Catalog":
        """Loads every bundle in `folder`; what is wrong with one never keeps the others from being served.

        Args:
            folder: Its subfolders are the bundles.
            runtime: Loads their graphs.
            default: Name of the bundle for requests that name none.
            trials: Tries graphs elsewhere before they are loaded here; None: they are tried here.
            present: The default of a server that runs already, which this is to be a part of: it stays, as it
                would in a reload, and `default` may be gone meanwhile.

        Raises:
            BundleError: There is no such folder, or the default bundle is not among the served ones.
        """
        contents = read_folder(folder, runtime, trials=trials)
        if default is not None and present is None and default not in contents.models:
            served = _names(contents.models)
            raise BundleError(f"the default model {default!r} is not among the served: {served}")
        return cls(folder, runtime, contents, default, trials, present)

    def __len__(self) -> int:
        return len(self._models)

    def watch(self, tell: Callable[[Collection[str]], None]) -> None:
        """Calls `tell` with the names of the served bundles after each change."""
        self._watchers.append(tell)

    def read(self) -> Contents:
        """Reads the folder again and loads what is new or has changed; for a thread, one at a time.

        Raises:
            BundleError: The folder cannot be read.
        """
        return read_folder(self._folder, self._runtime, self._models, self._trials)

    def swap(self, contents: Contents) -> Reload:
        """Replaces what is served by what `read` found, all at once.

        Returns:
            What that changed.
        """
        before, after = self._models, contents.models
        added = [name for name in after if name not in before]
        replaced = [name for name in after if name in before and after[name] is not before[name]]
        removed = [name for name in before if name not in after]
        if added or replaced or removed:
            self._models = {name: model.without_plans() for name, model in after.items()}
        self.refused = contents.refused
        self.default = self._choose_default()
        self.controls = self._all_controls()
        for tell in self._watchers:
            tell(self._models.keys())
        return Reload(
            added=tuple(_revision(after[name], None) for name in added),
            replaced=tuple(_revision(after[name], before[name]) for name in replaced),
            removed=tuple(removed),
            kept=tuple(name for name in after if name not in {*added, *replaced}),
            refused=contents.refused,
            default=self.default,
        )

    def _choose_default(self) -> str | None:
        """The default that was asked for, while it is served; else the present one, while it draws.

        Without either, `_PREFERRED_DEFAULT` or the first that draws; None if none does. So a new bundle
        never takes the place of the default, and one that was asked for by name is it again when it is back.
        """
        if self._wanted_default in self._models:
            return self._wanted_default
        drawing = [name for name, model in self._models.items() if model.manifest.drawing is not None]
        preferred = [name for name in (self.default, _PREFERRED_DEFAULT) if name in drawing]
        return next(iter(preferred + drawing), None)

    def _all_controls(self) -> frozenset[str]:
        drawings = (model.manifest.drawing for model in self._models.values())
        return frozenset(control.name for drawing in drawings if drawing for control in drawing.controls)

    def get(self, name: str | None, *, field: str = "model") -> LoadedModel:
        """The bundle of that name, or the default one.

        Args:
            name: As in the request; None for the default.
            field: Field of the request that names it, for the error.

        Raises:
            PentimentoError: NOT_FOUND, naming what is served.
        """
        wanted = self.default if name is None else name
        if wanted is None:
            raise PentimentoError(Code.NOT_FOUND, "no bundle that draws is served here", field=field)
        model = self._models.get(wanted)
        if model is None:
            message = f"{field} {wanted[:64]!r} is not served here; served are: {_names(self._models)}"
            raise PentimentoError(Code.NOT_FOUND, message, field=field)
        return model

    @property
    def showing_graph(self) -> Graph | None:
        """The graph that draws the default bundle's canvases; None if there is no default."""
        if self.default is None:
            return None
        model = self._models[self.default]
        assert model.manifest.drawing is not None
        return model.graphs[model.manifest.drawing.showing.graph]

    def able(self, name: str | None, operation: OperationName, *, field: str = "model") -> LoadedModel:
        """The bundle of that name, which can do what is asked; arguments as `get`.

        Raises:
            PentimentoError: NOT_FOUND, or UNSUPPORTED, naming the bundles that can.
        """
        model = self.get(name, field=field)
        self.require(model, operation, field=field)
        return model

    def require(self, model: LoadedModel, operation: OperationName, *, field: str = "model") -> None:
        """Refuses what a bundle cannot do; it may be one that is not served any more.

        Raises:
            PentimentoError: UNSUPPORTED, naming the bundles that can.
        """
        if operation not in model.operations:
            can = {each: None for each, other in self._models.items() if operation in other.operations}
            verb = "tell a likelihood" if operation == "likelihood" else operation
            message = f"{field} {model.manifest.name!r} cannot {verb}; models that can: {_names(can)}"
            raise PentimentoError(Code.UNSUPPORTED, message, field=field)

    def graphs(self) -> list[Graph]:
        """The graphs of all served bundles."""
        return [graph for model in self._models.values() for graph in model.graphs.values()]

    def infos(self) -> tuple[ModelInfo, ...]:
        """All served bundles by name."""
        return tuple(self.info(name) for name in self._models)

    def info(self, name: str | None) -> ModelInfo:
        """One served bundle; None: the default one. Raises NOT_FOUND."""
        model = self.get(name)
        return ModelInfo(
            manifest=model.manifest,
            operations=model.operations,
            is_default=model.manifest.name == self.default,
        )


def _names(models: Mapping[str, object]) -> str:
    return ", ".join(models) or "none"


def _revision(model: LoadedModel, before: LoadedModel | None) -> Revision:
    manifest = model.manifest
    previous = None if before is None else before.manifest.version
    return Revision(name=manifest.name, version=manifest.version, previous_version=previous)
