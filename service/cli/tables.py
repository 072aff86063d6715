"""What commands print of models, scores and likelihoods: tables and titles, and the same as JSON."""

__all__ = [
    "likelihoods_json",
    "likelihoods_title",
    "models_json",
    "print_likelihoods",
    "print_models",
    "print_scores",
    "scores_json",
    "scores_title",
]

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from pentimento.program.tables import Column, print_table
from pentimento.service.catalog.served import Refusal
from pentimento.service.cli.easel import ModelRow
from pentimento.service.messages import LikelihoodResult, ScoreResult

_FEW_LABELS = 4  # that are all named in a list of models


def print_models(console: Console, rows: Sequence[ModelRow], refusals: Sequence[Refusal]) -> None:
    """Name, version, family, image, steps and operations of each model; then what is not served, and why."""
    columns = [Column(each) for each in ("model", "version", "family", "image", "steps (default)", "can")]
    lines = []
    for row in rows:
        channels, height, width = row.image_shape
        image = f"{width}x{height} {'grey' if channels == 1 else 'colour'}"
        can = [f"score ({row.score_kind})" if name == "score" else name for name in row.operations]
        if row.labels:
            can.append(_labels(row.labels))
        can += [f"--set {each.name}={each.min:g}..{each.max:g} ({each.default:g})" for each in row.controls]
        what = ", ".join(can) + ("; the default model" if row.is_default else "")
        lines.append([row.name, row.version, row.family, image, _steps(row.steps), what])
    print_table(console, columns, lines)
    if refusals:
        print_table(console, [Column("refused"), Column("because")], [[r.name, r.reason] for r in refusals])


def models_json(rows: Sequence[ModelRow], refusals: Sequence[Refusal]) -> dict[str, Any]:
    """The same as a document."""
    models = []
    for row in rows:
        steps = None if row.steps is None else dict(zip(("min", "max", "default"), row.steps, strict=True))
        models.append(
            {
                "name": row.name,
                "version": row.version,
                "family": row.family,
                "summary": row.summary,
                "is_default": row.is_default,
                "image_shape": list(row.image_shape),
                "steps": steps,
                "labels": list(row.labels),
                "score_kind": row.score_kind,
                "operations": list(row.operations),
                "controls": [each.model_dump() for each in row.controls],
            }
        )
    return {"models": models, "refused": [{"name": each.name, "reason": each.reason} for each in refusals]}


def print_scores(console: Console, names: Sequence[str], result: ScoreResult) -> None:
    """The score of each picture: a discriminator's logit with its probability, or a critic's score alone."""
    scores = result.scores
    columns = [Column("image"), Column("score" if scores.kind == "critic" else "logit", right=True)]
    if scores.probability is not None:
        columns.append(Column("real", right=True))
    rows = []
    for i, name in enumerate(names):
        opinion = [f"{scores.logit[i]:.3f}"]
        if scores.probability is not None:
            opinion.append(f"{scores.probability[i]:.1%}")
        rows.append([name, *opinion])
    print_table(console, columns, rows)


def scores_title(result: ScoreResult) -> str:
    """Names the model that scored, and says how its figures are to be read."""
    kind = result.scores.kind
    hint = ": scores without bounds, more is more real" if kind == "critic" else ""
    return f"{result.model} {result.version}, a {kind}{hint}"


def scores_json(names: Sequence[str], result: ScoreResult) -> dict[str, Any]:
    """The same as a document; `probability` is null for a critic."""
    logits, probabilities = result.scores.logit, result.scores.probability
    images = [
        {
            "image": name,
            "logit": float(logits[i]),
            "probability": None if probabilities is None else float(probabilities[i]),
        }
        for i, name in enumerate(names)
    ]
    return {
        "model": result.model,
        "version": result.version,
        "score_kind": result.scores.kind,
        "images": images,
    }


def likelihoods_title(result: LikelihoodResult) -> str:
    """Names the model that was asked, and says whether the figures are exact or a bound."""
    kind = "log-likelihood"
    if result.kind != "exact":
        draws = "1 draw" if result.importance_samples == 1 else f"{result.importance_samples} draws"
        what = "lower bound" if result.kind == "bound" else "estimate"
        kind = f"{what} of the log-likelihood from {draws}, seed {result.seed}"
    return f"{result.model} {result.version}, {kind}"


def print_likelihoods(console: Console, names: Sequence[str], result: LikelihoodResult) -> None:
    """Nats and bits per dimension of each picture, and their mean where there are several."""
    pairs = list(zip(names, result.nats, result.bits_per_dim, strict=True))
    if len(pairs) > 1:
        pairs.append(("mean", result.nats.mean(), result.bits_per_dim.mean()))
    rows = [[name, f"{nats:.2f}", f"{bits:.4f}"] for name, nats, bits in pairs]
    columns = [Column("image"), Column("nats", right=True), Column("bits per dimension", right=True)]
    if result.standard_errors is not None:
        columns.insert(2, Column("standard error", right=True))
        for row, error in zip(rows, [*result.standard_errors, None], strict=False):
            row.insert(2, "" if error is None else f"{error:.2f}")
    print_table(console, columns, rows)


def likelihoods_json(names: Sequence[str], result: LikelihoodResult) -> dict[str, Any]:
    """The same as a document."""
    images: list[dict[str, Any]] = [
        {"image": name, "nats": float(nats), "bits_per_dim": float(bits)}
        for name, nats, bits in zip(names, result.nats, result.bits_per_dim, strict=True)
    ]
    if result.standard_errors is not None:
        for image, error in zip(images, result.standard_errors, strict=True):
            image["standard_error"] = float(error)
    return {
        "model": result.model,
        "version": result.version,
        "kind": result.kind,
        "importance_samples": result.importance_samples,
        "seed": result.seed,
        "images": images,
    }


def _labels(names: Sequence[str]) -> str:
    listed = ", ".join(names) if len(names) <= _FEW_LABELS else f"{names[0]} .. {names[-1]}"
    return f"{len(names)} labels ({listed})"


def _steps(steps: tuple[int, int, int] | None) -> str:
    if steps is None:
        return "-"
    fewest, most, default = steps
    return f"{fewest}" if fewest == most else f"{fewest}..{most} ({default})"
