"""From a checked request to admitted jobs: decodes images, draws noise, and submits all rows or none."""

__all__ = ["Admission", "draw_seed"]

import asyncio
import random
from collections.abc import Sequence

from pentimento.bundle.manifest import Manifest
from pentimento.service.engine.engine import Engine
from pentimento.service.engine.job import Call, Emission
from pentimento.service.messages import Fit, Floats, ImageInput
from pentimento.service.operations import checks, pictures
from pentimento.service.operations.drawing import Jobs, RequestObserver, gather
from pentimento.service.operations.inputs import Inputs
from pentimento.service.settings import Settings

_ON_LOOP_VALUES = 50_000  # of noise, about a millisecond; more are drawn in a thread


class Admission:
    """Turns the inputs of a request into jobs of the engine.

    Args:
        engine: Runs them.
        settings: The limits.
        observer: Told how each admitted request ended.
    """

    def __init__(self, engine: Engine, settings: Settings, observer: RequestObserver | None) -> None:
        self._engine = engine
        self._settings = settings
        self._observer = observer

    async def submit(
        self, manifest: Manifest, plan: Sequence[Call], start: Inputs, timeout_ms: int | None
    ) -> Jobs:
        """Submits all rows of a request, or none; much noise is drawn in a thread.

        Args:
            manifest: Of the bundle that is asked.
            plan: Graph calls that every row makes.
            start: Tensors that the rows start from.
            timeout_ms: As in the request; None takes the default.

        Raises:
            PentimentoError: INVALID_ARGUMENT, OVERLOADED or UNAVAILABLE.
        """
        timeout_s = checks.timeout_s(timeout_ms, self._settings)
        self._engine.check_room(start.n)  # before the noise is drawn: a refusal should cost next to nothing
        if start.n * start.noise_values > _ON_LOOP_VALUES:
            submissions = await asyncio.to_thread(start.submissions, plan, self._engine.lanes)
        else:
            submissions = start.submissions(plan, self._engine.lanes)
        tickets = self._engine.submit(submissions, timeout_s=timeout_s)
        return Jobs(tickets, manifest, self._observer)

    async def run(
        self, manifest: Manifest, plan: Sequence[Call], start: Inputs, timeout_ms: int | None
    ) -> tuple[list[tuple[int, list[Emission]]], Jobs]:
        """Submits a request and waits for its end; arguments as for `submit`.

        Returns:
            For each step its number and the emissions of all jobs; and the jobs, which hold the timing.

        Raises:
            PentimentoError: As `submit`; or DEADLINE_EXCEEDED, INFERENCE_FAILED.
        """
        with await self.submit(manifest, plan, start, timeout_ms) as jobs:
            return [emitted async for emitted in gather(jobs.tickets)], jobs

    async def read(self, manifest: Manifest, images: Sequence[ImageInput], fit: Fit, seed: int) -> Floats:
        """Decodes given images in a thread, as the bundle sees them, (n, C, H, W) in [0, 1].

        Raises:
            PentimentoError: INVALID_ARGUMENT.
        """
        checks.in_range("images", len(images), 1, self._settings.max_images)
        pixels = self._settings.max_image_pixels
        return await asyncio.to_thread(pictures.read_images, images, manifest.image, fit, pixels, seed)


def draw_seed(value: int | None) -> int:
    """The seed of a request, or a new one where it names none.

    Raises:
        PentimentoError: INVALID_ARGUMENT: it is out of range.
    """
    # No secret: asking the system for one would take longer than all the checks.
    return checks.seed(random.getrandbits(32) if value is None else value)
