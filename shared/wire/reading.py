"""Reads fields of untrusted events: a value that is not valid counts as missing."""

from collections.abc import Mapping
from datetime import datetime

from shared.fields import MAX_MODEL_ID, is_unicode, parse_time
from shared.json_text import parse_json


def model_of_provenance(description: str) -> str | None:
    """Return the model id in the provenance that launches write as the description; None if it is anything else."""
    try:
        provenance = parse_json(description)
    except ValueError:
        return None
    model_id = text(provenance.get("model_id")) if isinstance(provenance, Mapping) else ""
    return model_id if 0 < len(model_id) <= MAX_MODEL_ID else None


def time(value: object) -> datetime | None:
    """Return the time in *value*, a text in ISO 8601; none for anything else.

    Samples of services hold epoch milliseconds where a time should be.
    """
    try:
        return parse_time(value) if isinstance(value, str) else None
    except ValueError:
        return None


def text(value: object) -> str:
    """Return *value* if it is a string without lone surrogates, which JSON can contain but UTF-8 cannot; else empty."""
    return value if isinstance(value, str) and is_unicode(value) else ""
