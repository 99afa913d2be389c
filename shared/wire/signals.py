"""Native signals: their kinds, and how their evidence is kept small.

The events of each platform are read in `signals_aws`, `signals_gcp` and `signals_azure`.
"""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Final

from shared.fields import INT64
from shared.json_text import cut
from shared.trigger import MAX_TEXT
from shared.wire.reading import text

ALARM: Final = "cloudwatch-alarm"
S3_OBJECT: Final = "s3-object"
VERTEX: Final = "vertex-monitoring"
GCS_OBJECT: Final = "gcs-object"
AZURE_ML: Final = "azureml-monitor"
BLOB: Final = "blob"

DRIFT: Final = "drift"
DATA: Final = "data"

# Bytes of JSON. With these limits the evidence of a signal stays below the limit of a trigger, 16 KB.
MAX_VALUE: Final = 512
# The longest names in the three object stores have 1024 characters.
MAX_NAME: Final = 4096
# Metrics, values, features: the first ones are enough, the rest is where the evidence points to.
MAX_ITEMS: Final = 10
MAX_ITEM: Final = 128


def is_empty(name: str, size: object) -> bool:
    """Return whether an object has no data: a folder marker, or one of zero bytes, if the event has its *size*.

    File systems over object stores write such an object for a folder, or before the real one.
    """
    return name.endswith("/") or (not isinstance(size, bool) and size in (0, "0"))


def reason(given: object, otherwise: str = "") -> str:
    """Return the reason that the platform has *given*, or *otherwise* if there is none, cut to the allowed length."""
    return (text(given).strip() or otherwise)[:MAX_TEXT]


def evidence(**fields: object) -> dict[str, object]:
    """Return *fields* without the empty ones."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def short(value: object, size: int = MAX_VALUE) -> str:
    """Return *value*, if it is a string, cut to *size* bytes of JSON; else an empty string."""
    return cut(text(value)[:size], size)


def plain(value: object) -> str | float | None:
    """Return *value* if it is a string, which is cut, or a number; services write 64-bit integers as either."""
    if isinstance(value, str):
        return short(value, MAX_ITEM)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if (value in INT64 if isinstance(value, int) else isfinite(value)) else None


def first(values: object) -> list[object]:
    """Return the first items of *values*, if it is a list."""
    return values[:MAX_ITEMS] if isinstance(values, list) else []


def inside(value: object, *path: str) -> object:
    """Return the value at *path* in nested objects; None if one of them is missing or not an object."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def filled(values: Iterable[object]) -> list[object]:
    """Return *values* without the empty ones; zero is not empty."""
    return [value for value in values if value not in (None, "", {})]
