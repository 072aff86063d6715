"""The measures of the table as `pentimento evaluate` prints them: of drawings, and of test images."""

__all__ = [
    "known_without",
    "measure_beside_images",
    "measure_encodings",
    "measure_importance",
    "show_measured",
]

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from rich.console import Console

from pentimento.bundle.store import Bundle
from pentimento.program.tables import Column, print_table
from pentimento.training.data.datasets import Dataset
from pentimento.training.export.encodings import bundle_latent_neighbours, hash_of_bundle
from pentimento.training.export.likelihood import bundle_log_weights
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.features import describe, hash_of_features
from pentimento.training.judging.likelihood import IMPORTANCE_SAMPLES, importance_curve, importance_figures
from pentimento.training.judging.measures import MEASURES
from pentimento.training.judging.measuring import left_out, measure_drawings

LATENT_NEIGHBOURS = "latent_neighbours"  # of a bundle's encodings; --without takes it too


def known_without(names: Iterable[str]) -> set[str]:
    """Names that `--without` may have.

    Raises:
        ValueError: One is no measure's.
    """
    every = (*MEASURES, LATENT_NEIGHBOURS)
    for name in names:
        if name not in every:
            raise ValueError(f"--without must be one of {', '.join(every)}, got {name!r}")
    return set(names)


def measure_beside_images(
    drawings: torch.Tensor, dataset: Dataset, reporter: Classifier, without: Collection[str], seed: int
) -> dict[str, Any]:
    """Measures drawings against one half of the test images, and the other half in the same way.

    Test images are shuffled first: those of a data set may be sorted. Both are as many as there are of each.

    Args:
        drawings: In [0, 1], shape (N, C, H, W).
        dataset: Its test images.
        reporter: Of the same data set.
        without: Names of measures to leave out.
        seed: Of the shuffling and of the intervals.

    Returns:
        By name, figures of `drawings` and of `test_images`, and why a measure is `left_out`.
    """
    space = hash_of_features(reporter, dataset)
    rows = min(len(drawings), len(dataset.test.images) // 2)
    order = np.random.default_rng(seed).permutation(len(dataset.test.images))
    data, others = (
        describe(torch.from_numpy(dataset.test.images[part]).float() / 255, reporter, space)
        for part in (order[:rows], order[rows : 2 * rows])
    )
    drawn = describe(drawings[:rows], reporter, space)
    reasons = {name: reason for name in MEASURES if (reason := left_out(name, rows, rows))}
    reasons |= {name: "--without" for name in without if name in MEASURES}
    names = [name for name in MEASURES if name not in reasons]
    of_drawings, of_images = (
        {name: asdict(figure) for name, figure in measure_drawings(data, kind, names, seed=seed).items()}
        for kind in (drawn, others)
    )
    return {"drawings": of_drawings, "test_images": of_images, "left_out": reasons}


def measure_importance(
    bundle: Bundle, dataset: Dataset, *, rows: int, samples: int, seed: int
) -> dict[str, Any]:
    """The tightened bound of random test images, and its curve with 1, 50 and 500 latents.

    Of the curve there is as much as there are latents, `samples`.
    """
    weights, rule = bundle_log_weights(bundle, dataset, rows=rows, samples=samples, seed=seed)
    space = hash_of_bundle(bundle, dataset)
    counts = [count for count in IMPORTANCE_SAMPLES if count <= samples]
    curve = importance_curve(weights, binarisation=rule, space=space, samples=counts)
    return {
        "importance": importance_figures(weights, binarisation=rule, seed=seed),
        **{f"importance_{count}": asdict(figure) for count, figure in zip(counts, curve, strict=True)},
    }


def measure_encodings(
    bundle: Bundle, dataset: Dataset, without: Collection[str], seed: int
) -> dict[str, Any]:
    """The error of neighbours' classes in a bundle's latent of two numbers; nothing for another bundle."""
    spec = bundle.manifest.graphs.get("encode")
    flat = spec is not None and any(each.name == "mean" and each.shape == (2,) for each in spec.outputs)
    if not flat or LATENT_NEIGHBOURS in without:
        return {}
    return {LATENT_NEIGHBOURS: asdict(bundle_latent_neighbours(bundle, dataset, seed=seed))}


def show_measured(measured: Mapping[str, Any], console: Console) -> None:
    """Prints a table: a row a measure, with what it means; then what could not be measured, and why."""
    rows = []
    for name, figure in measured["drawings"].items():
        measure = MEASURES[name]
        better = "low" if measure.better < 0 else "high"
        other = measured["test_images"][name]
        rows.append([name, _said(figure), _said(other), better, f"{figure['rows']:,}", measure.meaning])
    columns = [
        Column("measure"),
        Column("drawings", right=True),
        Column("test images", right=True),
        Column("good"),
        Column("n", right=True),
        Column("meaning"),
    ]
    print_table(console, columns, rows)
    for reason in measured["left_out"].values():
        if reason != "--without":
            console.print(f"Left out: {reason}")


def _said(figure: Mapping[str, Any]) -> str:
    """A figure with its interval of 95 %, such as `0.95 (0.94 to 0.96)`."""
    ends = f"from {figure['low']:.4g}"
    if figure["high"] is not None:
        ends = f"{figure['low']:.4g} to {figure['high']:.4g}"
    return f"{figure['value']:.4g} ({ends})"
