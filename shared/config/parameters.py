"""Types of parameters: a parameter has the type of its configured default, and each value has one spelling."""

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Final

from shared.config.targets import Target
from shared.errors import InvalidTriggerError
from shared.fields import INT64, Parameter, brief

ParameterCheck = Callable[[Target, Mapping[str, Parameter]], None]
"""An additional check of parameters, for example against the specification of a pipeline in the bundle. It gets
those that a trigger sets, with the types of their defaults, and raises `InvalidTriggerError` for an invalid one."""

# Beyond this, a float cannot represent every whole number.
EXACT: Final = 2**53

_NUMBER: Final = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_WHOLE: Final = r"([+-]?[0-9]+)(?:\.0*)?"
_FLAGS: Final = {"true": True, "false": False}


def accept_any(_target: Target, _parameters: Mapping[str, Parameter]) -> None:
    """Accept all parameters: the check of a cloud whose bundle has no types for the parameters of its targets."""


def typed(name: str, default: Parameter, value: Parameter) -> Parameter:
    """Return *value* in the type of the parameter's *default*.

    Some senders, such as ML cube Platform, send only strings, and some write every number as a float.

    Args:
        name: the parameter.
        default: its default in the configuration; `$field` is a string.
        value: the value that a trigger sets. An integer parameter accepts whole numbers (12, 12.0 or "12"), a float
            any number, a boolean `true` or `false` in any case, a string anything.

    Raises:
        InvalidTriggerError: the value does not fit the type; the error names the parameter.

    """
    wanted, read = _TYPES[type(default)]
    found = read(value)
    if found is None:
        raise InvalidTriggerError(f"parameters.{name}", f"must be {wanted}, not {brief(value)}")
    return found


def spelled(value: Parameter) -> str:
    """Return *value* as the string that services get: a boolean as in JSON, a whole number without a point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        return str(int(value))
    return str(value)


def _flag(value: Parameter) -> bool | None:
    if isinstance(value, str):
        return _FLAGS.get(value.lower())
    return value if isinstance(value, bool) else None


def _whole(value: Parameter) -> int | None:
    number = _number(value)
    if isinstance(number, float):
        number = int(number) if number.is_integer() else None
    return number if number is not None and number in INT64 else None


def _number(value: Parameter) -> int | float | None:
    if isinstance(value, bool):
        return None
    if not isinstance(value, str):
        return value
    if not re.fullmatch(_NUMBER, value):
        return None
    whole = re.fullmatch(_WHOLE, value)
    # An integer is read exactly; one of thousands of digits is not one of 64 bits, and Python does not read it.
    if whole and len(value) <= len(str(INT64.start)) and int(whole[1]) in INT64:
        return int(whole[1])
    number = float(value)
    return number if isfinite(number) else None


_TYPES: Final[Mapping[type[Parameter], tuple[str, Callable[[Parameter], Parameter | None]]]] = {
    bool: ("true or false", _flag),
    int: ("a whole number of at most 64 bits", _whole),
    float: ("a number", _number),
    str: ("a string", spelled),
}
