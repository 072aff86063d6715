"""The manifest as a JSON Schema, for bundles made with other tools: `python -m pentimento.bundle.schema`."""

__all__ = ["schema_text"]

import json

from pentimento.bundle.manifest import Manifest


def schema_text() -> str:
    """The manifest's JSON Schema, indented, with a line feed at the end."""
    schema = Manifest.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
