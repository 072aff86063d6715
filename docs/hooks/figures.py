"""Tables of what the manifests of zoo/ say. No figure of a bundle is typed by hand."""

__all__ = ["bundles", "drawing_figures", "likelihood_figures", "reconstruction_figures", "zoo"]

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pentimento.bundle.manifest import Manifest, Provenance
from pentimento.bundle.store import read_manifest

ZOO = Path(__file__).parents[2] / "zoo"

# The page of each family; a family without one makes the build fail.
PAGES = {
    "gran": "gran.md",
    "gated_pixelcnn": "pixelcnn.md",
    "pixelvae": "pixelvae.md",
    "pixelvae_two_level": "pixelvae-two-level.md",
    "vae": "vae.md",
    "draw": "draw.md",
    "draw_gan": "draw-gan.md",
    "bigan": "bigan.md",
    "bigran": "bigran.md",
    "flow_matching": "flow-matching.md",
    "ddpm": "diffusion.md",
    "dcgan": "dcgan.md",
    "wgan_gp": "wgan-gp.md",
    "acgan": "acgan.md",
}

_SHOWN_LEVELS = 3  # of a KL, one by one


def _manifest(name: str) -> Manifest:
    return read_manifest(ZOO / name)


def _provenance(manifest: Manifest) -> Provenance:
    if manifest.provenance is None:
        raise ValueError(f"bundle {manifest.name!r} does not say where it comes from")
    return manifest.provenance


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right_from: int = 1) -> str:
    """A Markdown table whose columns are aligned to the right from the given one on."""
    marks = ["---:" if column >= right_from else "---" for column in range(len(head))]
    lines = [head, marks, *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def drawing_figures(*names: str) -> str:
    """What drawings of bundles are worth: a row a bundle."""
    rows = []
    for name in names:
        manifest = _manifest(name)
        judged = _provenance(manifest).evaluation
        assert manifest.drawing is not None
        rows.append(
            (
                f"`{name}`",
                str(manifest.drawing.steps.trained),
                f"{judged['rows']:,}",
                # Classes that are asked for in turn come in equal shares by construction.
                "asked for" if manifest.labels else f"{judged['kl_to_data']:.3f}",
                "asked for" if manifest.labels else f"{min(judged['class_shares'].values()):.1%}",
                f"{judged['confidence']:.3f}{_of_test_images(judged.get('classifier'))}",
                _second(judged, "confidence"),
                f"{judged['label_accuracy']:.1%}" if "label_accuracy" in judged else "-",
                f"{judged['novelty']['copied_share']:.1%}" if "novelty" in judged else "-",
            )
        )
    head = (
        "bundle",
        "steps",
        "drawings judged",
        "KL(classes ‖ data)",
        "smallest class",
        "confidence (of test images)",
        "second judge's",
        "class asked for",
        "near copies",
    )
    return table(head, rows)


def _of_test_images(classifier: dict[str, float] | None) -> str:
    return f" ({classifier['test_confidence']:.3f})" if classifier else ""


def _second(judged: dict[str, Any], figure: str) -> str:
    """A figure by the classifier that has chosen no checkpoint."""
    said = judged.get("reporting_classifier")
    return f"{said[figure]:.3f}{_of_test_images(said)}" if said else "-"


def likelihood_figures(*names: str) -> str:
    """What likelihoods of test images bundles give: a row a bundle."""
    rows = []
    for name in names:
        judged = _provenance(_manifest(name)).evaluation
        found, sampled = judged["likelihood"], judged.get("importance")
        rows.append(
            (
                f"`{name}`",
                f"{'' if found['exact'] else '≤ '}{found['nats']:.2f} ± {found['standard_error']:.2f}",
                _kl(found["kl"]),
                f"≤ {sampled['nats']:.2f} ± {sampled['standard_error']:.2f} (≤ {sampled['elbo_nats']:.2f})"
                if sampled and "elbo_nats" in sampled
                else "-",
                f"{judged['neighbours']['error']:.1%}" if "neighbours" in judged else "-",
            )
        )
    return table(
        ("bundle", "nats", "of them KL", "500 random images: 50 draws (one draw)", "neighbours' error"), rows
    )


def reconstruction_figures(*names: str) -> str:
    """How near to test images bundles draw them again, of models without a likelihood: a row a bundle."""
    rows = []
    for name in names:
        judged = _provenance(_manifest(name)).evaluation
        found = judged["reconstruction"]
        rows.append(
            (
                f"`{name}`",
                f"{found['rows']:,}",
                f"{found['l2']:.2f}",
                f"{found['l2_random']:.2f}",
                f"{found['ratio']:.3f}",
                f"{found['same_class']:.1%}",
                f"{judged['neighbours']['error']:.1%}" if "neighbours" in judged else "-",
            )
        )
    head = (
        "bundle",
        "test images",
        "distance to the reconstruction",
        "to another's",
        "ratio",
        "same class",
        "neighbours' error",
    )
    return table(head, rows)


def _kl(levels: Sequence[float]) -> str:
    """The KL level by level; where there are many, as in a model that draws in steps, their sum."""
    if len(levels) > _SHOWN_LEVELS:
        return f"{sum(levels):.1f} in {len(levels)} steps"
    return " + ".join(f"{kl:.1f}" for kl in levels) or "-"


def bundles(*names: str) -> str:
    """Where bundles come from: a column a bundle."""
    manifests = [_manifest(name) for name in names]
    sources = [_provenance(manifest) for manifest in manifests]
    lines = {
        "trained on": [
            source.dataset + (f" ({source.dataset_note})" if source.dataset_note else "")
            for source in sources
        ],
        "epochs": [f"{source.epochs:g}" for source in sources],
        "updates": [f"{source.iterations:,}" for source in sources],
        "training": [f"{(source.train_seconds or 0) / 60:.0f} min" for source in sources],
        "on": [source.device or "" for source in sources],
        "graphs": [", ".join(f"`{graph}`" for graph in manifest.graphs) for manifest in manifests],
        "size": [f"{_bytes(manifest) / 1e6:.1f} MB" for manifest in manifests],
        "torch against ONNX Runtime": [
            f"{manifest.parity.torch_vs_onnxruntime:.1e}" if manifest.parity else "-"
            for manifest in manifests
        ],
        "batched against alone": [
            f"{manifest.parity.batched_vs_single:.1e}" if manifest.parity else "-" for manifest in manifests
        ],
    }
    return table(
        ("", *(f"`{name}`" for name in names)), [(line, *cells) for line, cells in lines.items()], 99
    )


def zoo() -> str:
    """All bundles, each with its page, its paper and what it can do."""
    rows = []
    for folder in sorted(ZOO.iterdir()):
        if not (folder / "manifest.json").is_file():
            continue
        manifest = read_manifest(folder)
        paper, drawing = manifest.paper, manifest.drawing
        assert drawing is not None
        cited = f"[{paper.title}](https://arxiv.org/abs/{paper.arxiv}), {paper.year}" if paper else "-"
        steps = drawing.steps
        can = [
            word
            for word, there in (
                ("score", manifest.scorer),
                ("encode", "encode" in manifest.graphs),
                ("complete", drawing.completion),
                ("likelihood", manifest.likelihood),
                ("label", manifest.labels),
            )
            if there
        ]
        rows.append(
            (
                f"[`{manifest.name}`]({PAGES[manifest.family]})",
                cited,
                f"{steps.min}" if steps.min == steps.max else f"{steps.min} to {steps.max}",
                ", ".join(can) or "-",
                f"{_bytes(manifest) / 1e6:.1f} MB",
            )
        )
    return table(("bundle", "paper", "steps", "besides drawing", "size"), rows, 4)


def _bytes(manifest: Manifest) -> int:
    return sum((ZOO / manifest.name / graph.file).stat().st_size for graph in manifest.graphs.values())
