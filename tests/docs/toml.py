"""Writes a value as TOML: one inline table or value a key."""

import json
import math
from collections.abc import Mapping
from typing import Any


def write_toml(content: Mapping[str, Any]) -> str:
    """Return the text of a file with *content*."""
    return "".join(f"{_text(key)} = {_value(value)}\n" for key, value in content.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key)} = {_value(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    return _text(value) if isinstance(value, str) else str(value)


def _text(text: str) -> str:
    # TOML's strings are JSON's, but for the delete character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
