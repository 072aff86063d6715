"""From a checked request to its jobs: room first, then pictures and noise, apart from the event loop.

A refusal costs next to nothing, as nothing is made before it; and a deadline holds from the beginning.
"""

__all__ = ["Admission", "draw_seed"]

import secrets
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from pentimento.bundle.manifest import Manifest
from pentimento.service.engine.engine import Engine, Ticket
from pentimento.service.engine.job import Call, Emission
from pentimento.service.engine.room import Place
from pentimento.service.errors import invalid
from pentimento.service.fair_threads import FairThreads
from pentimento.service.messages import CompleteRequest, Fit, Floats, ImageInput
from pentimento.service.operations import checks, pictures
from pentimento.service.operations.drawing import Jobs, RequestObserver, check_deadline, gather
from pentimento.service.operations.inputs import Inputs
from pentimento.service.operations.pictures import PixelBudget
from pentimento.service.settings import Settings

T = TypeVar("T")

# What every client can hold exactly, also one that reads JSON's numbers as double precision. From the system:
# a seed is all that it takes to draw a picture again, and a generator's numbers give those after them away.
_SEED_BITS = 53

_ON_LOOP_VALUES = 50_000  # of noise, about a millisecond; more are drawn in a thread
_THREADS = 2  # of their own, so that large pictures take none from answers, and few are unpacked at a time


class Admission:
    """Turns the inputs of a request into jobs of the engine.

    Args:
        engine: Runs them.
        settings: The limits.
        observer: Told how each request ended whose jobs had begun.
    """

    def __init__(self, engine: Engine, settings: Settings, observer: RequestObserver | None) -> None:
        self._engine = engine
        self._settings = settings
        self._observer = observer
        self._threads = FairThreads(_THREADS, "prepare")

    def reserve(
        self, rows: int, each: int, timeout_ms: int | None, *, field: str = "images", answer: int = 0
    ) -> Place:
        """Admits a request before anything is made for it, or refuses it; its time runs from here.

        Args:
            rows: That it will have at a time.
            each: Numbers that it holds for each of them: noise, latents, pixels.
            timeout_ms: As in the request; None takes the default.
            field: Of the request, that says how many rows there are.
            answer: Numbers that are held of its answer at a time; whoever says that has a limit for it.

        Raises:
            PentimentoError: INVALID_ARGUMENT, OVERLOADED or UNAVAILABLE.
        """
        timeout_s = checks.timeout_s(timeout_ms, self._settings)
        most, values = self._settings.max_request_values, rows * each
        if values > most:
            raise invalid(
                field,
                f"is too large: {rows} rows take {each} numbers each, {values} together, and a request may "
                f"take {most}; ask for fewer in one request",
            )
        if values + answer > self._settings.max_values_in_flight:  # it could never be admitted
            raise invalid(
                field,
                f"is too large: {rows} rows and their answer take {values + answer} numbers, and all "
                f"requests together may take {self._settings.max_values_in_flight}; ask for fewer at once",
            )
        return self._engine.reserve(rows, values + answer, timeout_s=timeout_s)

    async def apart(self, place: Place, doing: str, work: Callable[..., T], *args: object) -> T:
        """Does something in a thread, as long as the request's time is not over; clients take turns.

        Args:
            place: Of the request.
            doing: What that is, for the message: "the deadline passed while ...".
            work: A function that blocks for a fraction of a second at most: it is not interrupted.
            args: Its arguments.

        Raises:
            PentimentoError: DEADLINE_EXCEEDED: not in time; or what `work` raises.
        """
        return await self._threads.run(work, *args, left_s=place.left_s, doing=doing)

    async def start(self, place: Place, plan: Sequence[Call], start: Inputs) -> list[Ticket]:
        """Draws the noise, part by part, much of it in a thread, and begins with all jobs of a request.

        Args:
            place: Of the request.
            plan: Graph calls that every row makes.
            start: Tensors that the rows start from.

        Raises:
            PentimentoError: DEADLINE_EXCEEDED or UNAVAILABLE.
        """
        parts = start.parts(plan, self._engine.lanes)
        if start.n * start.noise_values <= _ON_LOOP_VALUES:
            submissions = [start.submission(plan, part) for part in parts]
        else:
            doing = "its noise was drawn"
            submissions = [await self.apart(place, doing, start.submission, plan, part) for part in parts]
        return self._engine.start_jobs(submissions, place)

    def jobs(self, manifest: Manifest, tickets: Sequence[Ticket] = ()) -> Jobs:
        """The jobs of a request, for those that have begun, or will."""
        return Jobs(manifest, self._observer, tickets)

    async def run(
        self, place: Place, manifest: Manifest, plan: Sequence[Call], start: Inputs
    ) -> tuple[list[tuple[int, list[Emission]]], Jobs]:
        """Begins with a request and waits for its end; arguments as for `start`.

        Returns:
            For each step its number and the emissions of all jobs; and the jobs, which hold the timing.

        Raises:
            PentimentoError: As `start`; or INFERENCE_FAILED.
        """
        with self.jobs(manifest, await self.start(place, plan, start)) as jobs:
            emitted = [each async for each in gather(jobs.tickets)]
            check_deadline(place.left_s)  # the last call may have ended too late
            return emitted, jobs

    def check_count(self, images: Sequence[ImageInput]) -> int:
        """The number of given images, if a request may have so many. Raises INVALID_ARGUMENT."""
        return checks.in_range("images", len(images), 1, self._settings.max_images)

    async def read(
        self,
        place: Place,
        manifest: Manifest,
        images: Sequence[ImageInput],
        fit: Fit,
        seed: int,
        alpha: bool = True,
    ) -> Floats:
        """Decodes given images in a thread, one after the other, as the bundle sees them.

        `alpha`: whether their transparency counts, or is left out.

        Returns:
            In [0, 1], (n, C, H, W).

        Raises:
            PentimentoError: INVALID_ARGUMENT; also for more pixels together than a request may have.
        """
        doing, budget = "its pictures were read", self._pixel_budget()
        read = [
            await self.apart(place, doing, pictures.read_image, image, manifest.image, fit, budget, alpha)
            for image in images
        ]
        return await self.apart(place, doing, pictures.as_seen, np.stack(read), manifest.image, seed)

    async def read_with_mask(
        self, place: Place, manifest: Manifest, request: CompleteRequest, seed: int
    ) -> tuple[Floats, Floats]:
        """Decodes an image, (1, C, H, W), and its mask, (1, 1, H, W), as `read` does."""
        image, mask = request.image, request.mask
        read = await self.read(place, manifest, (image,), request.fit, seed, alpha=mask is not image)
        doing, budget = "its mask was read", self._pixel_budget()
        read_mask = pictures.read_transparency if request.mask_by == "alpha" else pictures.read_mask
        return read, await self.apart(place, doing, read_mask, mask, manifest.image, budget)

    def _pixel_budget(self) -> PixelBudget:
        return PixelBudget(self._settings.max_image_pixels, self._settings.max_request_pixels)


def draw_seed(value: int | None) -> int:
    """The seed of a request, or where it names none a new one below 2^53, which nobody can foresee.

    Raises:
        PentimentoError: INVALID_ARGUMENT: it is out of range.
    """
    return checks.seed(secrets.randbits(_SEED_BITS) if value is None else value)
