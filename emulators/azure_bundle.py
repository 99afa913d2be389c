"""The bundle for Azure as it is built for a configuration that needs Apprise.

`make build-azure` adds Apprise only where a channel of `retrain.toml` needs it, which in this repository none does. So
tests and demo put beside the packages of `dist/azure` those that the Makefile would add then: the ones that
`functions/notify/requirements.txt` lists, linked from the environment that runs the tests, and nothing else of it.
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
    """Fill *folder* with links to what is in *bundle*, Apprise and what it needs, and return it."""
    (folder / PACKAGES).mkdir(parents=True)
    for path in bundle.iterdir():
        if path.name != PACKAGES.parts[0]:
            (folder / path.name).symlink_to(path)
    for path in (bundle / PACKAGES).iterdir():
        (folder / PACKAGES / path.name).symlink_to(path)
    for path in _added():
        # What both have is of the same version: the requirements are pinned with one another.
        if not (folder / PACKAGES / path.name).exists():
            (folder / PACKAGES / path.name).symlink_to(path)
    return folder


def _added() -> Iterator[Path]:
    """Go through the folders and modules of the listed packages; one for another system is not installed here."""
    for name in _PINNED.findall((ROOT / "functions/notify/requirements.txt").read_text(encoding="utf-8")):
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        tops = {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}
        yield from (Path(str(found.locate_file(top))) for top in sorted(tops))
