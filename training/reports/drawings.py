"""The drawings that a report is about, made when somebody asks for them: what is kept needs none."""

__all__ = ["STEP_ROWS", "Drawings", "shown_steps"]

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from pentimento.bundle.store import Bundle
from pentimento.training.export.draw import draw_bundle

STEP_ROWS = 1000  # drawings whose canvases are measured step by step
_MOST_STEPS = 12  # that are shown and measured, the first and the last among them


def shown_steps(step_count: int) -> list[int]:
    """The steps, counted from 0, that are looked at: all, or twelve that lie evenly."""
    chosen = np.linspace(0, step_count - 1, min(step_count, _MOST_STEPS)).round().astype(int)
    return [int(step) for step in chosen]


class Drawings:
    """Drawings of a bundle with one seed, of all classes in turn."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        rows: int,
        seed: int,
        step_count: int | None,
        progress: Callable[[str], None],
    ) -> None:
        """Draws nothing yet.

        Args:
            bundle: One that draws.
            rows: How many.
            seed: Of their noise.
            step_count: Canvases of each, by default the bundle's default.
            progress: Called with a sentence as drawings are made.
        """
        assert bundle.manifest.drawing is not None
        self.rows, self.step_count = rows, step_count or bundle.manifest.drawing.steps.default
        self.shown_steps = shown_steps(self.step_count)
        self._bundle, self._seed, self._progress = bundle, seed, progress
        self._finished: list[Tensor] = []
        self._stepwise: list[Tensor] = []

    def chunks(self) -> Iterator[Tensor]:
        """Draws all, and remembers what the properties give; canvases in [0, 1], shape (B, T, C, H, W)."""
        finished: list[Tensor] = []
        stepwise: list[Tensor] = []
        done = 0
        for canvases in self._draw(self.rows):
            finished.append(canvases[:, -1].clone())  # a view would keep all canvases
            if done < STEP_ROWS:
                stepwise.append(canvases[: STEP_ROWS - done, self.shown_steps])
            done += len(canvases)
            yield canvases
        self._finished, self._stepwise = finished, stepwise

    @property
    def finished(self) -> Tensor:
        """Last canvases in [0, 1], shape (N, C, H, W)."""
        self._need_all()
        return torch.cat(self._finished)

    @property
    def stepwise(self) -> Tensor:
        """Canvases after `shown_steps` of the first drawings, shape (up to 1,000, S, C, H, W)."""
        self._need_all()
        return torch.cat(self._stepwise)

    def first(self, rows: int) -> Tensor:
        """Canvases after `shown_steps` of the first drawings; only these are drawn if none are yet."""
        if self._stepwise:
            return self.stepwise[:rows]
        return torch.cat([canvases[:, self.shown_steps] for canvases in self._draw(min(rows, self.rows))])

    def _need_all(self) -> None:
        if not self._finished:
            for _ in self.chunks():
                pass

    def _draw(self, rows: int) -> Iterator[Tensor]:
        name, done = self._bundle.manifest.name, 0
        self._progress(f"{name} draws: 0 of {rows:,}")
        for canvases in draw_bundle(self._bundle, rows=rows, seed=self._seed, step_count=self.step_count):
            done += len(canvases)
            self._progress(f"{name} draws: {done:,} of {rows:,}")
            yield canvases
