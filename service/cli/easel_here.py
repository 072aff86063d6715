"""The easel in this process: bundles and engine without a server around them."""

__all__ = ["LocalEasel", "open_here"]

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pentimento.service.catalog.catalog import Catalog
from pentimento.service.catalog.served import Refusal
from pentimento.service.cli.easel import DrawingRequest, Easel, ModelRow
from pentimento.service.cli.serve_options import settings_from
from pentimento.service.engine.engine import Engine
from pentimento.service.engine.lane.threads import LaneThreads
from pentimento.service.engine.runtime import Runtime
from pentimento.service.messages import (
    AutoencodeRequest,
    CompleteRequest,
    EncodeRequest,
    EncodeResult,
    LikelihoodRequest,
    LikelihoodResult,
    ScoreRequest,
    ScoreResult,
)
from pentimento.service.operations.operations import Drawing, Operations
from pentimento.service.settings import available_cpus

# The limits protect a server from its clients; here there is nobody but the user.
_MOST = 4096
_MOST_SAMPLES = 10_000
_MOST_PIXELS = 100_000_000  # of a picture, as in a training's data
_NO_LIMIT = 1 << 62  # who asks is whose memory it is
_TIMEOUT_MS = 600_000


@asynccontextmanager
async def open_here(bundles: Path | None) -> AsyncIterator[Easel]:
    """Loads bundles, starts an engine, and ends it on leaving.

    Args:
        bundles: Folder of bundles; None takes the setting.

    Raises:
        BundleError: There is no such folder.
        ValueError: A setting in the environment is wrong.
    """
    settings = settings_from(
        {
            "max_images": _MOST,
            "max_image_pixels": _MOST_PIXELS,
            "max_request_pixels": _NO_LIMIT,
            "max_request_values": _NO_LIMIT,
            "max_rows_in_flight": _MOST,
            "max_values_in_flight": _NO_LIMIT,
            "max_importance_samples": _MOST_SAMPLES,
            "default_timeout_ms": _TIMEOUT_MS,
        }
    )
    runtime = Runtime(provider=settings.provider, max_batch_rows=settings.max_batch_rows)
    catalog = Catalog.load(bundles or settings.bundles, runtime, default=settings.default_model)
    engine = Engine(
        LaneThreads(available_cpus()),
        max_rows_in_flight=_MOST,
        max_values_in_flight=_NO_LIMIT,
        stream_frames=settings.stream_frames,
    )
    engine.start()
    try:
        yield LocalEasel(Operations(catalog, engine, settings))
    finally:
        await engine.close()


class LocalEasel:
    """Does the work in this process; methods as described in `Easel`."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    @asynccontextmanager
    async def draw(self, request: DrawingRequest, *, exact: bool) -> AsyncIterator[Drawing]:
        """Opens a drawing, whose canvases are always exact; leaving the context cancels it."""
        if isinstance(request, AutoencodeRequest):
            admitted = await self._operations.autoencode(request)
        elif isinstance(request, CompleteRequest):
            admitted = await self._operations.complete(request)
        else:
            admitted = await self._operations.generate(request)
        async with admitted as drawing:
            yield drawing

    async def score(self, request: ScoreRequest) -> ScoreResult:
        """A scorer's verdict on pictures."""
        return await self._operations.score(request)

    async def encode(self, request: EncodeRequest) -> EncodeResult:
        """What a model's encoder makes of pictures."""
        return await self._operations.encode(request)

    async def likelihood(self, request: LikelihoodRequest) -> LikelihoodResult:
        """The log-likelihood of pictures under a model, or a lower bound of it."""
        return await self._operations.likelihood(request)

    async def models(self) -> tuple[list[ModelRow], list[Refusal]]:
        """The loaded models, and the bundles that were refused."""
        infos, refusals = self._operations.models()
        rows = []
        for info in infos:
            manifest, drawing = info.manifest, info.manifest.drawing
            steps = None
            if drawing is not None:
                steps = (drawing.steps.min, drawing.steps.max, drawing.steps.default)
            rows.append(
                ModelRow(
                    name=manifest.name,
                    version=manifest.version,
                    family=manifest.family,
                    summary=manifest.summary,
                    image_shape=manifest.image.shape,
                    steps=steps,
                    labels=manifest.labels.names if manifest.labels else (),
                    score_kind=manifest.scorer.kind if manifest.scorer else None,
                    operations=info.operations,
                    controls=drawing.controls if drawing else (),
                    latents=tuple(noise.name for noise in drawing.noise) if drawing else (),
                    is_default=info.is_default,
                )
            )
        return rows, list(refusals)
