"""Packs a bundle so that equal folders become equal files, byte for byte."""

from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

# The earliest time that a zip can hold.
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o100644


def archive(folder: Path, target: Path) -> None:
    """Pack every file of *folder* into *target*, in the order of their names, without times, owners and rights."""
    with ZipFile(target, "w", ZIP_DEFLATED) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = _MODE << 16
            packed.writestr(entry, path.read_bytes(), compresslevel=9)
