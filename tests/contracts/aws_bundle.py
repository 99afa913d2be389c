"""The bundle that would be uploaded to AWS: `dist/aws`."""

from pathlib import Path

from tests.contracts.bundles import built_bundle


def aws_bundle() -> Path:
    """Return the folder of the bundle; see `built_bundle`."""
    return built_bundle("aws")
