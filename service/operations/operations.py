"""The operations, free of any protocol: check, draw the noise, submit, gather. Both transports call these."""

__all__ = ["Drawing", "Operations", "Weigh"]

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias, cast

from pentimento.bundle.drawing import KNOWN, KNOWN_MASK
from pentimento.bundle.manifest import Manifest
from pentimento.service.catalog.catalog import Catalog
from pentimento.service.catalog.plan import plan_encode
from pentimento.service.catalog.reloading import Reloading
from pentimento.service.catalog.served import ModelInfo, Refusal, Reload
from pentimento.service.engine.engine import Engine
from pentimento.service.engine.job import Call
from pentimento.service.engine.room import Place
from pentimento.service.engine.rows import Array, Arrays
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.messages import (
    AutoencodeRequest,
    CompleteRequest,
    Floats,
    GenerateRequest,
    Header,
)
from pentimento.service.operations import checks, inputs
from pentimento.service.operations.admission import Admission, draw_seed
from pentimento.service.operations.checked import Checked, DrawingRequest, Generation, check_drawing
from pentimento.service.operations.drawing import Drawing, RequestObserver
from pentimento.service.operations.inputs import Inputs
from pentimento.service.operations.readings import Readings
from pentimento.service.settings import Settings

_SEEN = {
    "raster": "each drawn pixel saw the given and the drawn pixels above it, and to its left in its row; "
    "given pixels that come after it were kept, but not seen",
    "everywhere": "every step saw all given pixels, wherever they lie, through the noise of that step",
}


Weigh: TypeAlias = Callable[[Header, Manifest], int | None]
"""How many frames an answer holds at a time, None for as many as a stream does.

Called before anything is made; it may refuse an answer that is too large.
"""

# What rows are given, the noise of some of them, and the picture that a client is shown as given.
_Start: TypeAlias = tuple[Arrays, Callable[[range], Mapping[str, Array]], Floats | None]


class Operations(Readings):
    """What can be asked of the served bundles.

    Args:
        catalog: The bundles.
        engine: Runs the jobs.
        settings: The limits.
        observer: Told how each admitted request ended.
        reload: Has all processes of the server read the folder again; None: this one is all.

    Every method raises PentimentoError: INVALID_ARGUMENT, NOT_FOUND, UNSUPPORTED, OVERLOADED or UNAVAILABLE
    before anything is computed. Later trouble (DEADLINE_EXCEEDED, INFERENCE_FAILED) is raised by the
    iteration of a `Drawing`, or by the method where it returns a result.
    """

    def __init__(
        self,
        catalog: Catalog,
        engine: Engine,
        settings: Settings,
        observer: RequestObserver | None = None,
        reload: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        super().__init__(catalog, Admission(engine, settings, observer), settings)
        self._engine = engine
        self.reload_here = Reloading(catalog)
        self._reload = reload or self.reload_here

    @property
    def accepting(self) -> bool:
        """Whether new work is admitted: false before the start and while draining."""
        return self._engine.accepting

    @property
    def control_names(self) -> frozenset[str]:
        """Names of all controls that some served bundle has."""
        return self._catalog.controls

    def models(self) -> tuple[tuple[ModelInfo, ...], tuple[Refusal, ...]]:
        """Served bundles by name, and the folders that were refused."""
        return self._catalog.infos(), self._catalog.refused

    def model(self, name: str | None) -> ModelInfo:
        """One served bundle, None: the default one; NOT_FOUND if there is none of that name."""
        return self._catalog.info(name)

    async def reload(self) -> Reload:
        """Reads the bundle folder again; drawings that run keep the version that they began with.

        Raises:
            PentimentoError: UNAVAILABLE while draining, or if the folder cannot be read.
        """
        if not self.accepting:
            raise PentimentoError(Code.UNAVAILABLE, "the server admits no new work", retry_after_s=1.0)
        return cast("Reload", await self._reload())

    def check_generate(self, request: GenerateRequest) -> Generation:
        """Checks a drawing from noise, and finds what it will be; nothing is admitted, drawn or held."""
        model = self._catalog.able(request.model, "generate")
        manifest = model.manifest
        steps = checks.steps(manifest, request.steps)
        n = checks.image_count(request, self._settings.max_images)
        seed = draw_seed(request.seed)
        seeds = checks.seeds(manifest, request.seeds)
        controls = checks.controls(manifest, request.controls)
        labels = checks.labels(manifest, request, n)
        checked = check_drawing(self._catalog, model, request, n, steps, seed)
        return Generation(
            model=model,
            judging=checked.judging,
            header=checked.header,
            request=request,
            labels=labels,
            controls=controls,
            seeds=seeds,
        )

    async def generate(self, request: GenerateRequest | Generation, weigh: Weigh | None = None) -> Drawing:
        """Draws images from noise. Returns when the drawing is admitted, before its first step.

        Args:
            request: What is asked for, or what came of checking it.
            weigh: Of the transport; None: the answer is a stream. So it is for all that draw.
        """
        checked = request if isinstance(request, Generation) else self.check_generate(request)
        manifest, header, given = checked.model.manifest, checked.header, checked.request.latents
        n, steps = header.n, header.steps
        chosen = inputs.chosen(manifest, checked.controls, n, steps)
        labels = inputs.labels(checked.labels, n)

        async def prepare(place: Place) -> _Start:
            latents: Arrays = {}
            if given:
                doing, work = "its latents were read", checks.latents
                latents = await self._admission.apart(place, doing, work, manifest, given, n, steps)
            noise = inputs.drawing_noise(manifest, header.seed, steps, seeds=checked.seeds, given=latents)
            return labels | chosen | inputs.nothing_known(manifest, n), noise, None

        return await self._draw(checked, checked.request, prepare, weigh)

    async def autoencode(self, request: AutoencodeRequest, weigh: Weigh | None = None) -> Drawing:
        """Encodes an image and draws it again, step by step, `samples` times."""
        model = self._catalog.able(request.model, "autoencode")
        manifest = model.manifest
        n = checks.in_range("samples", request.samples, 1, self._settings.max_images)
        steps = checks.reconstruction_steps(manifest, request.steps)
        seed = draw_seed(request.seed)
        labels = inputs.labels(checks.label(manifest, request.label), n)
        chosen = inputs.chosen(manifest, checks.controls(manifest, request.controls), n, steps)
        encoded = {tensor.name for tensor in manifest.graphs["encode"].outputs}

        async def prepare(place: Place) -> _Start:
            image = await self._admission.read(place, manifest, (request.image,), request.fit, seed)
            drawn, eps = inputs.drawing_noise(manifest, seed, steps), inputs.eps(manifest, "encode", seed)
            given = labels | chosen | inputs.nothing_known(manifest, n) | {"image": image.repeat(n, axis=0)}

            def noise(rows: range) -> Arrays:
                # The encoder's latents take the place of noise.
                return {k: v for k, v in drawn(rows).items() if k not in encoded} | dict(eps(rows))

            return given, noise, image

        before = plan_encode(manifest, model.graphs)
        checked = check_drawing(self._catalog, model, request, n, steps, seed)
        return await self._draw(checked, request, prepare, weigh, before=before)

    async def complete(self, request: CompleteRequest, weigh: Weigh | None = None) -> Drawing:
        """Keeps the pixels of an image that the mask says are given, and draws the others, `n` times."""
        model = self._catalog.able(request.model, "complete")
        manifest = model.manifest
        n = checks.in_range("n", request.n, 1, self._settings.max_images)
        steps = checks.steps(manifest, request.steps)
        seed = draw_seed(request.seed)
        labels = inputs.labels(checks.label(manifest, request.label), n)
        chosen = inputs.chosen(manifest, checks.controls(manifest, request.controls), n, steps)

        async def prepare(place: Place) -> _Start:
            image, mask = await self._admission.read_with_mask(place, manifest, request, seed)
            known = image * mask
            given = labels | chosen | {KNOWN: known.repeat(n, axis=0), KNOWN_MASK: mask.repeat(n, axis=0)}
            return given, inputs.drawing_noise(manifest, seed, steps), known

        assert manifest.drawing is not None and manifest.drawing.completion is not None
        seen = _SEEN[manifest.drawing.completion]
        checked = check_drawing(self._catalog, model, request, n, steps, seed, conditioning=seen)
        return await self._draw(checked, request, prepare, weigh)

    async def _draw(
        self,
        checked: Checked,
        request: DrawingRequest,
        prepare: Callable[[Place], Awaitable[_Start]],
        weigh: Weigh | None,
        *,
        before: tuple[Call, ...] = (),
    ) -> Drawing:
        """Admits a drawing, prepares it, and begins with the calls of `before`, then those of its plan."""
        manifest, header = checked.model.manifest, checked.header
        n, steps = header.n, header.steps
        plan = before + checked.model.plan(steps, checked.judging.judge if checked.judging else None)
        frames = None if weigh is None else weigh(header, manifest)
        answer = n * inputs.frame_values(manifest) * min(steps, frames or self._settings.stream_frames)
        drawn = inputs.noise_values(manifest, steps)
        each = drawn + inputs.given_values(manifest)
        field = "samples" if isinstance(request, AutoencodeRequest) else "n"
        with self._admission.reserve(n, each, request.timeout_ms, field=field, answer=answer) as place:
            given, noise, shown = await prepare(place)
            start = Inputs(n=n, given=given, noise=noise, noise_values=drawn)
            tickets = await self._admission.start(place, plan, start)
            jobs = self._admission.jobs(manifest, tickets)
            return Drawing(header, jobs, deadline=place.deadline, given=shown)
