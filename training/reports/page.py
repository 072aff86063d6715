"""A report as one HTML page that needs nothing else: no script, no other file, no other host."""

__all__ = ["format_figure", "render_page"]

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from pentimento.training.judging.measures import MEASURES
from pentimento.training.reports.charts import curve, histogram, marks
from pentimento.training.reports.lines import figure_lines, likelihood_lines, measure_lines

_TEMPLATE = Path(__file__).with_name("page.html")
_HEADLINES = (
    "reporting_classifier.label_accuracy",
    "reporting_classifier.confidence",
    "reporting_classifier.kl_to_data",
    "likelihood",
    "likelihood_estimate",
    "frechet",
    "precision",
    "recall",
    "coverage",
)
_MOST_HEADLINES = 6
_STEP_TITLES = {
    "confidence": "confidence",
    "kl_to_data": "KL of classes",
    "canvas_means": "brightness",
    "canvas_deviations": "variety of a pixel",
}


def render_page(document: Mapping[str, Any], pictures: Mapping[str, Any]) -> str:
    """Renders a report.

    Args:
        document: From `files.report_document`.
        pictures: From `pictures.report_pictures`; empty for a bundle that does not draw.
    """
    draws = bool(document.get("test_images"))
    figures, measures = (figure_lines(document), measure_lines(document)) if draws else ([], [])
    likelihoods = likelihood_lines(document)
    known = {line.name: line for line in (*figures, *measures, *likelihoods)}
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["figure"] = format_figure
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        report=document,
        pictures=pictures,
        draws=draws,
        headlines=[known[name] for name in _HEADLINES if name in known][:_MOST_HEADLINES],
        figures=figures,
        measures=measures,
        likelihoods=likelihoods,
        marks=marks,
        curves=_curves(document) if document.get("steps") else [],
        classes=_classes(document) if draws else [],
        confidence=histogram(**_confidence(document)) if draws else None,
        left_out=_left_out(document),
        command=_command(document),
    )


def format_figure(value: float | None) -> str:
    """A figure with four digits that count, such as `0.9512`, `12.3`, `4,620`."""
    if value is None:
        return "none"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 0.001 or not value else f"{value:.2g}"


def _curves(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The measures by steps, with what they are called, and of how many drawings they are."""
    steps, found = document["steps"], []
    for name, values in steps["drawings"].items():
        title = MEASURES[name].title if name in MEASURES else _STEP_TITLES[name]
        found.append(_curve(name, title, steps["at"], values, steps["test_images"][name], steps["rows"]))
    for name in ("canvas_means", "canvas_deviations"):
        values, test = document[name], document["test_images"][name][-1]
        at = range(1, len(values) + 1)
        found.append(_curve(name, _STEP_TITLES[name], at, values, test, document["rows"]))
    return found


def _curve(
    name: str, title: str, at: Sequence[int], values: Sequence[float], test: float, rows: int
) -> dict[str, Any]:
    chart = curve(at, values, test)
    return {"name": name, "title": title, "values": values, "test": test, "rows": rows, "chart": chart}


def _classes(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Shares of the classes by the second classifier, each with widths of bars in percent of the largest."""
    drawn = document["reporting_classifier"]["class_shares"]
    test = document["test_images"]["reporting_classifier"]["class_shares"]
    most = max(*drawn.values(), *test.values()) or 1.0
    return [
        {
            "name": name,
            "drawn": share,
            "test": test[name],
            "widths": [round(100 * each / most, 1) for each in (share, test[name])],
        }
        for name, share in drawn.items()
    ]


def _confidence(document: Mapping[str, Any]) -> dict[str, list[float]]:
    shares = document["test_images"]["confidence_shares"]
    return {"drawn": shares["drawings"], "test": shares["test_images"]}


def _left_out(document: Mapping[str, Any]) -> list[str]:
    """Why something is not there, a sentence each."""
    asked = document["settings"]["without"]
    reasons = document.get("measures", {}).get("left_out", {}).values()
    said = [reason for reason in reasons if reason != "--without"]
    return ([f"left out as asked: {', '.join(asked)}"] if asked else []) + list(dict.fromkeys(said))


def _command(document: Mapping[str, Any]) -> str:
    """What measures the same again; where bundle and data lie, its reader knows."""
    settings = document["settings"]
    words = ["pentimento evaluate", document["bundle"]["name"], "--dataset", document["dataset"]["name"]]
    words += [f"--rows {settings['rows']} --seed {settings['seed']}"]
    if settings["steps"] is not None:
        words.append(f"--steps {settings['steps']}")
    if settings["importance_samples"]:
        words.append(f"--importance-samples {settings['importance_samples']}")
    words += [f"--without {name}" for name in settings["without"]]
    return " ".join(words)
