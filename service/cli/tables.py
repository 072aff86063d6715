"""Tables and titles that commands print, for rich."""

__all__ = [
    "likelihoods_table",
    "likelihoods_title",
    "models_table",
    "refusals_table",
    "scores_table",
    "scores_title",
]

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from pentimento.service.catalog.served import Refusal
from pentimento.service.cli.easel import ModelRow
from pentimento.service.messages import LikelihoodResult, ScoreResult

_FEW_LABELS = 4  # that are all named in a list of models


def models_table(rows: Sequence[ModelRow]) -> Table:
    """Name, version, family, image, steps and operations of each model."""
    table = Table("model", "version", "family", "image", "steps (default)", "can", box=None, pad_edge=False)
    for row in rows:
        channels, height, width = row.image_shape
        colour = "grey" if channels == 1 else "colour"
        can = [f"score ({row.score_kind})" if name == "score" else name for name in row.operations]
        if row.labels:
            can.append(_labels(row.labels))
        table.add_row(
            Text(row.name + (" (default)" if row.is_default else ""), style="bold"),
            row.version,
            Text(row.family),
            f"{width}x{height} {colour}",
            _steps(row.steps),
            Text(", ".join(can)),
        )
    return table


def refusals_table(refusals: Sequence[Refusal]) -> Table:
    """The bundles that are not served, each with the reason."""
    table = Table("refused", "because", box=None, pad_edge=False)
    for refusal in refusals:
        table.add_row(Text(refusal.name, style="bold"), Text(refusal.reason))
    return table


def scores_table(names: Sequence[str], result: ScoreResult) -> Table:
    """The score of each picture: a discriminator's logit with its probability, or a critic's score alone."""
    scores = result.scores
    table = Table("image", "score" if scores.kind == "critic" else "logit", box=None, pad_edge=False)
    if scores.probability is not None:
        table.add_column("real")
    for i, name in enumerate(names):
        opinion = [f"{scores.logit[i]:.3f}"]
        if scores.probability is not None:
            opinion.append(f"{scores.probability[i]:.1%}")
        table.add_row(Text(name), *opinion)
    return table


def scores_title(result: ScoreResult) -> str:
    """Names the model that scored, and says how its figures are to be read."""
    kind = result.scores.kind
    hint = ": scores without bounds, more is more real" if kind == "critic" else ""
    return f"{result.model} {result.version}, a {kind}{hint}"


def likelihoods_title(result: LikelihoodResult) -> str:
    """Names the model that was asked, and says whether the figures are exact or a bound."""
    kind = "log-likelihood"
    if result.kind == "bound":
        draws = "1 draw" if result.importance_samples == 1 else f"{result.importance_samples} draws"
        kind = f"lower bound of the log-likelihood from {draws}, seed {result.seed}"
    return f"{result.model} {result.version}, {kind}"


def likelihoods_table(names: Sequence[str], result: LikelihoodResult) -> Table:
    """Nats and bits per dimension of each picture, and their mean where there are several."""
    table = Table("image", box=None, pad_edge=False)
    table.add_column("nats", justify="right")
    table.add_column("bits per dimension", justify="right")
    rows = [(Text(name), *pair) for name, *pair in zip(names, result.nats, result.bits_per_dim, strict=True)]
    if len(rows) > 1:
        rows.append((Text("mean", style="bold"), result.nats.mean(), result.bits_per_dim.mean()))
    for name, nats, bits in rows:
        table.add_row(name, f"{nats:.2f}", f"{bits:.4f}")
    return table


def _labels(names: Sequence[str]) -> str:
    listed = ", ".join(names) if len(names) <= _FEW_LABELS else f"{names[0]} .. {names[-1]}"
    return f"{len(names)} labels ({listed})"


def _steps(steps: tuple[int, int, int] | None) -> str:
    if steps is None:
        return "-"
    fewest, most, default = steps
    return f"{fewest}" if fewest == most else f"{fewest}..{most} ({default})"
