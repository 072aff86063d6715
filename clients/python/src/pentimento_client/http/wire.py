"""Turns HTTP answers and lines of a stream into the client's results and events; nothing is received here."""

__all__ = ["Json", "StreamReader", "encode", "likelihood", "model", "models", "reload", "score"]

import base64
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import numpy as np

from pentimento_client.errors import Code, PentimentoError
from pentimento_client.http.errors import error_from
from pentimento_client.messages import Done, Event, Frame, Header, Origin, ScoredBy, Scores, Timing
from pentimento_client.models import (
    Control,
    FrameOutput,
    Latent,
    Model,
    Models,
    Refusal,
    Reload,
    Revision,
    ScoreKind,
    StepRange,
)
from pentimento_client.pixels import Floats, from_png
from pentimento_client.results import EncodeResult, LikelihoodResult, ScoreResult

Json = Mapping[str, Any]


class LineReader:
    """Cuts chunks of bytes into lines, at line feeds and at nothing else."""

    def __init__(self) -> None:
        self._parts: list[
            bytes
        ] = []  # of the line that is not complete: joined once, or long lines cost squares

    def feed(self, chunk: bytes) -> list[bytes]:
        """Takes the next chunk and returns the lines that are complete with it."""
        first, *others = chunk.split(b"\n")
        self._parts.append(first)
        if not others:
            return []
        *lines, rest = others
        lines.insert(0, b"".join(self._parts))
        self._parts = [rest]
        return lines


class StreamReader:
    """Reads the lines of one drawing, which must end with `done` or `error`.

    Attributes:
        header: Model, version, seed, steps and scorer, from the answer's headers.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._lines = LineReader()
        self._step = 0
        self._over = False
        self.header = _header(response.headers)

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
                if "input" in content:
                    yield _origin(content)
                yield Done(timing=_timing(content["timing"]))
            else:
                raise error_from(content, {})

    def end(self) -> None:
        """Must be called when nothing more comes.

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
        scores=_scores(content["kind"], content["scores"]),
        group=content.get("group", False),
        timing=_timing(content["timing"]),
    )


def encode(content: Json) -> EncodeResult:
    """Reads the answer of POST /encode."""
    return EncodeResult(
        model=content["model"],
        version=content["version"],
        seed=content["seed"],
        inputs=_images(content["inputs"]),
        encoding=_arrays(content["encoding"]),
        timing=_timing(content["timing"]),
    )


def likelihood(content: Json) -> LikelihoodResult:
    """Reads the answer of POST /likelihood."""
    pixels, entries = content.get("pixels"), content["likelihoods"]
    errors = [entry["standard_error"] for entry in entries if entry.get("standard_error") is not None]
    return LikelihoodResult(
        model=content["model"],
        version=content["version"],
        seed=content["seed"],
        kind=content["kind"],
        importance_samples=content["importance_samples"],
        inputs=_images(content["inputs"]),
        nats=_floats([entry["nats"] for entry in entries]),
        bits_per_dim=_floats([entry["bits_per_dim"] for entry in entries]),
        standard_errors=_floats(errors) if errors else None,
        pixels=None if pixels is None else np.asarray(pixels, dtype=np.float32),
        timing=_timing(content["timing"]),
    )


def models(content: Json) -> Models:
    """Reads the answer of GET /models."""
    return Models(tuple(model(each) for each in content["models"]), _refused(content))


def reload(content: Json) -> Reload:
    """Reads the answer of POST /models:reload."""
    return Reload(
        added=tuple(_revision(each) for each in content["added"]),
        replaced=tuple(_revision(each) for each in content["replaced"]),
        removed=tuple(content["removed"]),
        kept=tuple(content["kept"]),
        refused=_refused(content),
        default=content["default"],
    )


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
        levels=image.get("levels"),
        binarisation=image.get("binarisation"),
        completion=content.get("completion"),
        likelihood_kind=content.get("likelihood_kind"),
        outputs=tuple(FrameOutput(**output) for output in content.get("outputs", ())),
        score_takes=tuple(content.get("score_takes", ())),
        controls=tuple(Control(**control) for control in content.get("controls", ())),
        group_size=content.get("group_size"),
        manifest=content.get("manifest"),
    )


def _refused(content: Json) -> tuple[Refusal, ...]:
    return tuple(Refusal(name=each["name"], reason=each["reason"]) for each in content["refused"])


def _revision(content: Json) -> Revision:
    previous = content["previous_version"]
    return Revision(name=content["name"], version=content["version"], previous_version=previous)


def _header(headers: httpx.Headers) -> Header:
    kind, scored_by = headers.get("Pentimento-Score-Kind"), None
    if kind is not None:
        scored_by = ScoredBy(
            model=headers["Pentimento-Scored-By"], version=headers["Pentimento-Scored-By-Version"]
        )
    return Header(
        model=headers["Pentimento-Model"],
        version=headers["Pentimento-Version"],
        seed=int(headers["Pentimento-Seed"]),
        steps=int(headers["Pentimento-Steps"]),
        score_kind=kind,
        scored_by=scored_by,
    )


def _frame(content: Json) -> Frame:
    scores = content.get("scores")
    return Frame(
        step=content["step"],
        arrays=_images(content["images"]),
        scores=None if scores is None else _scores(content["score_kind"], scores),
        elapsed_us=content["elapsed_us"],
        outputs=_arrays(content.get("outputs", {})),
    )


def _origin(content: Json) -> Origin:
    encoding = content.get("encoding")
    return Origin(
        input=_images([content["input"]])[0],
        encoding=None if encoding is None else _arrays(encoding),
        conditioning=content.get("conditioning"),
    )


def _images(files: list[str]) -> Floats:
    """PNG files in base64 as (n, C, H, W)."""
    return np.stack([from_png(base64.b64decode(file)) for file in files])


def _arrays(values: Json) -> dict[str, Floats]:
    return {name: np.asarray(nested, dtype=np.float32) for name, nested in values.items()}


def _scores(kind: ScoreKind, entries: list[Json]) -> Scores:
    probabilities = None
    if kind == "discriminator":
        probabilities = _floats([entry["probability"] for entry in entries])
    logits = _floats([entry["logit"] for entry in entries])
    return Scores(kind=kind, logits=logits, probabilities=probabilities)


def _floats(values: list[float | None]) -> Floats:
    return np.array([math.nan if value is None else value for value in values], dtype=np.float32)


def _timing(content: Json) -> Timing:
    return Timing(queue_us=content["queue_us"], total_us=content["total_us"])
