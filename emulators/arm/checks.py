"""The checks of Azure ML on a job before it runs anything."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from emulators.arm.problems import user_error

INPUT_TYPES: Final = frozenset(
    {"literal", "uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model"}
)


def check(properties: Mapping[str, Any], declared: Collection[str] | None) -> None:
    """Check the job in a request, as the service does before it runs anything.

    Args:
        properties: the properties of the job.
        declared: the names of the inputs that its component declares; None: any input is valid.

    Raises:
        ArmError: 400; the message names the invalid field.

    """
    for name, kind in (("inputs", dict), ("tags", dict), ("settings", dict), ("experimentName", str)):
        if not isinstance(properties.get(name), kind | None):
            raise user_error(400, f"The field {name} must be of type {kind.__name__}.", "BadArgument")
    for name, value in (properties.get("tags") or {}).items():
        if not isinstance(value, str):
            raise user_error(400, f"The tag {name} must be a string.", "BadArgument")
    for name, given in (properties.get("inputs") or {}).items():
        _check_input(name, given)
        if declared is not None and name not in declared:
            raise user_error(400, f"The component has no input {name}.", "BadArgument", "ArgumentInvalid")


def _check_input(name: str, given: object) -> None:
    if not isinstance(given, dict) or given.get("jobInputType") not in INPUT_TYPES:
        raise user_error(400, f"The input {name} must have a jobInputType of {sorted(INPUT_TYPES)}.", "BadArgument")
    place = "value" if given["jobInputType"] == "literal" else "uri"
    if not isinstance(given.get(place), str) or not given[place]:
        raise user_error(400, f"The input {name} must have a {place}, a non-empty string.", "BadArgument")
