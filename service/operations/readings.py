"""Operations on given images: encode, score, estimate the likelihood."""

__all__ = ["Readings"]

import asyncio
import math

import numpy as np
from numpy.typing import NDArray

from pentimento.service.catalog.catalog import Catalog
from pentimento.service.catalog.plan import plan_encode, plan_likelihood, plan_score
from pentimento.service.messages import (
    EncodeRequest,
    EncodeResult,
    Floats,
    LikelihoodRequest,
    LikelihoodResult,
    ScoreRequest,
    ScoreResult,
)
from pentimento.service.operations import checks, inputs, scorer_checks
from pentimento.service.operations.admission import Admission, draw_seed
from pentimento.service.operations.drawing import join, read_scores
from pentimento.service.operations.inputs import Inputs
from pentimento.service.settings import Settings


class Readings:
    """The operations that answer with a result; `Operations` adds those that draw.

    Args:
        catalog: The bundles.
        admission: Submits jobs to the engine.
        settings: The limits.
    """

    def __init__(self, catalog: Catalog, admission: Admission, settings: Settings) -> None:
        self._catalog = catalog
        self._admission = admission
        self._settings = settings

    async def encode(self, request: EncodeRequest) -> EncodeResult:
        """Encodes images; the result holds whatever the bundle's encoder puts out."""
        model = self._catalog.able(request.model, "encode")
        manifest = model.manifest
        seed = draw_seed(request.seed)
        images = await self._admission.read(manifest, request.images, request.fit, seed)
        n = len(images)
        start = Inputs(
            n=n,
            given=inputs.labels(checks.label(manifest, request.label), n) | {"image": images},
            noise=inputs.eps(manifest, "encode", seed),
        )
        plan = plan_encode(manifest, model.graphs)
        ((_, parts),), jobs = await self._admission.run(manifest, plan, start, request.timeout_ms)
        return EncodeResult(
            model=manifest.name,
            version=manifest.version,
            seed=seed,
            given=images,
            encoding={name: join(parts, name) for name in parts[0].tensors},
            timing=jobs.timing,
        )

    async def score(self, request: ScoreRequest) -> ScoreResult:
        """Judges images with a bundle's scorer: one by one, or as a group, prefix by prefix."""
        model = self._catalog.able(request.model, "score")
        manifest, judge, n = model.manifest, model.judge, len(request.images)
        assert manifest.scorer is not None and judge is not None
        size, given = None, {}
        if request.group:
            size = scorer_checks.group(manifest, n, request.label)
        else:
            given = inputs.labels(scorer_checks.scorer_label(manifest, request.label), n)
        given |= await asyncio.to_thread(scorer_checks.scorer_latents, manifest, request.latents, n)
        given |= {"image": await self._admission.read(manifest, request.images, request.fit, seed=0)}
        if size is not None:
            assert model.group_judge is not None
            judge, given = model.group_judge, await asyncio.to_thread(inputs.as_group, given, size)
        start = Inputs(n=1 if size else n, given=given, noise=lambda _: {})
        plan = plan_score(judge, t=inputs.last_call(manifest))
        ((_, parts),), jobs = await self._admission.run(manifest, plan, start, request.timeout_ms)
        scores = read_scores(manifest.scorer.kind, parts, manifest.scorer.real_label)
        return ScoreResult(
            model=manifest.name,
            version=manifest.version,
            scores=scores.of_group(n) if size else scores,
            group=request.group,
            timing=jobs.timing,
        )

    async def likelihood(self, request: LikelihoodRequest) -> LikelihoodResult:
        """Log-likelihood of images: exact, the importance-weighted bound, or the mean of estimates."""
        model = self._catalog.able(request.model, "likelihood")
        manifest = model.manifest
        assert manifest.likelihood is not None
        kind = manifest.likelihood.kind
        samples = checks.importance_samples(manifest, request, self._settings.max_importance_samples)
        seed = draw_seed(request.seed)
        images = await self._admission.read(manifest, request.images, request.fit, seed)
        n = len(images)
        start = Inputs(
            n=n,
            given=inputs.labels(checks.label(manifest, request.label), n) | {"image": images},
            noise=inputs.eps(manifest, "likelihood", seed, calls=samples),
            noise_values=samples * inputs.eps_values(manifest, "likelihood"),
        )
        plan = plan_likelihood(manifest, model.graphs, samples=samples, pixels=request.pixels)
        emitted, jobs = await self._admission.run(manifest, plan, start, request.timeout_ms)
        draws = np.stack([join(parts, "log_likelihood") for _, parts in emitted]).astype(np.float64)  # (K, n)
        nats, errors = _over_draws(draws, kind)
        pixels = None
        if request.pixels:
            maps = [join(parts, "pixel_log_likelihood") for _, parts in emitted]
            pixels = np.stack(maps).mean(axis=0, dtype=np.float64).astype(np.float32)
        return LikelihoodResult(
            model=manifest.name,
            version=manifest.version,
            seed=seed,
            kind=kind,
            importance_samples=samples,
            given=images,
            nats=nats.astype(np.float32),
            standard_errors=errors,
            bits_per_dim=(-nats / (math.log(2) * math.prod(manifest.image.shape))).astype(np.float32),
            pixels=pixels,
            timing=jobs.timing,
        )


def _over_draws(draws: NDArray[np.float64], kind: str) -> tuple[NDArray[np.float64], Floats | None]:
    """Nats of each image from its K draws, (K, n), and their standard errors where they are estimates."""
    if kind == "estimate":
        k = len(draws)
        errors = (draws.std(axis=0, ddof=1) / math.sqrt(k)).astype(np.float32) if k > 1 else None
        return draws.mean(axis=0), errors
    top = draws.max(axis=0)
    return top + np.log(np.exp(draws - top).mean(axis=0)), None  # log-mean-exp
