"""How good drawings of one bundle are, against the number of steps and against a control.

Each setting draws from the same noise and, of a conditional bundle, the same classes in turn. Drawings are
judged by the classifier that chose no epoch of any training: how often it sees the class asked for, its
confidence, how far the classes are from the data's, and the Fréchet distance in its features to as many test
images. Distances depend on the number of images: only those of one table may be compared.
"""

__all__ = [
    "Setting",
    "SweepResult",
    "keep_best",
    "measure_setting",
    "save_sweep_picture",
    "sweep_settings",
    "sweep_table",
]

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from pentimento.bundle.store import Bundle, write_bundle
from pentimento.training.data.datasets import Dataset
from pentimento.training.export.draw import draw_bundle
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.frechet import frechet_distance


class Setting(NamedTuple):
    """What a drawing is asked for with."""

    steps: int
    control: str | None  # name of the control that is set; None where all have their defaults
    value: float | None


class SweepResult(NamedTuple):
    """Figures of drawings with one setting."""

    setting: Setting
    rows: int
    obeyed: float | None  # share of drawings of the class asked for; None for an unconditional bundle
    kl_to_data: float  # of the classes' shares, nats
    confidence: float
    frechet: float


def sweep_settings(
    bundle: Bundle, steps: Sequence[int], control: str | None, values: Iterable[float]
) -> list[Setting]:
    """All numbers of steps with default controls, then all values of a control with the default steps.

    Raises:
        ValueError: The bundle does not draw so, or has no such control; the message names what it has.
    """
    drawing = bundle.manifest.drawing
    if drawing is None:
        raise ValueError(f"bundle {bundle.manifest.name!r} does not draw")
    for count in steps:
        if not drawing.steps.min <= count <= drawing.steps.max:
            raise ValueError(f"steps must be {drawing.steps.min}..{drawing.steps.max}, got {count}")
    settings = [Setting(count, None, None) for count in steps]
    if control is None:
        return settings
    known = {each.name: each for each in drawing.controls}
    if control not in known:
        has = ", ".join(known) or "none"
        raise ValueError(f"bundle {bundle.manifest.name!r} has no control {control!r}; it has: {has}")
    for value in values:
        if not known[control].min <= value <= known[control].max:
            raise ValueError(
                f"{control} must be {known[control].min:g}..{known[control].max:g}, got {value:g}"
            )
        settings.append(Setting(drawing.steps.default, control, value))
    return settings


def measure_setting(
    bundle: Bundle, setting: Setting, dataset: Dataset, classifier: Classifier, *, rows: int, seed: int
) -> SweepResult:
    """Draws with a setting, and judges the drawings.

    Args:
        bundle: One that draws; if it is conditional, its classes are the data set's.
        setting: From `sweep_settings`.
        dataset: Its first `rows` test images are compared with.
        classifier: Of the same data set.
        rows: Drawings.
        seed: Of the noise.

    Raises:
        ValueError: There are fewer test images than drawings.
    """
    if len(dataset.test.images) < rows:
        raise ValueError(f"rows must be at most {len(dataset.test.images)}, the test images, got {rows}")
    controls = {} if setting.control is None or setting.value is None else {setting.control: setting.value}
    chunks = draw_bundle(bundle, rows=rows, seed=seed, step_count=setting.steps, controls=controls)
    drawn = torch.cat([canvases[:, -1] for canvases in chunks])
    seen = classifier.probabilities(drawn)
    classes = len(dataset.class_names)
    shares = np.bincount(seen.argmax(1).numpy(), minlength=classes) / rows
    data = np.bincount(dataset.train.labels, minlength=classes) / len(dataset.train.labels)
    labels = bundle.manifest.labels
    obeyed = None
    if labels is not None and labels.names == dataset.class_names:
        obeyed = float((seen.argmax(1).numpy() == np.arange(rows) % classes).mean())
    test = torch.from_numpy(dataset.test.images[:rows]).float() / 255
    present = shares > 0
    return SweepResult(
        setting=setting,
        rows=rows,
        obeyed=obeyed,
        kl_to_data=float((shares[present] * np.log(shares[present] / data[present])).sum()),
        confidence=float(seen.max(1).values.mean()),
        frechet=frechet_distance(classifier.features(test).numpy(), classifier.features(drawn).numpy()),
    )


def keep_best(folder: Path, bundle: Bundle, results: Sequence[SweepResult]) -> int:
    """Writes the number of steps whose drawings are nearest to the data into a bundle's manifest.

    The graphs stay as they are, and so does the version: what a seed draws is the same.

    Args:
        folder: Of the bundle.
        bundle: What it holds.
        results: From `measure_setting`; those with a control set do not count.

    Returns:
        The number.

    Raises:
        ValueError: Fewer than two numbers of steps were measured, so that none is the best.
        BundleError: The folder cannot be written.
    """
    plain = [result for result in results if result.setting.control is None]
    drawing = bundle.manifest.drawing
    if len({result.setting.steps for result in plain}) < 2 or drawing is None:
        raise ValueError("--keep needs two numbers of steps or more, of which one is the best")
    best = min(plain, key=lambda result: result.frechet).setting.steps
    steps = drawing.steps.model_copy(update={"best": best})
    kept = drawing.model_copy(update={"steps": steps})
    manifest = bundle.manifest.model_copy(update={"drawing": kept})
    write_bundle(folder, manifest, bundle.graphs, bundle.weights, overwrite=True)
    return best


def sweep_table(results: Sequence[SweepResult]) -> str:
    """A Markdown table: a row a setting."""
    lines = [
        "| steps | control | as asked | KL(classes ‖ data) | confidence | Fréchet distance |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for result in results:
        steps, control, value = result.setting
        cells = (
            str(steps),
            "defaults" if control is None else f"{control} {value:g}",
            "-" if result.obeyed is None else f"{result.obeyed:.1%}",
            f"{result.kl_to_data:.4f}",
            f"{result.confidence:.3f}",
            f"{result.frechet:.3f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def save_sweep_picture(path: Path, results: Sequence[SweepResult]) -> None:
    """Plots the Fréchet distance, and the share not drawn as asked, against steps and control, as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    by_steps = [(result.setting.steps, result) for result in results if result.setting.control is None]
    by_value = [(result.setting.value, result) for result in results if result.setting.control is not None]
    kinds = [("steps", by_steps)]
    if by_value:
        kinds.append((str(by_value[0][1].setting.control), by_value))
    for plot, (title, found) in zip(np.atleast_1d(figure.subplots(1, len(kinds))), kinds, strict=True):
        at = [value for value, _ in found]
        plot.plot(at, [result.frechet for _, result in found], marker="o", label="Fréchet distance")
        if found and found[0][1].obeyed is not None:
            lost = [1 - (result.obeyed or 0) for _, result in found]
            plot.plot(at, lost, marker="s", label="share not as asked")
        if title == "steps":
            plot.set_xscale("log")
            plot.set_xticks(at, [str(value) for value in at])
        plot.set_yscale("log")
        plot.set_xlabel(title)
        plot.grid(alpha=0.3)
        plot.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
