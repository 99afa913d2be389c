"""The version of this tool, which `pyproject.toml` reads."""

from typing import Final

VERSION: Final = "0.1.0"


def version() -> str:
    """Return the version, such as `0.1.0`."""
    return VERSION
