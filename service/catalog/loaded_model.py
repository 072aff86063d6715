"""A loaded bundle: its manifest, its graphs, and the plans that are made of them."""

__all__ = ["LoadedModel"]

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from pentimento.bundle.manifest import Manifest
from pentimento.bundle.scorer import SCORE, SCORE_GROUP, judges
from pentimento.service.catalog.kept_plans import KeptPlans
from pentimento.service.catalog.plan import Judge, plan_drawing
from pentimento.service.engine.job import Call, Graph
from pentimento.service.messages import OperationName


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedModel:
    """A bundle with its loaded graphs, as the catalog serves it."""

    manifest: Manifest
    graphs: Mapping[str, Graph]
    _plans: KeptPlans = field(default_factory=KeptPlans, init=False, repr=False, compare=False)

    digest: str = ""
    """SHA-256 of its manifest, which has the checksums of all its files; made here if not given."""

    operations: tuple[OperationName, ...] = field(init=False)
    """What can be asked of it, as its graphs allow."""

    def __post_init__(self) -> None:
        """Derives `operations` and `digest` once, as requests read them."""
        object.__setattr__(self, "operations", self._operations())
        if not self.digest:
            digest = hashlib.sha256(self.manifest.model_dump_json().encode()).hexdigest()
            object.__setattr__(self, "digest", digest)

    def plan(self, steps: int, judge: Judge | None = None) -> tuple[Call, ...]:
        """The plan of a drawing; arguments as for `plan_drawing`.

        It is the same for every request, and those that were used last are kept: with 28 rows, making one
        took longer than drawing the noise.
        """
        return self._plans.get(
            steps, judge, lambda: plan_drawing(self.manifest, self.graphs, steps=steps, judge=judge)
        )

    def without_plans(self) -> "LoadedModel":
        """The same bundle with no plan kept: a kept one may hold the scorer of another bundle."""
        return LoadedModel(manifest=self.manifest, graphs=self.graphs, digest=self.digest)

    def _operations(self) -> tuple[OperationName, ...]:
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
        """Its scorer of single images, if all that it takes can be given; see `bundle.scorer.judges`."""
        return self._judge(SCORE) if judges(self.manifest) else None

    @property
    def group_judge(self) -> Judge | None:
        """Its scorer of groups, whose rows are groups; None if it has none."""
        return self._judge(SCORE_GROUP) if judges(self.manifest) and SCORE_GROUP in self.graphs else None

    def _judge(self, name: str) -> Judge:
        inputs = [tensor.name for tensor in self.manifest.graphs[name].inputs]
        takes = tuple(each for each in inputs if each not in ("image", "t"))
        return Judge(graph=self.graphs[name], takes=takes, takes_t="t" in inputs)
