"""Checks of single fields of a trigger; errors name the field and the value.

Every `read_` function here raises `InvalidTriggerError`.
"""

import json
import math
import re
import reprlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from shared.errors import InvalidTriggerError
from shared.json_text import is_deeper

Parameter = str | int | float | bool

MAX_MODEL_ID: Final = 256
# The state of a model contains up to three triggers; with this limit it stays far below the smallest item limit of
# the ledgers (DynamoDB: 400 KB per item).
MAX_MAPPING_BYTES: Final = 16 * 1024
# Far below the depth at which Python can no longer read or write JSON.
MAX_LEVELS: Final = 32
# Every service and language involved preserves integers of this size; EventBridge refuses larger ones.
INT64: Final = range(-(2**63), 2**63)

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# Compiled when it is first used, as in `json_text`.
_SURROGATE: Final = "[\ud800-\udfff]"
_RFC_3339: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?!24)[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_LEAP_SECOND: Final = r"(.{10}T[0-9]{2}:[0-9]{2}:)60(.*)"
_ENCODER: Final = json.JSONEncoder(allow_nan=False)


def format_time(moment: datetime) -> str:
    """Return *moment* as ISO 8601 in UTC, e.g. `2026-11-21T03:00:00Z`, with fractions only if there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Parse an ISO 8601 time with an offset; the result is in UTC.

    A leap second counts as the second after it, as Python has none.

    Raises:
        ValueError: *text* is not a valid time, or has no offset.

    """
    try:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = _rare_form(text)
        if moment.tzinfo is None:
            raise ValueError("no offset")  # noqa: TRY301 - one message for every way to be wrong
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"must be an ISO 8601 time with an offset, not {brief(text)}") from error


def parse_rfc3339(text: str) -> datetime:
    """Parse an RFC 3339 time, such as `2026-12-01T08:00:00Z`; the result is in UTC.

    Raises:
        ValueError: *text* is not such a time.

    """
    try:
        if not re.fullmatch(_RFC_3339, text):
            raise ValueError("another form")  # noqa: TRY301 - one message for every way to be wrong
        return parse_time(text)
    except ValueError as error:
        raise ValueError(f"must be an RFC 3339 time such as 2026-12-01T08:00:00Z, not {brief(text)}") from error


def _rare_form(text: str) -> datetime:
    """Read what RFC 3339 permits and Python does not read: small letters, and a leap second, 23:59:60 UTC."""
    leap = re.fullmatch(_LEAP_SECOND, text.upper())
    moment = datetime.fromisoformat(f"{leap[1]}59{leap[2]}" if leap else text.upper())
    if leap is None or moment.tzinfo is None:
        return moment
    second = moment.astimezone(UTC).replace(microsecond=0)
    if (second.hour, second.minute) != (23, 59):
        raise ValueError("not a leap second")
    return second + timedelta(seconds=1)


def brief(value: object, limit: int = 60) -> str:
    """Return *value* for an error message, cut to *limit* characters."""
    try:
        text = repr(value)
    except RecursionError:
        text = reprlib.repr(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def read_text(name: str, value: object, most: int, *, least: int = 0) -> str:
    """Return a string of *least* to *most* characters."""
    if not isinstance(value, str):
        raise InvalidTriggerError(name, f"must be a string, not {brief(value)}")
    if not least <= len(value) <= most:
        raise InvalidTriggerError(name, f"must have {least} to {most} characters, not {len(value)}")
    if not is_unicode(value):
        raise InvalidTriggerError(name, f"must be valid Unicode, not {brief(value)}")
    return value


def is_unicode(text: str) -> bool:
    """Return whether *text* has no lone surrogate: JSON can spell one, but no service and no file accepts it."""
    return text.isascii() or re.search(_SURROGATE, text) is None


def read_model_id(value: object) -> str:
    """Return a model's id."""
    if value is None:
        raise InvalidTriggerError("model_id", "is missing, and no model of the configuration has default = true")
    text = read_text("model_id", value, MAX_MODEL_ID, least=1)
    if _CONTROL.search(text):
        raise InvalidTriggerError("model_id", f"must have no control characters, not {brief(text)}")
    return text


def read_one_of(name: str, value: object, choices: tuple[str, ...]) -> str:
    """Return one of *choices*."""
    if not isinstance(value, str) or value not in choices:
        raise InvalidTriggerError(name, f"must be one of {', '.join(choices)}, not {brief(value)}")
    return value


def read_flag(name: str, value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise InvalidTriggerError(name, f"must be true or false, not {brief(value)}")
    return value


def read_time(value: object) -> datetime:
    """Return a time in UTC."""
    text = value.isoformat() if isinstance(value, datetime) else value
    if not isinstance(text, str):
        raise InvalidTriggerError("requested_at", f"must be a string, not {brief(value)}")
    try:
        return parse_time(text)
    except ValueError as error:
        raise InvalidTriggerError("requested_at", str(error)) from error


def read_object(name: str, value: object) -> Mapping[str, object]:
    """Return a JSON object of bounded size and depth, a copy."""
    return MappingProxyType(json.loads(_json_of(name, value)))


def read_parameters(value: object) -> Mapping[str, Parameter]:
    """Return pipeline parameters: names with plain values."""
    # First each by itself, so that an error names the parameter.
    given = value.items() if isinstance(value, Mapping) else ()
    plain = {name: _parameter(name, item) for name, item in given}
    _json_of("parameters", value)
    return MappingProxyType(plain)


def _json_of(name: str, value: object) -> str:
    if not isinstance(value, Mapping):
        raise InvalidTriggerError(name, f"must be an object, not {brief(value)}")
    too_deep = InvalidTriggerError(name, f"must be nested at most {MAX_LEVELS} levels deep")
    try:
        text = _ENCODER.encode(dict(value))
    except RecursionError as error:
        raise too_deep from error
    except (ValueError, TypeError) as error:
        # Newer versions of Python add the value behind a colon.
        why = str(error).partition(":")[0]
        raise InvalidTriggerError(name, f"must be plain JSON: {why}") from error
    # Counting brackets is cheap, and few of them cannot be deep.
    if text.count("{") + text.count("[") > MAX_LEVELS and is_deeper(value, MAX_LEVELS):
        raise too_deep
    # The text has spaces and escapes, which the limit does not count.
    if len(text) > MAX_MAPPING_BYTES and (size := _size(value)) > MAX_MAPPING_BYTES:
        raise InvalidTriggerError(name, f"must have at most {MAX_MAPPING_BYTES} bytes as JSON, not {size}")
    # Surrogates are escaped in the text, pairs of them for characters such as emoji too.
    if "\\ud" in text and not is_unicode(json.dumps(dict(value), ensure_ascii=False)):
        raise InvalidTriggerError(name, "must be valid Unicode")
    return text


def _size(value: Mapping[str, object]) -> int:
    """Return the bytes of *value* as JSON in UTF-8 without spaces."""
    text = json.dumps(dict(value), separators=(",", ":"), ensure_ascii=False)
    return len(text.encode("utf-8", "surrogatepass"))


def _parameter(name: str, value: object) -> Parameter:
    place = f"parameters.{name}"
    if isinstance(value, str):
        return read_text(place, value, MAX_MAPPING_BYTES)
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidTriggerError(place, f"must be a finite number, not {value}")
    if isinstance(value, int) and value not in INT64:
        raise InvalidTriggerError(place, f"must fit into 64 bits, not {brief(value)}")
    if not isinstance(value, str | int | float | bool):
        raise InvalidTriggerError(place, f"must be a string, a number or a boolean, not {brief(value)}")
    return value
