"""Why a configuration file cannot be read, and what to do about it; imported only after such an error."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

STANDARD_NAME: Final = "retrain.toml"

# Python's words for the usual mistakes, and what a person has to change.
_HINTS: Final[Mapping[str, str]] = {
    "Expected newline or end of document after a statement": 'a string or a duration needs quotes, such as "6h"',
    "Invalid value": 'a string or a duration needs quotes, such as "6h"',
    "Illegal character '\\n'": "a quote at the end of the string is missing",
    "Unescaped '\\' in a string": "write two backslashes, or put the string in single quotes",
}
_DECLARED_TWICE: Final = re.compile(r"Cannot declare \((.*?),?\) twice")


def reading_problem(path: Path, error: OSError | UnicodeDecodeError) -> str:
    """Return why the text of *path* cannot be read, as the *error* of the attempt shows."""
    if isinstance(error, UnicodeDecodeError):
        line = error.object.count(b"\n", 0, error.start) + 1
        return f"line {line} is not UTF-8 text; save the file as UTF-8"
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        hint = "`retrain init` creates one" if path.name == STANDARD_NAME else "correct --config or RETRAIN_CONFIG"
        return f"there is no such file; {hint}"
    if isinstance(error, IsADirectoryError):
        return "is a folder, not a file; correct --config or RETRAIN_CONFIG"
    return f"cannot be read: {error.strerror or type(error).__name__}"


def syntax_problem(error: Exception) -> str:
    """Return what is wrong in a text that is not TOML, as the *error* of the parser shows; its place comes last."""
    reason, at, place = str(error).rpartition(" (at ")
    reason = _DECLARED_TWICE.sub(lambda names: f"Cannot declare {_table(names[1])} twice", reason)
    hint = next((f"; {hint}" for start, hint in _HINTS.items() if reason.startswith(start)), "")
    return f"is not valid TOML: {reason}{hint}{at}{place}"


def _table(names: str) -> str:
    """Return the name of a table as the file has it; *names* are its parts, as Python shows strings."""
    parts = re.findall(r"""'([^']*)'|"([^"]*)\"""", names)
    return ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"' for part in map("".join, parts))
