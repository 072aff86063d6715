"""Turns requests into HTTP requests; nothing is sent here."""

__all__ = [
    "Call",
    "encode_call",
    "likelihood_call",
    "model_path",
    "reload_call",
    "score_call",
    "stream_call",
]

import base64
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Required, TypedDict
from urllib.parse import quote

import httpx

from pentimento_client.errors import Code, PentimentoError
from pentimento_client.requests import (
    AutoencodeRequest,
    DrawRequest,
    EncodeRequest,
    LikelihoodRequest,
    ReadRequest,
    ScoreRequest,
    StreamRequest,
    label_list,
    latent_arrays,
)
from pentimento_client.transport import bearer

CONNECT_S = 10.0  # for a connection to a server

# The client gives up later than the server shall, so that it is the server which says what happened.
_SLACK_S = 5.0


class Call(TypedDict, total=False):
    """Arguments of an HTTP request, as httpx takes them."""

    method: Required[str]
    url: Required[str]
    params: Mapping[str, str | int | float]
    content: bytes
    headers: Mapping[str, str]
    timeout: httpx.Timeout


def stream_call(request: StreamRequest) -> Call:
    """The HTTP request for a stream of frames.

    Raises:
        PentimentoError: UNSUPPORTED: over HTTP canvases travel as PNG only. INVALID_ARGUMENT: latents that
            are not finite numbers.
    """
    if request.encoding != "png":
        message = "encoding float32 is for gRPC only: over HTTP a stream of canvases is PNG"
        raise PentimentoError(Code.UNSUPPORTED, message, field="encoding")
    if isinstance(request, DrawRequest):
        call = _post("/generate", _drawing(request))
    elif isinstance(request, AutoencodeRequest):
        params = _query(request, "samples", "steps", "score_by")
        call = _post("/autoencode", {"image": _base64(request.image)}, params)
    else:
        pictures = {"image": _base64(request.image), "mask": _base64(request.mask)}
        call = _post("/complete", pictures, _query(request, "n", "steps", "score_by"))
    call["headers"] = {**call["headers"], "Accept": "application/x-ndjson"}
    return _patient(call, request.timeout_s)


def score_call(request: ScoreRequest) -> Call:
    """The HTTP request for scores: POST /score."""
    params = {"fit": request.fit, **_given(request, "model", "label"), **_timeout(request.timeout_s)}
    if request.group:
        params["group"] = "true"
    body: dict[str, Any] = dict(_pictures(request.images))
    if request.latents:
        body["latents"] = _latents(request)
    return _patient(_post("/score", body, params), request.timeout_s)


def encode_call(request: EncodeRequest) -> Call:
    """The HTTP request for encodings: POST /encode."""
    return _patient(_post("/encode", _pictures(request.images), _query(request)), request.timeout_s)


def likelihood_call(request: LikelihoodRequest) -> Call:
    """The HTTP request for log-likelihoods: POST /likelihood."""
    params = _query(request, "importance_samples")
    if request.pixels:
        params["pixels"] = "true"
    return _patient(_post("/likelihood", _pictures(request.images), params), request.timeout_s)


def model_path(name: str) -> str:
    """The path /models/{name}, with the name quoted."""
    return f"/models/{quote(name, safe='')}"


def reload_call(token: str) -> Call:
    """The HTTP request to read the bundle folder again: POST /models:reload, with the admin token."""
    return {"method": "POST", "url": "/models:reload", "headers": {"Authorization": bearer(token)}}


def _drawing(request: DrawRequest) -> dict[str, Any]:
    body = _given(request, "model", "n", "steps", "seed", "label", "score", "score_by", "boxes")
    labels = label_list(request)
    if labels is not None:
        body["labels"] = labels
    if request.latents:
        body["latents"] = _latents(request)
    if request.seeds:
        body["seeds"] = dict(request.seeds)
    if request.controls:
        body["controls"] = dict(request.controls)
    return body | _timeout(request.timeout_s)


def _latents(request: DrawRequest | ScoreRequest) -> dict[str, Any]:
    return {name: array.tolist() for name, array in latent_arrays(request).items()}


def _query(request: ReadRequest, *names: str) -> dict[str, str | int | float]:
    """Query parameters that every request with pictures has, and those of the given names."""
    params = _given(request, "model", "label", "seed", *names)
    for name in ("score", "boxes"):
        value = getattr(request, name, None)
        if value is not None:
            params[name] = "true" if value else "false"
    params |= getattr(request, "controls", {})  # in a query by their own names
    return {"fit": request.fit, **params, **_timeout(request.timeout_s)}


def _given(request: object, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(request, name)) is not None}


def _pictures(images: Iterable[bytes]) -> dict[str, list[str]]:
    return {"images": [_base64(image) for image in images]}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _post(path: str, body: Mapping[str, Any], params: Mapping[str, str | int | float] | None = None) -> Call:
    call: Call = {
        "method": "POST",
        "url": path,
        "content": _json(body),
        "headers": {"Content-Type": "application/json"},
    }
    if params is not None:
        call["params"] = params
    return call


def _patient(call: Call, timeout_s: float | None) -> Call:
    """Sets the call's timeout, somewhat later than the request's own, if that has one."""
    if timeout_s is not None:
        patience_s = max(0.0, timeout_s) + _SLACK_S
        call["timeout"] = httpx.Timeout(patience_s, connect=min(CONNECT_S, patience_s))
    return call


def _timeout(timeout_s: float | None) -> dict[str, int]:
    return {} if timeout_s is None else {"timeout_ms": math.ceil(timeout_s * 1000)}


def _json(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        message = f"latents must be finite numbers, and seeds whole numbers: {error}"
        raise PentimentoError(Code.INVALID_ARGUMENT, message) from None
