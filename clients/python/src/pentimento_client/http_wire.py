"""Between messages and HTTP: what is sent, how answers and lines are read. No connection is here."""

__all__ = [
    "Call",
    "StreamReader",
    "draw_call",
    "model",
    "model_path",
    "models",
    "score",
    "score_call",
]

import base64
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict
from urllib.parse import quote

import httpx
import numpy as np

from pentimento_client.errors import Code, PentimentoError
from pentimento_client.http_errors import error_from
from pentimento_client.messages import (
    Done,
    DrawRequest,
    Event,
    Frame,
    Header,
    ScoreRequest,
    ScoreResult,
    Scores,
    Timing,
    latent_arrays,
)
from pentimento_client.models import Latent, Model, Models, Refusal, StepRange
from pentimento_client.pixels import Floats, from_png

Json = Mapping[str, Any]


class Call(TypedDict, total=False):
    """Arguments of an HTTP request, as httpx takes them."""

    method: Required[str]
    url: Required[str]
    params: Mapping[str, str | int]
    content: bytes
    headers: Mapping[str, str]


def draw_call(request: DrawRequest) -> Call:
    """The request for a stream of frames.

    Raises:
        PentimentoError: UNSUPPORTED: over HTTP canvases travel as PNG only. INVALID_ARGUMENT: latents that
            are not finite numbers.
    """
    if request.encoding != "png":
        message = "encoding float32 is for gRPC only: over HTTP a stream of canvases is PNG"
        raise PentimentoError(Code.UNSUPPORTED, message, field="encoding")
    body: dict[str, Any] = {
        name: value
        for name in ("model", "n", "steps", "seed", "label")
        if (value := getattr(request, name)) is not None
    }
    if request.score:
        body["score"] = True
    if request.latents:
        body["latents"] = {name: array.tolist() for name, array in latent_arrays(request).items()}
    body |= _timeout(request.timeout_s)
    return {
        "method": "POST",
        "url": "/generate",
        "content": _json(body),
        "headers": {"Accept": "application/x-ndjson", "Content-Type": "application/json"},
    }


def score_call(request: ScoreRequest) -> Call:
    """The request for scores."""
    images = [base64.b64encode(image).decode() for image in request.images]
    params: dict[str, str | int] = {"fit": request.fit, **_timeout(request.timeout_s)}
    if request.model is not None:
        params["model"] = request.model
    return {
        "method": "POST",
        "url": "/score",
        "params": params,
        "content": _json({"images": images}),
        "headers": {"Content-Type": "application/json"},
    }


def model_path(name: str) -> str:
    """Path of GET /models/{name}."""
    return f"/models/{quote(name, safe='')}"


class LineReader:
    """Puts chunks together and takes them apart at line feeds, and at nothing else."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return lines


class StreamReader:
    """Reads the lines of one drawing, which must end with `done` or `error`."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = LineReader()
        self._step = 0
        self._over = False
        headers = response.headers
        self.header = Header(
            model=headers["Pentimento-Model"],
            version=headers["Pentimento-Version"],
            seed=int(headers["Pentimento-Seed"]),
            steps=int(headers["Pentimento-Steps"]),
        )

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that `chunk` completes.

        Raises:
            PentimentoError: The server ended the drawing with an error.
        """
        for line in self._lines.feed(chunk):
            content: Json = json.loads(line)
            if content["type"] == "frame":
                self._step = content["step"]
                yield _frame(content)
            elif content["type"] == "done":
                self._over = True
                yield Done(timing=_timing(content["timing"]))
            else:
                raise error_from(content, {})

    def end(self) -> None:
        """To be called when nothing more comes.

        Raises:
            PentimentoError: UNAVAILABLE: the drawing was not complete.
        """
        if not self._over:
            message = f"the connection broke off after step {self._step} of {self.header.steps}"
            raise PentimentoError(Code.UNAVAILABLE, message)


def score(content: Json) -> ScoreResult:
    """Reads the answer of POST /score."""
    return ScoreResult(
        model=content["model"],
        version=content["version"],
        scores=_scores(content["scores"]),
        timing=_timing(content["timing"]),
    )


def models(content: Json) -> Models:
    """Reads the answer of GET /models."""
    refused = (Refusal(name=refusal["name"], reason=refusal["reason"]) for refusal in content["refused"])
    return Models(tuple(model(each) for each in content["models"]), tuple(refused))


def model(content: Json) -> Model:
    """Reads the answer of GET /models/{name}, or one entry of GET /models."""
    image, steps = content["image"], content["steps"]
    return Model(
        name=content["name"],
        version=content["version"],
        family=content["family"],
        summary=content["summary"],
        is_default=content["default"],
        operations=tuple(content["operations"]),
        image_shape=(image["channels"], image["height"], image["width"]),
        steps=None if steps is None else StepRange(**steps),
        latents=tuple(
            Latent(
                name=latent["name"],
                shape=tuple(latent["shape"]),
                prior=latent["prior"],
                per_call=latent["per"] == "call",
            )
            for latent in content["latents"]
        ),
        labels=tuple(content["labels"] or ()),
        score_kind=content["score_kind"],
        manifest=content.get("manifest"),
    )


def _frame(content: Json) -> Frame:
    images = [from_png(base64.b64decode(image)) for image in content["images"]]
    scores = content.get("scores")
    return Frame(
        step=content["step"],
        arrays=np.stack(images),
        scores=None if scores is None else _scores(scores),
        elapsed_us=content["elapsed_us"],
    )


def _scores(entries: list[Json]) -> Scores:
    logits = _floats([entry["logit"] for entry in entries])
    probabilities = [entry.get("probability") for entry in entries]
    is_critic = all(probability is None for probability in probabilities)
    return Scores(
        kind="critic" if is_critic else "discriminator",
        logits=logits,
        probabilities=None if is_critic else _floats(probabilities),
    )


def _floats(values: list[float | None]) -> Floats:
    return np.array([math.nan if value is None else value for value in values], dtype=np.float32)


def _timing(content: Json) -> Timing:
    return Timing(queue_us=content["queue_us"], total_us=content["total_us"])


def _timeout(timeout_s: float | None) -> dict[str, int]:
    return {} if timeout_s is None else {"timeout_ms": math.ceil(timeout_s * 1000)}


def _json(body: Json) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise PentimentoError(Code.INVALID_ARGUMENT, f"latents must be finite numbers: {error}") from None
