"""JSON Schema as tables: of the bodies of HTTP, and of a bundle's manifest."""

__all__ = ["fields", "manifest_reference", "sentence", "type_of"]

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from figures import table

Schema = Mapping[str, Any]
_LIMITS = {
    "minimum": "from {}",
    "maximum": "to {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "minProperties": "at least {}",
    "maxProperties": "at most {}",
    "pattern": "like `{}`",
    "default": "by default {}",
}


def sentence(text: str) -> str:
    """A description as one line of a table's cell."""
    return " ".join(text.replace("|", "\\|").split())


def anchor(name: str) -> str:
    """Where a schema is described."""
    return f"#{name.lower()}"


def type_of(schema: Schema) -> str:
    """A type in words, with a link to what it refers to."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}]({anchor(name)})"
    if "anyOf" in schema:
        kinds = [type_of(part) for part in schema["anyOf"] if part.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kind = schema.get("type", "any")
    if kind == "array":
        return f"array of {type_of(schema['items'])}" if "items" in schema else "array"
    if kind == "object":
        inner = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))
        return f"object of {type_of(inner)}" if isinstance(inner, Mapping) and inner else "object"
    return "file" if schema.get("format") == "binary" else str(kind)


def _said(schema: Schema) -> str:
    parts = [part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    source = {**(parts[0] if len(parts) == 1 else {}), **schema}
    limits = []
    for name, words in _LIMITS.items():
        value = source.get(name)
        if value is None or value in ("", [], {}):
            continue
        limits.append(words.format(f"`{json.dumps(value)}`" if name == "default" else value))
    said = sentence(schema.get("description", ""))
    return " ".join(part for part in (said, f"({', '.join(limits)})" if limits else "") if part)


def fields(schema: Schema) -> str:
    """A table of an object's fields; nothing for what is no object."""
    wanted = set(schema.get("required", ()))
    rows = [
        (f"`{name}`", type_of(part), "yes" if name in wanted else "", _said(part))
        for name, part in schema.get("properties", {}).items()
    ]
    return table(("field", "type", "always", ""), rows, 99) if rows else ""


def manifest_reference() -> str:
    """Every object of a manifest, from docs/manifest.schema.json."""
    schema = json.loads((Path(__file__).parents[1] / "manifest.schema.json").read_text())
    parts = {"Manifest": schema, **schema["$defs"]}
    return "\n\n".join(
        f"### {name}\n\n{' '.join(part.get('description', '').splitlines())}\n\n{fields(part)}"
        for name, part in parts.items()
    )
