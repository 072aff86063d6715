"""Operations on given images: encode, score, estimate the likelihood."""

__all__ = ["Readings"]

import math

import numpy as np

from pentimento.service.catalog.catalog import Catalog
from pentimento.service.catalog.plan import plan_encode, plan_likelihood, plan_score
from pentimento.service.engine.job import Call
from pentimento.service.messages import (
    EncodeRequest,
    EncodeResult,
    LikelihoodRequest,
    LikelihoodResult,
    ScoreRequest,
    ScoreResult,
)
from pentimento.service.operations import checks, inputs, scorer_checks
from pentimento.service.operations.admission import Admission, draw_seed
from pentimento.service.operations.averages import Average, draws_at_a_time
from pentimento.service.operations.drawing import check_deadline, gather, join, read_scores
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
        n, seed = self._admission.check_count(request.images), draw_seed(request.seed)
        labels = inputs.labels(checks.label(manifest, request.label), n)
        drawn = inputs.eps_values(manifest, "encode")
        each = inputs.image_values(manifest) + drawn + inputs.put_out_values(manifest, "encode")
        with self._admission.reserve(n, each, request.timeout_ms) as place:
            images = await self._admission.read(place, manifest, request.images, request.fit, seed)
            noise = inputs.eps(manifest, "encode", seed)
            start = Inputs(n=n, given=labels | {"image": images}, noise=noise, noise_values=drawn)
            plan = plan_encode(manifest, model.graphs)
            ((_, parts),), jobs = await self._admission.run(place, manifest, plan, start)
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
        manifest, judge = model.manifest, model.judge
        assert manifest.scorer is not None and judge is not None
        n = self._admission.check_count(request.images)
        size, given = None, {}
        if request.group:
            size = scorer_checks.group(manifest, n, request.label)
        else:
            given = inputs.labels(scorer_checks.scorer_label(manifest, request.label), n)
        each = inputs.judged_values(manifest)
        rows, each = (n, each) if size is None else (1, 2 * size * each)  # a group is a row
        with self._admission.reserve(rows, each, request.timeout_ms) as place:
            doing, read = "its latents were read", scorer_checks.scorer_latents
            given |= await self._admission.apart(place, doing, read, manifest, request.latents, n)
            images = await self._admission.read(place, manifest, request.images, request.fit, seed=0)
            given |= {"image": images}
            if size is not None:
                assert model.group_judge is not None
                doing, judge = "its group was put together", model.group_judge
                given = await self._admission.apart(place, doing, inputs.as_group, given, size)
            start = Inputs(n=rows, given=given, noise=lambda _: {})
            plan = plan_score(judge, t=inputs.last_call(manifest))
            ((_, parts),), jobs = await self._admission.run(place, manifest, plan, start)
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
        n, seed = self._admission.check_count(request.images), draw_seed(request.seed)
        labels = inputs.labels(checks.label(manifest, request.label), n)
        drawn, pixels = inputs.eps_values(manifest, "likelihood"), inputs.image_values(manifest)
        groups = list(draws_at_a_time(n, drawn, samples))
        each = len(groups[0]) * drawn + 2 * samples + (4 if request.pixels else 1) * pixels
        with self._admission.reserve(n, each, request.timeout_ms) as place:
            images = await self._admission.read(place, manifest, request.images, request.fit, seed)
            average, given = Average(n, samples), labels | {"image": images}
            with self._admission.jobs(manifest) as jobs, average.late():
                plan: tuple[Call, ...] = ()
                for draws in groups:
                    if len(plan) != len(draws):  # the last group may be a smaller one
                        plan = plan_likelihood(
                            manifest, model.graphs, samples=len(draws), pixels=request.pixels
                        )
                    start = Inputs(
                        n=n,
                        given=given,
                        noise=inputs.eps(manifest, "likelihood", seed, calls=draws),
                        noise_values=len(draws) * drawn,
                    )
                    jobs.go_on(await self._admission.start(place, plan, start))
                    async for _, parts in gather(jobs.tickets):
                        average.add(parts)
                check_deadline(place.left_s)
        nats, errors = average.nats(kind)
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
            pixels=average.pixels,
            timing=jobs.timing,
        )
