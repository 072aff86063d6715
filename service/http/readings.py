"""Routes that read pictures: judge them, encode them, say how likely they are."""

__all__ = ["router"]

import time
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from pentimento.service.http import docs
from pentimento.service.http.bodies import read_images, read_judged_images
from pentimento.service.http.context import Context, Server, counted
from pentimento.service.http.drawing_json import array_json, object_json, pictures_base64, score_objects
from pentimento.service.http.exchange import exchange_of
from pentimento.service.http.reading_schemas import (
    EncodeAnswerBody,
    EncodeQuery,
    LikelihoodAnswerBody,
    LikelihoodBody,
    LikelihoodQuery,
    ScoreAnswerBody,
    ScoreGroupQuery,
)
from pentimento.service.http.schemas import ScoreBody, TimingBody
from pentimento.service.http.watching import unless_disconnected
from pentimento.service.messages import EncodeRequest, ImageInput, LikelihoodRequest, ScoreRequest, Timing
from pentimento.service.operations.checks import timeout_s
from pentimento.service.operations.whole_answers import made

router = APIRouter()


@router.post("/score", dependencies=[counted("score")], **docs.SCORE)
async def score(
    request: Request, query: Annotated[ScoreGroupQuery, Query()], server: Server
) -> ScoreAnswerBody:
    """Judges images with a model's scorer: a raw PNG or JPEG body, multipart files, or base64 in JSON.

    `kind` says how to read the answer: a discriminator's logit comes with the probability of `real`; a
    critic's score is unbounded, has no probability, and is comparable only within one model. More is more
    real.
    """
    images, latents = await read_judged_images(request, server.settings)
    asked = ScoreRequest(images=images, latents=latents, **query.model_dump(exclude_none=True))
    exchange_of(request.scope).asks(asked)
    result = await unless_disconnected(request.receive, server.operations.score(asked))
    exchange_of(request.scope).model = result.model
    return ScoreAnswerBody(
        model=result.model,
        version=result.version,
        kind=result.scores.kind,
        scores=[ScoreBody(**scores) for scores in score_objects(result.scores)],
        group=result.group,
        timing=_timing(result.timing),
    )


@router.post("/encode", response_model=EncodeAnswerBody, dependencies=[counted("encode")], **docs.ENCODE)
async def encode(request: Request, query: Annotated[EncodeQuery, Query()], server: Server) -> Response:
    """Encodes images. The latents of the answer can be given to `/generate`."""
    images = await _images(request, server)
    asked = EncodeRequest(images=images, **query.model_dump(exclude_none=True))
    exchange_of(request.scope).asks(asked)
    began = time.monotonic()
    result = await unless_disconnected(request.receive, server.operations.encode(asked))
    exchange_of(request.scope).model = result.model

    def body() -> bytes:
        answer = EncodeAnswerBody(
            model=result.model,
            version=result.version,
            seed=result.seed,
            inputs=pictures_base64(result.given),
            encoding={},
            timing=_timing(result.timing),
        )
        numbers = {name: array_json(values) for name, values in result.encoding.items()}
        return object_json(answer.model_dump(exclude_none=True), encoding=object_json({}, **numbers))

    return await _made(result.weight, timeout_s(asked.timeout_ms, server.settings) + began, body)


@router.post(
    "/likelihood",
    response_model=LikelihoodAnswerBody,
    dependencies=[counted("likelihood")],
    **docs.LIKELIHOOD,
)
async def likelihood(
    request: Request, query: Annotated[LikelihoodQuery, Query()], server: Server
) -> Response:
    """Says how likely a model finds images: exactly, or as a lower bound from `importance_samples` draws."""
    images = await _images(request, server)
    asked = LikelihoodRequest(images=images, **query.model_dump(exclude_none=True))
    exchange_of(request.scope).asks(asked)
    began = time.monotonic()
    result = await unless_disconnected(request.receive, server.operations.likelihood(asked))
    exchange_of(request.scope).model = result.model

    def body() -> bytes:
        count, errors, pixels = len(result.nats), result.standard_errors, result.pixels
        said = [None] * count if errors is None else errors.tolist()
        rows = zip(result.nats.tolist(), result.bits_per_dim.tolist(), said, strict=True)
        answer = LikelihoodAnswerBody(
            model=result.model,
            version=result.version,
            seed=result.seed,
            kind=result.kind,
            importance_samples=result.importance_samples,
            inputs=pictures_base64(result.given),
            likelihoods=[
                LikelihoodBody(nats=nats, bits_per_dim=bits, standard_error=error)
                for nats, bits, error in rows
            ],
            timing=_timing(result.timing),
        )
        large = {} if pixels is None else {"pixels": array_json(pixels)}
        return object_json(answer.model_dump(exclude_none=True), **large)

    return await _made(result.weight, timeout_s(asked.timeout_ms, server.settings) + began, body)


async def _made(values: int, end: float, body: Callable[[], bytes]) -> Response:
    """The answer that `body` makes of so many values, in time: by `end` on the monotonic clock."""
    return Response(await made(values, end - time.monotonic(), body), media_type="application/json")


async def _images(request: Request, server: Context) -> tuple[ImageInput, ...]:
    return await read_images(request, server.settings)


def _timing(timing: Timing) -> TimingBody:
    return TimingBody(queue_us=timing.queue_us, total_us=timing.total_us)
