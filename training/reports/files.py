"""A report in a folder: all figures as JSON, and the page."""

__all__ = ["PAGE", "RECORD", "refuse_to_replace_report", "report_document", "write_report"]

import json
import os
from pathlib import Path
from typing import Any

from pentimento.program.tables import finite
from pentimento.training.reports.cache import hash_of_manifest
from pentimento.training.reports.evaluation import BundleFigures
from pentimento.training.reports.examiner import Examiner
from pentimento.training.reports.page import render_page

RECORD, PAGE = "report.json", "report.html"


def refuse_to_replace_report(out: Path, *, overwrite: bool) -> None:
    """Raises a ValueError if a report may not be written to this folder.

    Args:
        out: The folder.
        overwrite: Whether a report that is there may be replaced.
    """
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out must be a folder, got the file {str(out)!r}")
    there = [name for name in (RECORD, PAGE) if (out / name).exists()]
    if there and not overwrite:
        raise ValueError(
            f"--out {str(out)!r} holds a {there[0]} already; add --overwrite, or name another folder"
        )


def report_document(examiner: Examiner, found: BundleFigures) -> dict[str, Any]:
    """All figures of a report, and what they are of; those of `evaluate --json` under the same names."""
    manifest, plan, dataset = examiner.bundle.manifest, examiner.plan, examiner.dataset
    about = {
        "bundle": {
            "name": manifest.name,
            "version": manifest.version,
            "family": manifest.family,
            "summary": manifest.summary,
            "sha256": hash_of_manifest(examiner.bundle),
            "image_shape": manifest.image.shape,
        },
        "dataset": {"name": dataset.name, "sha256": dataset.sha256, "test_images": len(dataset.test.images)},
        "settings": {
            "rows": plan.rows,
            "seed": plan.seed,
            "steps": None if manifest.drawing is None else examiner.drawings.step_count,
            "importance_samples": plan.importance_samples,
            "without": sorted(plan.without),
        },
    }
    measures = {} if found.measures is None else {"measures": found.measures}
    more = {"test_images": found.test_images, "steps": found.steps} if found.test_images else {}
    return {**about, **found.judged, **measures, **more}


def write_report(out: Path, examiner: Examiner, found: BundleFigures) -> tuple[Path, Path]:
    """Writes JSON and page into a folder, which is made if need be.

    Returns:
        The page, and the JSON.
    """
    document = report_document(examiner, found)
    out.mkdir(parents=True, exist_ok=True)
    page = render_page(document, found.pictures)
    _write(out / RECORD, json.dumps(finite(document), indent=2, allow_nan=False) + "\n")
    _write(out / PAGE, page)
    return out / PAGE, out / RECORD


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")  # whole or not at all
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
