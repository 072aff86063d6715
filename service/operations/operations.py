"""The operations, free of any protocol: check, draw the noise, submit, gather. Both transports call these."""

__all__ = ["Drawing", "Operations"]

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from pentimento.bundle.drawing import KNOWN, KNOWN_MASK
from pentimento.bundle.manifest import Manifest
from pentimento.service.catalog.catalog import Catalog
from pentimento.service.catalog.loaded_model import LoadedModel
from pentimento.service.catalog.plan import plan_encode
from pentimento.service.catalog.reloading import Reloading
from pentimento.service.catalog.served import ModelInfo, Refusal, Reload
from pentimento.service.engine.engine import Engine
from pentimento.service.engine.job import Call
from pentimento.service.engine.rows import Arrays
from pentimento.service.errors import Code, PentimentoError, invalid
from pentimento.service.messages import (
    AutoencodeRequest,
    CompleteRequest,
    Floats,
    GenerateRequest,
    Header,
    ScoredBy,
)
from pentimento.service.operations import checks, inputs, pictures, scorer_checks
from pentimento.service.operations.admission import Admission, draw_seed
from pentimento.service.operations.drawing import Drawing, RequestObserver
from pentimento.service.operations.inputs import Inputs
from pentimento.service.operations.readings import Readings
from pentimento.service.settings import Settings

_SEEN = {
    "raster": "each drawn pixel saw the given and the drawn pixels above it, and to its left in its row; "
    "given pixels that come after it were kept, but not seen",
    "everywhere": "every step saw all given pixels, wherever they lie, through the noise of that step",
}


class _DrawingRequest(Protocol):
    """What all requests for a drawing have."""

    @property
    def score(self) -> bool | None: ...
    @property
    def score_by(self) -> str | None: ...
    @property
    def boxes(self) -> bool | None: ...
    @property
    def timeout_ms(self) -> int | None: ...


class Operations(Readings):
    """What can be asked of the served bundles.

    Args:
        catalog: The bundles.
        engine: Runs the jobs.
        settings: The limits.
        observer: Told how each admitted request ended.
        reload: Has all processes of the server read the folder again; None: this one is all.

    Every method raises PentimentoError: INVALID_ARGUMENT, NOT_FOUND, UNSUPPORTED, OVERLOADED or UNAVAILABLE
    before anything is computed. Later trouble (DEADLINE_EXCEEDED, INFERENCE_FAILED) is raised by the
    iteration of a `Drawing`, or by the method where it returns a result.
    """

    def __init__(
        self,
        catalog: Catalog,
        engine: Engine,
        settings: Settings,
        observer: RequestObserver | None = None,
        reload: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        super().__init__(catalog, Admission(engine, settings, observer), settings)
        self._engine = engine
        self.reload_here = Reloading(catalog)
        self._reload = reload or self.reload_here

    @property
    def accepting(self) -> bool:
        """Whether new work is admitted: false before the start and while draining."""
        return self._engine.accepting

    @property
    def control_names(self) -> frozenset[str]:
        """Names of all controls that some served bundle has."""
        return self._catalog.controls

    def models(self) -> tuple[tuple[ModelInfo, ...], tuple[Refusal, ...]]:
        """Served bundles by name, and the folders that were refused."""
        return self._catalog.infos(), self._catalog.refused

    def model(self, name: str) -> ModelInfo:
        """One served bundle; NOT_FOUND if there is none of that name."""
        return self._catalog.info(name)

    async def reload(self) -> Reload:
        """Reads the bundle folder again; drawings that run keep the version that they began with.

        Raises:
            PentimentoError: UNAVAILABLE while draining, or if the folder cannot be read.
        """
        if not self.accepting:
            raise PentimentoError(Code.UNAVAILABLE, "the server admits no new work", retry_after_s=1.0)
        return cast("Reload", await self._reload())

    async def generate(self, request: GenerateRequest) -> Drawing:
        """Draws images from noise. Returns when the drawing is admitted, before its first step."""
        model = self._catalog.able(request.model, "generate")
        manifest = model.manifest
        steps = checks.steps(manifest, request.steps)
        n = checks.image_count(request, self._settings.max_images)
        seed = draw_seed(request.seed)
        seeds = checks.seeds(manifest, request.seeds)
        latents = await self._latents(manifest, request, n, steps)
        chosen = inputs.chosen(manifest, checks.controls(manifest, request.controls), n, steps)
        labels = inputs.labels(checks.labels(manifest, request, n), n)
        start = Inputs(
            n=n,
            given=labels | chosen | inputs.nothing_known(manifest, n),
            noise=inputs.drawing_noise(manifest, seed, steps, seeds=seeds, given=latents),
            noise_values=inputs.noise_values(manifest, steps),
        )
        return await self._draw(model, request, start, steps, seed)

    async def autoencode(self, request: AutoencodeRequest) -> Drawing:
        """Encodes an image and draws it again, step by step, `samples` times."""
        model = self._catalog.able(request.model, "autoencode")
        manifest = model.manifest
        n = checks.in_range("samples", request.samples, 1, self._settings.max_images)
        steps = checks.reconstruction_steps(manifest, request.steps)
        seed = draw_seed(request.seed)
        labels = inputs.labels(checks.label(manifest, request.label), n)
        chosen = inputs.chosen(manifest, checks.controls(manifest, request.controls), n, steps)
        image = await self._admission.read(manifest, (request.image,), request.fit, seed)
        encoded = {tensor.name for tensor in manifest.graphs["encode"].outputs}
        drawn, eps = inputs.drawing_noise(manifest, seed, steps), inputs.eps(manifest, "encode", seed)
        start = Inputs(
            n=n,
            given=labels | chosen | inputs.nothing_known(manifest, n) | {"image": image.repeat(n, axis=0)},
            # the encoder's latents take the place of noise
            noise=lambda rows: {k: v for k, v in drawn(rows).items() if k not in encoded} | dict(eps(rows)),
            noise_values=inputs.noise_values(manifest, steps),
        )
        return await self._draw(
            model, request, start, steps, seed, before=plan_encode(manifest, model.graphs), given=image
        )

    async def complete(self, request: CompleteRequest) -> Drawing:
        """Keeps the pixels of an image where the mask is white, and draws the others, `n` times."""
        model = self._catalog.able(request.model, "complete")
        manifest = model.manifest
        n = checks.in_range("n", request.n, 1, self._settings.max_images)
        steps = checks.steps(manifest, request.steps)
        seed = draw_seed(request.seed)
        labels = inputs.labels(checks.label(manifest, request.label), n)
        chosen = inputs.chosen(manifest, checks.controls(manifest, request.controls), n, steps)
        image = await self._admission.read(manifest, (request.image,), request.fit, seed)
        mask = await asyncio.to_thread(
            pictures.read_mask, request.mask, manifest.image, self._settings.max_image_pixels
        )
        known = image * mask
        start = Inputs(
            n=n,
            given=labels | chosen | {KNOWN: known.repeat(n, axis=0), KNOWN_MASK: mask.repeat(n, axis=0)},
            noise=inputs.drawing_noise(manifest, seed, steps),
            noise_values=inputs.noise_values(manifest, steps),
        )
        assert manifest.drawing is not None and manifest.drawing.completion is not None
        seen = _SEEN[manifest.drawing.completion]
        return await self._draw(model, request, start, steps, seed, given=known, conditioning=seen)

    async def _draw(
        self,
        model: LoadedModel,
        request: _DrawingRequest,
        start: Inputs,
        steps: int,
        seed: int,
        *,
        before: tuple[Call, ...] = (),
        given: Floats | None = None,
        conditioning: str | None = None,
    ) -> Drawing:
        """Admits a drawing: the calls of `before`, then those of the model's plan."""
        manifest = model.manifest
        checks.boxes(manifest, request.boxes)
        judging = self._judging(model, request)
        judge = judging.judge if judging else None
        plan = before + model.plan(steps, judge)
        header = Header(
            model=manifest.name,
            version=manifest.version,
            seed=seed,
            n=start.n,
            steps=steps,
            scored_by=_scored_by(judging.manifest) if judging else None,
            conditioning=conditioning,
        )
        return Drawing(
            header, await self._admission.submit(manifest, plan, start, request.timeout_ms), given=given
        )

    def _judging(self, model: LoadedModel, request: _DrawingRequest) -> LoadedModel | None:
        """The bundle whose scorer judges the canvases: `score_by`, the drawing's own if asked to, or None."""
        own, by = model.manifest.name, request.score_by
        if by is not None and request.score is False:
            raise invalid("score", "is false, but score_by asks for scores; leave one of them out")
        if by is None and not request.score:
            return None
        if by is None or by == own:
            # Not looked up by name: since the request came, another version may have taken its place.
            self._catalog.require(model, "score", field="model" if by is None else "score_by")
            return model
        judging = self._catalog.able(request.score_by, "score", field="score_by")
        scorer_checks.score_by(judging.manifest, model.manifest)
        return judging

    async def _latents(self, manifest: Manifest, request: GenerateRequest, n: int, steps: int) -> Arrays:
        if not request.latents:
            return {}
        return await asyncio.to_thread(checks.latents, manifest, request.latents, n, steps)


def _scored_by(manifest: Manifest) -> ScoredBy:
    assert manifest.scorer is not None
    scorer = manifest.scorer
    return ScoredBy(
        model=manifest.name, version=manifest.version, kind=scorer.kind, real_label=scorer.real_label
    )
