"""Figures of a bundle that reads pictures: the likelihood of test images, and where encodings lie."""

__all__ = ["LATENT_NEIGHBOURS", "LIKELIHOOD", "encoding_figures", "likelihood_figures"]

from dataclasses import asdict
from typing import Any

from pentimento.training.export.encodings import bundle_latent_neighbours, hash_of_bundle
from pentimento.training.export.likelihood import (
    ESTIMATED_ROWS,
    bundle_estimate,
    bundle_likelihood,
    bundle_log_weights,
)
from pentimento.training.judging.likelihood import IMPORTANCE_SAMPLES, importance_curve, importance_figures
from pentimento.training.reports.examiner import Examiner

LIKELIHOOD, LATENT_NEIGHBOURS = "likelihood", "latent_neighbours"  # as --without takes them
_IMPORTANCE_ROWS = 500  # test images, each of which is asked about with many latents


def likelihood_figures(examiner: Examiner) -> dict[str, Any]:
    """The likelihood of test images, and its tightened bound if that is asked for; nothing without one."""
    declared, plan = examiner.bundle.manifest.likelihood, examiner.plan
    if declared is None or LIKELIHOOD in plan.without:
        return {}
    bundle, dataset = examiner.bundle, examiner.dataset
    if declared.kind == "estimate":
        rows = min(plan.rows, ESTIMATED_ROWS)
        words = f"Estimating the likelihood of {rows:,} test images"
        return examiner.part(
            "estimate",
            words,
            lambda: {"likelihood_estimate": bundle_estimate(bundle, dataset, rows=rows, seed=plan.seed)},
        )
    words = f"Asking for the likelihood of {min(plan.rows, len(dataset.test.images)):,} test images"
    found = examiner.part(
        "likelihood",
        words,
        lambda: {"likelihood": asdict(bundle_likelihood(bundle, dataset, rows=plan.rows, seed=plan.seed))},
    )
    if not plan.importance_samples:
        return found
    samples = plan.importance_samples
    words = f"Asking for the likelihood of random test images with {samples:,} latents each"
    return found | examiner.part("importance", words, lambda: _importance(examiner), samples=samples)


def encoding_figures(examiner: Examiner) -> dict[str, Any]:
    """The error of neighbours' classes in a bundle's latent of two numbers; nothing for another bundle."""
    bundle, seed = examiner.bundle, examiner.plan.seed
    spec = bundle.manifest.graphs.get("encode")
    flat = spec is not None and any(each.name == "mean" and each.shape == (2,) for each in spec.outputs)
    if not flat or LATENT_NEIGHBOURS in examiner.plan.without:
        return {}
    return examiner.part(
        "encodings",
        "Encoding all images",
        lambda: {LATENT_NEIGHBOURS: asdict(bundle_latent_neighbours(bundle, examiner.dataset, seed=seed))},
    )


def _importance(examiner: Examiner) -> dict[str, Any]:
    """The tightened bound of random test images, and its curve with 1, 50 and 500 latents.

    Of the curve there is as much as there are latents.
    """
    bundle, dataset, plan = examiner.bundle, examiner.dataset, examiner.plan
    samples, rows = plan.importance_samples, min(plan.rows, _IMPORTANCE_ROWS)
    weights, rule = bundle_log_weights(bundle, dataset, rows=rows, samples=samples, seed=plan.seed)
    counts = [count for count in IMPORTANCE_SAMPLES if count <= samples]
    curve = importance_curve(
        weights, binarisation=rule, space=hash_of_bundle(bundle, dataset), samples=counts
    )
    return {
        "importance": importance_figures(weights, binarisation=rule, seed=plan.seed),
        **{f"importance_{count}": asdict(figure) for count, figure in zip(counts, curve, strict=True)},
    }
