"""What each model of the protocol takes and gives, by its bundle's manifest and its operation."""

__all__ = ["Input", "Output", "Parameter", "Signature", "signature_of"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pentimento.bundle.manifest import Manifest, NoiseSpec
from pentimento.bundle.scorer import judged_noise, judges
from pentimento.service.messages import OperationName

Parameter = Literal["whole", "number", "truth", "text", "label"]
"""Kind of a request's parameter."""

_ANY = -1  # a dimension that the request decides


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """A tensor that a model takes: the first datatype is what its metadata say."""

    datatypes: tuple[str, ...]
    shape: tuple[int, ...]
    needed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """A tensor that a model gives: of its variable dimensions the first is images, the second steps."""

    datatype: str
    shape: tuple[int, ...]
    usual: bool = True  # whether it comes where the request names no outputs


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """All of them by name."""

    inputs: Mapping[str, Input]
    parameters: Mapping[str, Parameter]
    outputs: Mapping[str, Output]


_ONE_WHOLE = Input(datatypes=("INT64",), shape=(1,))
_ONE_NUMBER = Input(datatypes=("FP32",), shape=(1,))
_LABELS = Input(datatypes=("INT64", "BYTES"), shape=(_ANY,))
_EACH = Output(datatype="FP32", shape=(_ANY,))

_DRAWING: dict[str, Parameter] = {
    "steps": "whole",
    "seed": "whole",
    "score": "truth",
    "score_by": "text",
    "boxes": "truth",
}
_PARAMETERS: dict[OperationName, dict[str, Parameter]] = {
    "generate": {"n": "whole", **_DRAWING},
    "autoencode": {"samples": "whole", "fit": "text", **_DRAWING},
    "complete": {"n": "whole", "fit": "text", **_DRAWING},
    "encode": {"seed": "whole", "fit": "text"},
    "score": {"group": "truth", "fit": "text"},
    "likelihood": {"importance_samples": "whole", "pixels": "truth", "seed": "whole", "fit": "text"},
}


def signature_of(manifest: Manifest, operation: OperationName) -> Signature:
    """What an operation of a bundle takes and gives."""
    parameters = _parameters(manifest, operation)
    return Signature(
        inputs=_inputs(manifest, operation, parameters),
        parameters=parameters,
        outputs=_outputs(manifest, operation),
    )


def _parameters(manifest: Manifest, operation: OperationName) -> dict[str, Parameter]:
    parameters = dict(_PARAMETERS[operation])
    if manifest.labels is not None:
        parameters["label"] = "label"
    if manifest.drawing is not None and operation in ("generate", "autoencode", "complete"):
        parameters |= {control.name: "number" for control in manifest.drawing.controls}
        if operation == "generate":
            parameters |= {f"seeds.{noise.name}": "whole" for noise in manifest.drawing.noise}
    return {**parameters, "timeout_ms": "whole"}


def _inputs(
    manifest: Manifest, operation: OperationName, parameters: Mapping[str, Parameter]
) -> dict[str, Input]:
    inputs: dict[str, Input] = {}
    pictures = ("FP32", "UINT8", "BYTES")
    count = 1 if operation in ("autoencode", "complete") else _ANY
    if operation != "generate":
        inputs["image"] = Input(datatypes=pictures, shape=(count, *manifest.image.shape), needed=True)
    if operation == "complete":
        _, height, width = manifest.image.shape
        mask = Input(datatypes=(*pictures, "BOOL"), shape=(1, 1, height, width), needed=True)
        inputs["mask"] = mask
    for name, kind in parameters.items():
        if kind == "whole" and name != "timeout_ms" and "." not in name:
            inputs[name] = _ONE_WHOLE
        elif kind == "number":
            inputs[name] = _ONE_NUMBER
        elif kind == "label":
            inputs[name] = _LABELS
    for noise in _given_noise(manifest, operation):
        calls = (_ANY,) if noise.per == "call" else ()
        shape = (_ANY, *calls, *noise.shape)
        needed = operation == "score"
        inputs[f"latents.{noise.name}"] = Input(datatypes=("FP32",), shape=shape, needed=needed)
    return inputs


def _given_noise(manifest: Manifest, operation: OperationName) -> tuple[NoiseSpec, ...]:
    if operation == "generate" and manifest.drawing is not None:
        return manifest.drawing.noise
    return judged_noise(manifest) if operation == "score" else ()


def _outputs(manifest: Manifest, operation: OperationName) -> dict[str, Output]:
    if operation == "score":
        return _scores(manifest)
    if operation == "encode":
        return {
            tensor.name: Output(datatype="FP32", shape=(_ANY, *tensor.shape))
            for tensor in manifest.graphs["encode"].outputs
        }
    if operation == "likelihood":
        outputs = {"nats": _EACH, "bits_per_dim": _EACH}
        if manifest.likelihood is not None and manifest.likelihood.kind == "estimate":
            outputs["standard_errors"] = _EACH
        if manifest.graphs["likelihood"].output("pixel_log_likelihood") is not None:
            shape = (_ANY, *manifest.image.shape)
            outputs["pixels"] = Output(datatype="FP32", shape=shape, usual=False)
        return outputs
    drawing = manifest.drawing
    assert drawing is not None
    outputs = {"canvas": Output(datatype="FP32", shape=(_ANY, *manifest.image.shape))}
    showing = manifest.graphs[drawing.showing.graph]
    for output in drawing.outputs:
        tensor = showing.output(output.name)
        assert tensor is not None
        outputs[output.name] = Output(datatype="FP32", shape=(_ANY, *tensor.shape))
    if judges(manifest):
        outputs |= {
            name: Output(datatype="FP32", shape=each.shape, usual=False)
            for name, each in _scores(manifest).items()
        }
    all_steps = Output(datatype="FP32", shape=(_ANY, _ANY, *manifest.image.shape), usual=False)
    return {**outputs, "canvases": all_steps}


def _scores(manifest: Manifest) -> dict[str, Output]:
    critic = manifest.scorer is not None and manifest.scorer.kind == "critic"
    return {"logit": _EACH} if critic else {"logit": _EACH, "probability": _EACH}
