"""The bundle for Azure as it is built where a channel needs Apprise: `make build-azure` adds it only then."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "dist" / "azure"
PACKAGES = Path(".python_packages", "lib", "site-packages")
APPRISE = ROOT / "functions" / "notify" / "requirements.txt"


def bundle_with_apprise(folder: Path) -> Path:
    """Return *folder*, made to look like the bundle with what Apprise needs, out of the environment, beside the rest.

    It is all links: the bundle that was built stays as it is.
    """
    packages = folder / PACKAGES
    packages.mkdir(parents=True)
    for entry in BUNDLE.iterdir():
        if entry.name != PACKAGES.parts[0]:
            (folder / entry.name).symlink_to(entry)
    for entry in (*(BUNDLE / PACKAGES).iterdir(), *_apprise()):
        # What the bundle has already comes first.
        if not (packages / entry.name).exists():
            (packages / entry.name).symlink_to(entry)
    return folder


def _apprise() -> Iterator[Path]:
    """Go through what the packages that the bundle would carry for Apprise have in the environment."""
    for name in re.findall(r"^([a-z0-9-]+)==", APPRISE.read_text(encoding="utf-8"), re.MULTILINE):
        try:
            package = distribution(name)
        except PackageNotFoundError:
            # Not for this system.
            continue
        # Scripts and the like lie outside, at paths that lead upwards.
        tops = {file.parts[0] for file in package.files or () if file.parts[0] not in ("..", "__pycache__")}
        yield from (Path(str(package.locate_file(top))) for top in sorted(tops))
