"""The catalog: the bundles that are served, and those that were refused, each with its sentence."""

__all__ = ["Catalog", "LoadedModel"]

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bundle.manifest import Manifest
from bundle.store import BundleError, read_bundle
from service.errors import Code, PentimentoError
from service.job import Graph
from service.messages import ModelInfo, OperationName, Refusal
from service.runtime import Runtime

_PREFERRED_DEFAULT = "gran5-mnist"


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedModel:
    """A served bundle."""

    manifest: Manifest
    graphs: Mapping[str, Graph]

    @property
    def operations(self) -> tuple[OperationName, ...]:
        """What can be asked of it."""
        drawing, graphs = self.manifest.drawing, self.manifest.graphs
        able: dict[OperationName, bool] = {
            "generate": drawing is not None,
            "score": self.scorer is not None,
            "encode": "encode" in graphs,
            "autoencode": "encode" in graphs,
            "likelihood": "likelihood" in graphs,
            "complete": drawing is not None and drawing.completion is not None,
        }
        return tuple(name for name, can in able.items() if can)

    @property
    def scorer(self) -> Graph | None:
        """The graph that judges single images; a scorer of groups cannot be offered for them."""
        scorer = self.manifest.scorer
        return self.graphs["score"] if scorer is not None and scorer.group_size is None else None


class Catalog:
    """Served bundles by name.

    Args:
        models: The served bundles.
        refused: The folders that are not served.
        default: Name of the bundle for requests that name none.
    """

    def __init__(
        self, models: Mapping[str, LoadedModel], refused: tuple[Refusal, ...], default: str | None
    ) -> None:
        self._models = dict(sorted(models.items()))
        self.refused = refused
        drawing = [name for name, model in self._models.items() if model.manifest.drawing is not None]
        preferred = [_PREFERRED_DEFAULT] if _PREFERRED_DEFAULT in drawing else drawing
        self.default = default or next(iter(preferred), None)

    @classmethod
    def load(cls, folder: Path, runtime: Runtime, *, default: str | None = None) -> "Catalog":
        """Loads every bundle in `folder`; what is wrong with one never keeps the others from being served.

        Raises:
            BundleError: There is no such folder, or the default bundle is not among the served ones.
        """
        if not folder.is_dir():
            raise BundleError(f"there is no bundle folder {str(folder)!r}; name one with --bundles")
        models: dict[str, LoadedModel] = {}
        refused: list[Refusal] = []
        for entry in sorted(folder.iterdir()):
            if entry.name.startswith(".") or not entry.is_dir():
                continue
            try:
                bundle = read_bundle(entry)
                models[entry.name] = LoadedModel(manifest=bundle.manifest, graphs=runtime.load(bundle))
            except BundleError as error:
                refused.append(Refusal(name=entry.name, reason=str(error)))
        if default is not None and default not in models:
            raise BundleError(f"the default model {default!r} is not among the served: {_names(models)}")
        return cls(models, tuple(refused), default)

    def __len__(self) -> int:
        return len(self._models)

    def get(self, name: str | None) -> LoadedModel:
        """The bundle of that name, or the default one.

        Raises:
            PentimentoError: NOT_FOUND, naming what is served.
        """
        wanted = self.default if name is None else name
        if wanted is None:
            raise PentimentoError(Code.NOT_FOUND, "no bundle that draws is served here", field="model")
        model = self._models.get(wanted)
        if model is None:
            message = f"model {wanted[:64]!r} is not served here; served are: {_names(self._models)}"
            raise PentimentoError(Code.NOT_FOUND, message, field="model")
        return model

    def infos(self) -> tuple[ModelInfo, ...]:
        """All served bundles by name."""
        return tuple(self.info(name) for name in self._models)

    def info(self, name: str) -> ModelInfo:
        """One served bundle. Raises NOT_FOUND."""
        model = self.get(name)
        return ModelInfo(
            manifest=model.manifest,
            operations=model.operations,
            is_default=model.manifest.name == self.default,
        )


def _names(models: Mapping[str, object]) -> str:
    return ", ".join(models) or "none"
