"""Reads a route's query by hand, where every tenth of a millisecond before the first canvas counts.

FastAPI takes a query apart field by field and keeps generators for a route's dependencies. For a drawing of
one step that took as long as its graph calls.
"""

__all__ = ["query_parameters", "read_drawing_query", "read_query"]

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import Request

from pentimento.service.errors import invalid
from pentimento.service.http.once import check_query
from pentimento.service.http.problems import describe

Q = TypeVar("Q", bound=BaseModel)

_SHORT = 200  # bytes


def read_query(request: Request, kind: type[Q]) -> Q:
    """Reads and checks the query.

    Args:
        request: The request.
        kind: The model whose fields are the parameters.

    Raises:
        PentimentoError: INVALID_ARGUMENT, naming field and value; a parameter that is given twice is wrong.
    """
    query: bytes = request.scope["query_string"]
    # Clients ask for the same again and again: what was read once is kept, if it is short and was valid.
    read = _read_kept if len(query) <= _SHORT else _read
    return cast(Q, read(kind, query))


def read_drawing_query(
    request: Request, kind: type[Q], controls: frozenset[str]
) -> tuple[Q, Mapping[str, float]]:
    """Reads the query of a drawing, where the controls of a model are parameters of their own.

    Args:
        request: The request.
        kind: The model whose fields are the other parameters.
        controls: Names of all controls that there are.

    Returns:
        The other parameters, and the values of controls by name; whether the model has them is not checked.

    Raises:
        PentimentoError: As of `read_query`; or a control is no number.
    """
    query: bytes = request.scope["query_string"]
    read = _read_drawing_kept if len(query) <= _SHORT else _read_drawing
    found, chosen = read(kind, query, controls)
    return cast(Q, found), chosen


def _read_drawing(
    kind: type[BaseModel], query: bytes, controls: frozenset[str]
) -> tuple[BaseModel, Mapping[str, float]]:
    if not controls:
        return _read(kind, query), {}
    check_query(query)
    given = dict(QueryParams(query))
    chosen = {name: _number(name, given.pop(name)) for name in controls & given.keys()}
    try:
        return kind.model_validate(given), chosen
    except ValidationError as error:
        raise describe(error.errors(), sorted({*kind.model_fields, *controls})) from error


_read_drawing_kept = lru_cache(maxsize=1024)(_read_drawing)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise invalid(name, f"must be a number, got {text[:60]!r}") from None


def _read(kind: type[BaseModel], query: bytes) -> BaseModel:
    check_query(query)
    try:
        return kind.model_validate(dict(QueryParams(query)))
    except ValidationError as error:
        raise describe(error.errors(), sorted(kind.model_fields)) from error


_read_kept = lru_cache(maxsize=1024)(_read)


def query_parameters(kind: type[BaseModel]) -> list[dict[str, Any]]:
    """The parameters of such a query as OpenAPI describes them."""
    schema = kind.model_json_schema()
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": {key: value for key, value in field.items() if key != "description"},
            "description": field.get("description", ""),
        }
        for name, field in schema["properties"].items()
    ]
