"""What the operations give, as the protocol's answers: tensors by name, and facts as parameters."""

__all__ = [
    "Answer",
    "answer_values",
    "drawing_facts",
    "encode_answer",
    "frame_tensors",
    "likelihood_answer",
    "score_answer",
]

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pentimento.service.errors import invalid
from pentimento.service.messages import EncodeResult, Frame, Header, LikelihoodResult, ScoreResult, Scores
from pentimento.service.open_inference.names import Target
from pentimento.service.open_inference.signatures import signature_of
from pentimento.service.open_inference.tensors import Tensor

Names = tuple[str, ...] | None
"""Outputs that a request names, in its order; None: those that are usual."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An answer to a request for inference, free of the form in which it goes out."""

    version: str
    parameters: Mapping[str, str | int | bool]
    tensors: Sequence[Tensor]


def answer_values(target: Target, names: Names, n: int, steps: int = 1) -> int:
    """How many numbers an answer has, at most.

    Args:
        target: The model.
        names: Outputs that are asked for.
        n: Images.
        steps: Of the drawing.
    """
    outputs = signature_of(target.manifest, target.operation).outputs
    chosen = (
        [each for each in outputs.values() if each.usual] if names is None else [outputs[k] for k in names]
    )
    total = 0
    for output in chosen:
        variable = sum(size < 0 for size in output.shape)
        fixed = math.prod(size for size in output.shape if size > 0)
        total += fixed * (n * steps if variable > 1 else n)
    return total


def drawing_facts(header: Header, step: int) -> dict[str, str | int | bool]:
    """What an answer says of a drawing besides its tensors: its seed, and which step this is of how many."""
    facts: dict[str, str | int | bool] = {"seed": header.seed, "step": step, "steps": header.steps}
    if header.scored_by is not None:
        facts["scored_by"] = header.scored_by.model
        facts["scored_by_version"] = header.scored_by.version
    if header.conditioning is not None:
        facts["conditioning"] = header.conditioning
    return facts


def frame_tensors(frames: Sequence[Frame], names: Names) -> list[Tensor]:
    """The outputs of a drawing: all of its last frame, and `canvases` of all frames.

    Args:
        frames: As drawn, of which the last is shown.
        names: Outputs that are asked for.

    Raises:
        PentimentoError: INVALID_ARGUMENT: whoever judged gives no probability.
    """
    last = frames[-1]
    made: dict[str, Any] = {"canvas": last.canvas, **last.outputs}
    if last.scores is not None:
        made |= _score_values(last.scores)
    if names is not None and "canvases" in names:
        made["canvases"] = np.stack([frame.canvas for frame in frames], axis=1)  # (n, T, C, H, W)
    return _chosen(made, names)


def encode_answer(result: EncodeResult, names: Names) -> Answer:
    """The outputs of an encoder, by name."""
    return Answer(
        version=result.version,
        parameters={"seed": result.seed},
        tensors=_chosen(dict(result.encoding), names),
    )


def score_answer(result: ScoreResult, names: Names) -> Answer:
    """`logit`, or a critic's score under that name, and of a discriminator `probability`, (n,)."""
    return Answer(
        version=result.version,
        parameters={"kind": result.scores.kind, "group": result.group},
        tensors=_chosen(_score_values(result.scores), names),
    )


def likelihood_answer(result: LikelihoodResult, names: Names) -> Answer:
    """`nats` and `bits_per_dim`, (n,), the errors of estimates, and `pixels` if asked for."""
    made: dict[str, Any] = {"nats": result.nats, "bits_per_dim": result.bits_per_dim}
    if result.standard_errors is not None:
        made["standard_errors"] = result.standard_errors
    if result.pixels is not None:
        made["pixels"] = result.pixels
    return Answer(
        version=result.version,
        parameters={
            "seed": result.seed,
            "kind": result.kind,
            "importance_samples": result.importance_samples,
        },
        tensors=_chosen(made, names),
    )


def _score_values(scores: Scores) -> dict[str, Any]:
    values: dict[str, Any] = {"logit": scores.logit}
    if scores.probability is not None:
        values["probability"] = scores.probability
    return values


def _chosen(made: Mapping[str, Any], names: Names) -> list[Tensor]:
    for name in names or ():
        if name not in made:
            why = "is of two draws or more" if name == "standard_errors" else "is not given by a critic"
            raise invalid(f"outputs.{name}", why)
    wanted = made if names is None else names
    return [Tensor(name=name, datatype="FP32", values=made[name]) for name in wanted]
