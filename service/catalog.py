"""The catalog: the bundles that are served, and those that were refused, each with its sentence."""

__all__ = ["Catalog", "LoadedModel"]

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bundle.manifest import Manifest
from bundle.store import BundleError, read_bundle
from service.errors import Code, PentimentoError
from service.job import Call, Graph
from service.messages import ModelInfo, OperationName, Refusal
from service.plan import Judge, plan_drawing
from service.runtime import Runtime

_PREFERRED_DEFAULT = "gran5-mnist"


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedModel:
    """A served bundle."""

    manifest: Manifest
    graphs: Mapping[str, Graph]
    _plans: dict[tuple[int, Judge | None], tuple[Call, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def plan(self, steps: int, judge: Judge | None = None) -> tuple[Call, ...]:
        """The plan of a drawing, as `plan_drawing`.

        It is the same for every request and is kept, one for each number of steps and scorer: with 28 rows,
        making it took longer than drawing the noise.
        """
        plan = self._plans.get((steps, judge))
        if plan is None:
            plan = plan_drawing(self.manifest, self.graphs, steps=steps, judge=judge)
            self._plans[steps, judge] = plan
        return plan

    @property
    def operations(self) -> tuple[OperationName, ...]:
        """What can be asked of it."""
        drawing, graphs = self.manifest.drawing, self.manifest.graphs
        able: dict[OperationName, bool] = {
            "generate": drawing is not None,
            "score": self.judge is not None,
            "encode": "encode" in graphs,
            "autoencode": "encode" in graphs,
            "likelihood": "likelihood" in graphs,
            "complete": drawing is not None and drawing.completion is not None,
        }
        return tuple(name for name, can in able.items() if can)

    @property
    def judge(self) -> Judge | None:
        """Its scorer, if that judges single images: one of groups or of latents cannot be offered."""
        scorer = self.manifest.scorer
        if scorer is None or scorer.group_size is not None:
            return None
        takes = tuple(t.name for t in self.manifest.graphs["score"].inputs if t.name != "image")
        return Judge(graph=self.graphs["score"], takes=takes) if set(takes) <= {"label"} else None


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

    def get(self, name: str | None, *, field: str = "model") -> LoadedModel:
        """The bundle of that name, or the default one.

        Args:
            name: The request's.
            field: Field of the request that names it.

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

    def able(self, name: str | None, operation: OperationName, *, field: str = "model") -> LoadedModel:
        """The bundle of that name, which can do what is asked; arguments as `get`.

        Raises:
            PentimentoError: NOT_FOUND, or UNSUPPORTED, naming the bundles that can.
        """
        model = self.get(name, field=field)
        if operation not in model.operations:
            can = {each: None for each, other in self._models.items() if operation in other.operations}
            message = f"{field} {model.manifest.name!r} cannot {operation}; models that can: {_names(can)}"
            raise PentimentoError(Code.UNSUPPORTED, message, field=field)
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
