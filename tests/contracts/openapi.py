"""The description of the HTTP API as a value: its operations, and its schemas without room for undocumented fields."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from shared.api import DESCRIPTION

Json = Mapping[str, Any]


def description() -> dict[str, Any]:
    """Return the description."""
    content: dict[str, Any] = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    return content


def operations(document: Json) -> dict[tuple[str, str], Json]:
    """Return the operations of *document* by method and path."""
    return {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def resolved(document: Json, part: Any) -> Any:
    """Return *part* of *document*, or what it refers to."""
    if not (isinstance(part, Mapping) and "$ref" in part):
        return part
    found: Any = document
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return resolved(document, found)


def objects(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all objects with properties in the named schemas, each with the name of its schema."""
    for name, part in schema.items():
        for found in _objects(part):
            yield name, found


def _objects(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if "properties" in part:
            yield part
        for inner in part.values():
            yield from _objects(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _objects(inner)


def closed(document: dict[str, Any]) -> dict[str, Any]:
    """Return *document* with objects that have no other fields than the documented ones; it is changed in place."""
    for found in _objects(document):
        found.setdefault("additionalProperties", False)
    return document


def problems(document: Json, method: str, path: str, status: int, body: object) -> list[str]:
    """Return in what a JSON *body* differs from the schema of that response."""
    response = resolved(document, operations(document)[method, path]["responses"][str(status)])
    (media,) = response["content"].values()
    schema = {**media["schema"], "components": document["components"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(body)]
