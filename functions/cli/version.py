"""The version of this tool, which `pyproject.toml` reads."""

from typing import Final

VERSION: Final = "0.1.0"
# The JSON Schema of `retrain.toml`, of this version.
SCHEMA_ADDRESS: Final = f"https://retrain-trigger.readthedocs.io/v{VERSION}/retrain.schema.json"


def version() -> str:
    """Return the version, such as `0.1.0`."""
    return VERSION
