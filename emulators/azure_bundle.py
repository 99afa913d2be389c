"""The bundle for Azure as it would be built for a configuration that needs Apprise.

`make build-azure` adds Apprise only if a channel in `retrain.toml` needs it, and in this repository none does. Tests
and demo therefore add the packages that the Makefile would add then: those that `functions/notify/requirements.txt`
lists, as links to the environment that runs the tests, and nothing else from that environment.
"""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = Path(".python_packages", "lib", "site-packages")
_PINNED: Final = re.compile(r"^([a-z0-9-]+)==", re.MULTILINE)


def with_apprise(bundle: Path, folder: Path) -> Path:
    """Fill *folder* with links to the content of *bundle*, to Apprise and to its requirements, and return it."""
    (folder / PACKAGES).mkdir(parents=True)
    for path in bundle.iterdir():
        if path.name != PACKAGES.parts[0]:
            (folder / path.name).symlink_to(path)
    for path in (bundle / PACKAGES).iterdir():
        (folder / PACKAGES / path.name).symlink_to(path)
    for path in _added():
        # Packages that are in both have the same version: the requirements are pinned together.
        if not (folder / PACKAGES / path.name).exists():
            (folder / PACKAGES / path.name).symlink_to(path)
    return folder


def _added() -> Iterator[Path]:
    """Yield the folders and modules of the listed packages; those for other systems are not installed here."""
    for name in _PINNED.findall((ROOT / "functions/notify/requirements.txt").read_text(encoding="utf-8")):
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        tops = {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}
        yield from (Path(str(found.locate_file(top))) for top in sorted(tops))
