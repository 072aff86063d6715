"""The reference of the HTTP interface, from the OpenAPI document of the real application."""

__all__ = ["reference"]

from typing import Any, cast

from figures import table
from schemas import fields, sentence, type_of

from pentimento.service.http.api import create_app
from pentimento.service.operations.operations import Operations
from pentimento.service.settings import Settings
from pentimento.service.telemetry.metrics import Metrics


def document() -> dict[str, Any]:
    """The OpenAPI document: what a server answers at /openapi.json."""
    nobody = cast(Operations, None)  # a description asks for nothing
    return create_app(nobody, Metrics(), Settings(studio=False)).openapi()


def reference() -> str:
    """Each call with its parameters, bodies and answers, then the objects they are made of."""
    openapi = document()
    parts = []
    for path, calls in openapi["paths"].items():
        for verb, call in calls.items():
            parts.append(_call(f"{verb.upper()} {path}", call))
    parts.append("## Objects")
    shown = _reached(openapi)
    for name, schema in sorted(openapi["components"]["schemas"].items()):
        if name in shown:
            parts.append(f"### {name}\n\n{schema.get('description', '')}\n\n{fields(schema)}")
    return "\n\n".join(part for part in parts if part)


def _call(title: str, call: dict[str, Any]) -> str:
    parts = [f"## {title} {{ #{call['operationId']} }}", call.get("description", "")]
    parameters = [
        (f"`{given['name']}`", given["in"], type_of(given["schema"]), sentence(given.get("description", "")))
        for given in call.get("parameters", [])
    ]
    if parameters:
        parts.append(table(("parameter", "in", "type", ""), parameters, 99))
    if "requestBody" in call:
        rows = [(f"`{kind}`", _content(body)) for kind, body in call["requestBody"]["content"].items()]
        parts.append(table(("body", ""), rows, 99))
    answers = []
    for status, answer in call["responses"].items():
        contents = answer.get("content", {})
        for kind, body in contents.items() or [("", {})]:
            answers.append((status, f"`{kind}`" if kind else "", _answer(answer, body, len(contents))))
    parts.append(table(("status", "answer", ""), answers, 99))
    headers = {
        name: said
        for answer in call["responses"].values()
        for name, said in answer.get("headers", {}).items()
    }
    if headers:
        rows = [(f"`{name}`", sentence(said.get("description", ""))) for name, said in headers.items()]
        parts.append(table(("header of the answer", ""), rows, 99))
    return "\n\n".join(parts)


def _answer(answer: dict[str, Any], body: dict[str, Any], kinds: int) -> str:
    content = _content(body)
    return (
        content
        if kinds > 1
        else " ".join(part for part in (sentence(answer["description"]), content) if part)
    )


def _content(body: dict[str, Any]) -> str:
    if "x-shows" in body:
        return sentence(body["x-shows"])
    schema = body.get("schema", {})
    if "x-events" in body:
        events = ", ".join(f"`{name}`: {type_of(event)}" for name, event in body["x-events"].items())
        return f"{sentence(schema['description'])} {events}"
    if "properties" in schema:
        return ", ".join(f"`{name}`: {type_of(part)}" for name, part in schema["properties"].items())
    return type_of(schema) if schema else ""


def _reached(openapi: dict[str, Any]) -> set[str]:
    """The objects that some call names, directly or through others."""
    schemas = openapi["components"]["schemas"]
    reached: set[str] = set()
    waiting = _names(openapi["paths"])
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= _names(schemas[name]) - reached
    return reached


def _names(part: Any) -> set[str]:
    if isinstance(part, dict):
        here = {part["$ref"].rsplit("/", 1)[1]} if isinstance(part.get("$ref"), str) else set()
        return here.union(*(_names(inner) for inner in part.values()))
    if isinstance(part, list):
        return set().union(*(_names(inner) for inner in part))
    return set()
