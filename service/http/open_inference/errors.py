"""Errors as the protocol writes them: an object with one sentence."""

__all__ = ["InferenceError", "error_form"]

from typing import Annotated

from pydantic import BaseModel, Field

from pentimento.service.http.schemas import Problem


class InferenceError(BaseModel):
    """An error of the Open Inference Protocol."""

    error: Annotated[str, Field(description="One sentence.", examples=["n must be 1..64, got 900"])]


def error_form(problem: Problem) -> bytes:
    """The body of an answer."""
    return InferenceError(error=problem.detail).model_dump_json().encode()
