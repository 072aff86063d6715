"""A drawing that was checked against its bundle and is not begun: everything that decides what is drawn."""

__all__ = ["Checked", "DrawingRequest", "Generation", "check_drawing"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pentimento.bundle.manifest import Manifest
from pentimento.service.catalog.catalog import Catalog
from pentimento.service.catalog.loaded_model import LoadedModel
from pentimento.service.errors import invalid
from pentimento.service.messages import AutoencodeRequest, CompleteRequest, GenerateRequest, Header, ScoredBy
from pentimento.service.operations import checks, scorer_checks

DrawingRequest: TypeAlias = GenerateRequest | AutoencodeRequest | CompleteRequest
"""What asks for a drawing, wherever it starts from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """The bundles that draw and judge, looked up once, and what is known before the first frame.

    Whatever the catalog serves meanwhile, these are the objects that will draw.
    """

    model: LoadedModel
    judging: LoadedModel | None
    header: Header


@dataclass(frozen=True, kw_only=True, slots=True)
class Generation(Checked):
    """A drawing from noise, with the values that it takes where the request left them to the bundle."""

    request: GenerateRequest
    labels: tuple[int, ...] | int | None
    controls: Mapping[str, float]
    seeds: Mapping[str, int]

    @property
    def identity(self) -> tuple[object, ...]:
        """What decides its canvases and scores, with contents for names: it differs where they may differ.

        Only of a drawing whose noise is all drawn from seeds.
        """
        assert not self.request.latents
        header, labels = self.header, self.labels
        return (
            self.model.digest,
            None if self.judging is None else self.judging.digest,
            header.n,
            header.steps,
            header.seed,
            labels if isinstance(labels, tuple) else (labels,) * header.n,
            tuple(sorted(self.controls.items())),
            tuple(sorted(self.seeds.items())),
        )


def check_drawing(
    catalog: Catalog,
    model: LoadedModel,
    request: DrawingRequest,
    n: int,
    steps: int,
    seed: int,
    *,
    conditioning: str | None = None,
) -> Checked:
    """Checks what all drawings have in common, boxes and who judges, and says what is known of this one.

    Args:
        catalog: Where judges are found.
        model: The bundle that draws.
        request: What is asked for.
        n: Images, checked, as are the next two.
        steps: Canvases to show.
        seed: Of all noise.
        conditioning: Of a picture that is completed, what the drawn pixels can see of the given ones.

    Raises:
        PentimentoError: INVALID_ARGUMENT, NOT_FOUND or UNSUPPORTED.
    """
    manifest = model.manifest
    checks.boxes(manifest, request.boxes)
    judging = _judging(catalog, model, request)
    header = Header(
        model=manifest.name,
        version=manifest.version,
        seed=seed,
        n=n,
        steps=steps,
        scored_by=_scored_by(judging.manifest) if judging else None,
        conditioning=conditioning,
    )
    return Checked(model=model, judging=judging, header=header)


def _judging(catalog: Catalog, model: LoadedModel, request: DrawingRequest) -> LoadedModel | None:
    """The bundle whose scorer judges the canvases: `score_by`, the drawing's own if asked to, or None."""
    own, by = model.manifest.name, request.score_by
    if by is not None and request.score is False:
        raise invalid("score", "is false, but score_by asks for scores; leave one of them out")
    if by is None and not request.score:
        return None
    if by is None or by == own:
        # Not looked up by name: since the request came, another version may have taken its place.
        catalog.require(model, "score", field="model" if by is None else "score_by")
        return model
    judging = catalog.able(request.score_by, "score", field="score_by")
    scorer_checks.score_by(judging.manifest, model.manifest)
    return judging


def _scored_by(manifest: Manifest) -> ScoredBy:
    assert manifest.scorer is not None
    scorer = manifest.scorer
    return ScoredBy(
        model=manifest.name, version=manifest.version, kind=scorer.kind, real_label=scorer.real_label
    )
