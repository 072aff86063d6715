"""Requests for inference as the operations take them: what a transport has read, by name and kind.

Parameters travel with the request. Each number of them may come as an input tensor instead, for clients that
send tensors alone, and the label of each image as one of several values. What the operations check anyway,
such as ranges, is left to them.
"""

__all__ = ["Ask", "drawing_request", "reading_request", "wanted_outputs"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pentimento.service.errors import invalid, named, quoted
from pentimento.service.messages import (
    AutoencodeRequest,
    CompleteRequest,
    EncodeRequest,
    GenerateRequest,
    LikelihoodRequest,
    ScoreRequest,
)
from pentimento.service.open_inference.names import Target
from pentimento.service.open_inference.parameters import read_parameters
from pentimento.service.open_inference.pictures import pictures_of
from pentimento.service.open_inference.signatures import Input, signature_of
from pentimento.service.open_inference.tensors import Given, read_numbers_of, read_texts

_IMAGE_NAMES = ("image", "mask")
_SCORES = ("logit", "probability")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """A request for inference, free of the form in which it came."""

    inputs: Sequence[Given] = ()
    outputs: Sequence[str] | None = None  # names; None: those that are usual
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class _Values:
    """What a request says, by name: numbers and texts, whoever brought them, and the tensors beyond these."""

    single: dict[str, Any]
    tensors: dict[str, Given]


def wanted_outputs(ask: Ask, target: Target, *, streams: bool = False) -> tuple[str, ...] | None:
    """The outputs that a request names, each once; None where it names none.

    Raises:
        PentimentoError: INVALID_ARGUMENT: the model does not give one of them.
    """
    if ask.outputs is None:
        return None
    known = signature_of(target.manifest, target.operation).outputs
    seen: set[str] = set()
    for name in ask.outputs:
        label = f"outputs.{named(name)}"
        if name not in known:
            gives = ", ".join(known)
            raise invalid(label, f"is no output of model {target.name!r}; it gives: {gives}")
        if name in seen:
            raise invalid(label, "is asked for twice")
        if streams and name == "canvases":
            raise invalid(label, "is of ModelInfer: a stream sends the canvas of each step in turn")
        seen.add(name)
    return tuple(ask.outputs)


def drawing_request(
    ask: Ask, target: Target, max_images: int
) -> GenerateRequest | AutoencodeRequest | CompleteRequest:
    """A request to draw, from noise, a picture, or a part of one.

    Args:
        ask: As it came.
        target: A model that draws.
        max_images: That a request may bring or name.

    Raises:
        PentimentoError: INVALID_ARGUMENT.
    """
    values = _read(ask, target, max_images)
    controls, seeds = _controls(values, target), _seeds(values)
    if ask.outputs is not None and any(name in _SCORES for name in ask.outputs):
        values.single.setdefault("score", None if "score_by" in values.single else True)
    fields = values.single | {"model": target.manifest.name, "controls": controls}
    images = _pictures(values, max_images)
    if target.operation == "autoencode":
        return AutoencodeRequest(image=images["image"][0], **fields)
    if target.operation == "complete":
        return CompleteRequest(image=images["image"][0], mask=images["mask"][0], **fields)
    return GenerateRequest(latents=_latents(values), seeds=seeds, **fields)


def reading_request(
    ask: Ask, target: Target, max_images: int
) -> EncodeRequest | ScoreRequest | LikelihoodRequest:
    """A request to encode, judge or estimate pictures; arguments and errors as for `drawing_request`."""
    values = _read(ask, target, max_images)
    fields = values.single | {"model": target.manifest.name}
    images = tuple(_pictures(values, max_images)["image"])
    if target.operation == "encode":
        return EncodeRequest(images=images, **fields)
    if target.operation == "score":
        return ScoreRequest(images=images, latents=_latents(values), **fields)
    if ask.outputs is not None and "pixels" in ask.outputs:
        fields.setdefault("pixels", True)
    return LikelihoodRequest(images=images, **fields)


def _read(ask: Ask, target: Target, max_images: int) -> _Values:
    signature = signature_of(target.manifest, target.operation)
    single = read_parameters(ask.parameters, signature, target)
    tensors: dict[str, Given] = {}
    for given in ask.inputs:
        spec = signature.inputs.get(given.name)
        if spec is None:
            takes = ", ".join(signature.inputs) or "none"
            raise invalid(
                f"inputs.{named(given.name)}", f"is no input of model {target.name!r}; it takes: {takes}"
            )
        if given.name in tensors or given.name in single:
            also = "twice" if given.name in tensors else "twice: as an input and as a parameter"
            raise invalid(given.name, f"is given {also}")
        _check(given, spec)
        tensors[given.name] = given
    for name, spec in signature.inputs.items():
        if spec.needed and name not in tensors:
            shape = list(spec.shape)
            raise invalid(
                name, f"is needed by model {target.name!r}, as {spec.datatypes[0]} of shape {shape}"
            )
    values = _Values(single, tensors)
    for name in list(tensors):
        if name == "label":
            _take_labels(values, target, max_images)
        elif "." not in name and name not in _IMAGE_NAMES:
            (number,) = read_numbers_of(tensors.pop(name)).tolist()
            # The shortest decimal that is this number: 0.1 and not 0.10000000149, which may be out of range.
            single[name] = number if isinstance(number, int) else _shortest(number)
    return values


def _shortest(number: float) -> float:
    return float(str(np.float32(number)))


def _check(given: Given, spec: Input) -> None:
    if given.datatype not in spec.datatypes:
        *first, last = spec.datatypes
        kinds = f"{', '.join(first)} or {last}" if first else last
        raise invalid(given.name, f"must be of datatype {kinds}, got {quoted(given.datatype)}")
    # A file says its own size: of pictures that are files, there is a vector.
    wanted = spec.shape[:1] if given.datatype == "BYTES" else spec.shape
    fits = len(given.shape) == len(wanted) and all(
        (want == got if want >= 0 else got >= 1) for want, got in zip(wanted, given.shape, strict=True)
    )
    if not fits:
        of = f", as {given.datatype}" if len(spec.datatypes) > 1 else ""
        raise invalid(
            given.name, f"must have shape {list(wanted)}{of}, -1 for any number, got {list(given.shape)[:8]}"
        )


def _take_labels(values: _Values, target: Target, max_images: int) -> None:
    """One class for all images, or of a drawing from noise one for each."""
    given = values.tensors.pop("label")
    count = given.shape[0]
    if count > max_images:
        raise invalid("label", f"may have at most {max_images} values, got {count}")
    if given.datatype == "BYTES":
        labels: list[Any] = [_text(each) for each in read_texts(given, max_images)]
    else:
        labels = read_numbers_of(given).tolist()
    if count == 1:
        values.single["label"] = labels[0]
    elif target.operation == "generate":
        values.single["labels"] = tuple(labels)
    else:
        raise invalid("label", f"must have shape [1], one class for all images, got [{count}]")


def _text(value: bytes | str) -> str:
    if isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise invalid("label", "must be text in UTF-8") from None


def _controls(values: _Values, target: Target) -> dict[str, float]:
    drawing = target.manifest.drawing
    assert drawing is not None
    return {
        control.name: values.single.pop(control.name)
        for control in drawing.controls
        if control.name in values.single
    }


def _seeds(values: _Values) -> dict[str, int]:
    names = [name for name in values.single if name.startswith("seeds.")]
    return {name.removeprefix("seeds."): values.single.pop(name) for name in names}


def _latents(values: _Values) -> dict[str, object]:
    return {
        name.removeprefix("latents."): read_numbers_of(given)
        for name, given in values.tensors.items()
        if name.startswith("latents.")
    }


def _pictures(values: _Values, max_images: int) -> dict[str, Any]:
    return {
        name: pictures_of(values.tensors[name], max_images) for name in _IMAGE_NAMES if name in values.tensors
    }
