"""Reading fields that anybody may have written: what is not as it should be counts as absent."""

from collections.abc import Mapping
from datetime import datetime

from shared.fields import MAX_MODEL_ID, is_unicode, parse_time
from shared.json_text import parse_json


def model_of_provenance(description: str) -> str | None:
    """Read the model from the provenance that our launches write as description; anybody may write another one."""
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
    """Return *value* if it is a text that can be written again: JSON can spell a lone surrogate, UTF-8 cannot."""
    return value if isinstance(value, str) and is_unicode(value) else ""
