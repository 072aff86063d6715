"""Errors as the OpenAI API writes them: an object `error` with message, type, param and code."""

__all__ = ["ErrorAnswer", "ErrorFacts", "error_facts", "error_form"]

from typing import Annotated

from pydantic import BaseModel, Field

from pentimento.service.errors import Code
from pentimento.service.http.schemas import Problem

_TYPES = {429: "rate_limit_error", 401: "authentication_error", 403: "permission_error"}
_CODES = {
    Code.UNAUTHENTICATED.value: "invalid_api_key",
    Code.OVERLOADED.value: "rate_limit_exceeded",
    Code.INTERNAL.value: "server_error",
}


class ErrorFacts(BaseModel):
    """What went wrong."""

    message: Annotated[str, Field(description="One sentence.", examples=["n must be 1..64, got 900"])]
    type: Annotated[str, Field(description="Its kind, by the status.", examples=["invalid_request_error"])]
    param: Annotated[str | None, Field(description="The field at fault, where there is one.")]
    code: Annotated[str, Field(description="For programs.", examples=["invalid_argument"])]


class ErrorAnswer(BaseModel):
    """An error of the OpenAI API."""

    error: ErrorFacts


def error_facts(problem: Problem) -> ErrorFacts:
    """The facts of a problem in the API's words; the code is ours, where clients know no other."""
    kind = "server_error" if problem.status >= 500 else "invalid_request_error"
    code = _CODES.get(problem.code, problem.code.lower())
    if problem.code == Code.NOT_FOUND.value and problem.field == "model":
        code = "model_not_found"
    return ErrorFacts(
        message=problem.detail, type=_TYPES.get(problem.status, kind), param=problem.field, code=code
    )


def error_form(problem: Problem) -> bytes:
    """The body of an answer."""
    return ErrorAnswer(error=error_facts(problem)).model_dump_json().encode()
