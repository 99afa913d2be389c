"""Checks requests against SageMaker's published service model, as the service's front end does."""

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any


class ApiError(Exception):
    """An error answer of the service.

    Attributes:
        code: the error code that a client sees, such as `ResourceNotFound`.
        status: the HTTP status; client errors of JSON 1.1 services are all 400.
    """

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@cache
def _service() -> Mapping[str, Any]:
    """Return the service model in botocore, which has the published limits."""
    packed = files("botocore").joinpath("data/sagemaker/2017-07-24/service-2.json.gz").read_bytes()
    model: Mapping[str, Any] = json.loads(gzip.decompress(packed))
    return model


def check(operation: str, request: object) -> None:
    """Check a request: required members, lengths, ranges, patterns and enumerations.

    Raises:
        ApiError: `SerializationException` for a value of a wrong type, else `ValidationException` with
            every problem in the words of the service.
    """
    shape = _service()["operations"][operation]["input"]["shape"]
    problems = list(_problems(_service()["shapes"][shape], request, ()))
    if problems:
        count = "1 validation error" if len(problems) == 1 else f"{len(problems)} validation errors"
        raise ApiError("ValidationException", f"{count} detected: {'; '.join(problems)}")


_PYTHON_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "structure": dict,
    "list": list,
    "string": str,
    "integer": int,
    "long": int,
    "timestamp": (int, float),
}


def _problems(shape: Mapping[str, Any], value: object, place: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(value, _PYTHON_TYPES[shape["type"]]):
        raise ApiError("SerializationException", f"Unexpected value type in payload at '{'.'.join(place)}'")
    if isinstance(value, dict):
        yield from _structure_problems(shape, value, place)
        return
    if isinstance(value, list):
        item = _service()["shapes"][shape["member"]["shape"]]
        for number, entry in enumerate(value, start=1):
            yield from _problems(item, entry, (*place, str(number), "member"))
    for constraint in _broken_constraints(shape, value):
        shown = "" if isinstance(value, list) else f" '{value}'"
        yield f"Value{shown} at '{'.'.join(place)}' failed to satisfy constraint: Member must {constraint}"


def _structure_problems(shape: Mapping[str, Any], value: Mapping[str, object], place: tuple[str, ...]) -> Iterator[str]:
    for name, member in shape["members"].items():
        inner = (*place, name[0].lower() + name[1:])
        if value.get(name) is not None:
            yield from _problems(_service()["shapes"][member["shape"]], value[name], inner)
        elif name in shape.get("required", ()):
            yield f"Value at '{'.'.join(inner)}' failed to satisfy constraint: Member must not be null"


def _broken_constraints(shape: Mapping[str, Any], value: object) -> Iterator[str]:
    size, what = (len(value), "length") if isinstance(value, str | list) else (value, "value")
    if "min" in shape and size < shape["min"]:
        yield f"have {what} greater than or equal to {shape['min']}"
    if "max" in shape and size > shape["max"]:
        yield f"have {what} less than or equal to {shape['max']}"
    if "pattern" in shape and not re.fullmatch(shape["pattern"], str(value)):
        yield f"satisfy regular expression pattern: {shape['pattern']}"
    if "enum" in shape and value not in shape["enum"]:
        yield f"satisfy enum value set: [{', '.join(shape['enum'])}]"
