"""Asks the scorer of a bundle about pictures that others drew, in ONNX Runtime and without torch.

A scorer that looks at a picture alone, or at a picture and its class, can be asked about anything of its
shape. One that also takes latents, or the step of a drawing, judges drawings of its own kind only: a picture
of somebody else has no latents of that space.
"""

__all__ = ["PictureScorer", "reason_against"]

import numpy as np
from numpy.typing import NDArray

from pentimento.bundle.manifest import Manifest
from pentimento.bundle.noise import draw
from pentimento.bundle.scorer import SCORE
from pentimento.bundle.store import Bundle
from pentimento.training.export.session import Session

_CHUNK_ROWS = 250
_SEED = 1  # of the pixels of a binarisation by sampling, the same for whoever is judged


def reason_against(manifest: Manifest, class_names: tuple[str, ...] | None, whose: str) -> str | None:
    """Why the scorer of a bundle has no error rate on some pictures, in a sentence; None if it has one.

    Args:
        manifest: Of the bundle with the scorer.
        class_names: Classes of the pictures; None for pictures without.
        whose: Words for them, such as `test images` or `drawings of gran5-mnist`.
    """
    name, scorer = manifest.name, manifest.scorer
    if scorer is None:
        return f"bundle {name!r} has no scorer, so it judges nobody"
    if scorer.kind == "critic":
        return (
            f"the scorer of {name!r} is a critic, whose numbers have no zero that would part data from "
            f"drawings: it has no error rate"
        )
    others = [
        tensor.name for tensor in manifest.graphs[SCORE].inputs if tensor.name not in ("image", "label")
    ]
    if others:
        return (
            f"the scorer of {name!r} judges a picture together with {' and '.join(map(repr, others))}, which "
            f"pictures of others do not have"
        )
    if manifest.graphs[SCORE].input("label") is None:
        return None
    wanted = manifest.labels.names if manifest.labels else ()
    if class_names is None:
        return f"the scorer of {name!r} judges a picture with its class, and {whose} have none"
    if len(class_names) != len(wanted):
        return f"the scorer of {name!r} knows {len(wanted)} classes, and {whose} have {len(class_names)}"
    if class_names != wanted:
        ours, theirs = next(pair for pair in zip(wanted, class_names, strict=True) if pair[0] != pair[1])
        return f"the scorer of {name!r} knows a class {ours!r}, which {whose} call {theirs!r}"
    return None


class PictureScorer:
    """The scorer of a bundle that judges pictures of others; see `reason_against`.

    Args:
        bundle: Whose `score` graph takes `image`, and at most `label` beside it.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._manifest = bundle.manifest
        self._session = Session(bundle.graphs[SCORE], bundle.weights)

    def logits(self, images: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float32]:
        """What it says of pictures; more is more real.

        Args:
            images: In [0, 1], shape (N, C, H, W); binarised as the bundle's data were, where these were.
            labels: The class of each, (N,); any number where the scorer does not take it.

        Returns:
            Logits, (N,).

        Raises:
            ValueError: One of them is not a number.
        """
        parts = []
        for start in range(0, len(images), _CHUNK_ROWS):
            rows = slice(start, start + _CHUNK_ROWS)
            image = self._as_seen(images[rows], start)
            parts.append(self._session.run({"image": image, "label": labels[rows]})["logit"])
        logits = np.concatenate(parts).astype(np.float32)
        if not np.isfinite(logits).all():
            row = int(np.argmin(np.isfinite(logits)))
            raise ValueError(f"the scorer of {self._manifest.name!r} says {logits[row]} of picture {row}")
        return logits

    def _as_seen(self, images: NDArray[np.float32], first_row: int) -> NDArray[np.float32]:
        """Pictures as the bundle's data were, in [0, 1] or black and white; as a server shows them to it."""
        rule = self._manifest.image.binarisation
        if rule is None:
            return images
        if rule == "threshold":
            return (images >= 0.5).astype(np.float32)
        rows = range(first_row, first_row + len(images))
        levels = draw(_SEED, "binarisation", images.shape[1:], rows=rows, prior="uniform")
        return (levels < images).astype(np.float32)
