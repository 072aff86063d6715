"""The query of a drawing's address: what decides the picture, and nothing else."""

__all__ = ["AddressQuery"]

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from pentimento.service.http.schemas import (
    BOXES,
    LABEL,
    MAX_SCALE,
    SCORE,
    SCORE_BY,
    ClassLabel,
    InputBody,
    Whole,
    class_label,
)
from pentimento.service.messages import GenerateRequest

_LABELS = r"[^,]+(,[^,]+)*"


def _labels(text: object) -> object:
    if not isinstance(text, str) or not re.fullmatch(_LABELS, text):
        raise PydanticCustomError("whole_number", "must be classes with commas between them, such as 3,1,4")
    return tuple(class_label(each) for each in text.split(","))


class AddressQuery(InputBody):
    """Query of `GET /drawings/...`; the controls of a model are parameters of their own besides.

    Model and seed are in the path. A time limit is none of it: it decides no picture, the server's own holds.
    """

    n: Annotated[Whole, Field(description="Images to draw; by default 1, or as many as `labels` has.")] = None
    steps: Annotated[Whole, Field(description="Canvases to show; by default the model's own number.")] = None
    label: Annotated[ClassLabel, Field(description=LABEL)] = None
    labels: Annotated[
        tuple[int | str, ...] | None,
        BeforeValidator(_labels, json_schema_input_type=Annotated[str, Field(pattern=f"^{_LABELS}$")]),
        Field(description="Classes to draw, one for each image, with commas: `3,1,4`, or names."),
    ] = None
    score: Annotated[bool | None, Field(description=SCORE)] = None
    score_by: Annotated[str | None, Field(description=SCORE_BY)] = None
    boxes: Annotated[bool | None, Field(description=BOXES)] = None
    scale: Annotated[
        Whole,
        Field(description=f"1 to {MAX_SCALE}: pixels of a strip or animation for each pixel of a canvas."),
    ] = None

    def request(self, model: str, seed: int, controls: Mapping[str, float]) -> GenerateRequest:
        """The request that the address stands for."""
        return GenerateRequest(
            model=model,
            seed=seed,
            n=self.n,
            steps=self.steps,
            label=self.label,
            labels=self.labels,
            score=self.score,
            score_by=self.score_by,
            boxes=self.boxes,
            controls=controls,
        )
