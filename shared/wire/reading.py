"""Reads fields of untrusted events: a value that is not valid counts as missing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from shared.fields import MAX_MODEL_ID, is_unicode, parse_time, read_model_id
from shared.json_text import parse_json

SWEEP: Final = "retrain_sweep"
"""The type of the events that request a sweep."""


def model_to_sweep(fields: Mapping[str, object]) -> str | None:
    """Return the model that the *fields* of a `retrain_sweep` event name; None if they name none.

    Raises:
        InvalidTriggerError: it is not a valid model id.

    """
    named = fields.get("model_id")
    return None if named is None else read_model_id(named)


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


def attribute_values(given: object, field: str) -> Mapping[str, object]:
    """Return the values of the message attributes *given*, of which each is an object with the value in *field*."""
    attributes = given.items() if isinstance(given, Mapping) else ()
    return {name: value.get(field) for name, value in attributes if isinstance(value, Mapping)}


def header_text(value: str) -> str:
    """Return the *value* of a header as it was sent: servers decode headers as Latin-1 (PEP 3333), clients send UTF-8.

    A value that is not UTF-8, or that was decoded correctly, is returned unchanged.
    """
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value
