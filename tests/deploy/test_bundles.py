"""The uploaded bundles: the same bytes for the same sources, nothing of another cloud, small enough to start fast."""

import os
from pathlib import Path

import pytest

from functions.cli.build.archive import archive
from tests.contracts.bundles import built_bundle

CLOUDS = ("aws", "gcp", "azure")
ROOMS = {"__init__.py", "assembly.py", "http_session.py", "machine.py", "rest.py", "github", "notify"}
# With cryptography, which the functions do not use, it would have eleven.
AZURE_LIMIT = 7_000_000  # bytes


def archived(folder: Path, target: Path) -> bytes:
    """Return what the archive of *folder* holds."""
    archive(folder, target)
    return target.read_bytes()


def test_equal_folders_make_equal_archives(tmp_path: Path) -> None:
    """Neither times, nor rights, nor the order in which the files were written make a difference."""
    for name, order in (("one", ("a.py", "b/c.py")), ("two", ("b/c.py", "a.py"))):
        for number, path in enumerate(order):
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(path)
            os.utime(file, (number * 1000, number * 1000))
            file.chmod(0o600 + 0o40 * number)
    assert archived(tmp_path / "one", tmp_path / "1.zip") == archived(tmp_path / "two", tmp_path / "2.zip")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_bundle_holds_its_own_cloud_and_no_other(cloud: str) -> None:
    """Beside the core it has what every cloud uses and its own folder: no command line, no monitor."""
    functions = built_bundle(cloud) / "functions"
    assert {entry.name for entry in functions.iterdir() if entry.name != "__pycache__"} == {*ROOMS, cloud}


def test_the_bundle_for_azure_is_small() -> None:
    """Zipped it has less than seven megabytes, for an instance fetches it before it can start."""
    assert built_bundle("azure").with_suffix(".zip").stat().st_size < AZURE_LIMIT


def test_the_bundle_for_azure_has_no_login_of_a_person() -> None:
    """azure-identity, MSAL and cryptography, half of its former size, are not in it: an app has a managed identity."""
    packages = {path.name for path in (built_bundle("azure") / ".python_packages/lib/site-packages").iterdir()}
    assert packages & {"msal", "msal_extensions", "jwt", "cffi", "pycparser"} == set()
    assert not (built_bundle("azure") / ".python_packages/lib/site-packages/azure/identity").exists()
