"""`python deploy/archive.py FOLDER ZIP`: packs a bundle so that equal folders become equal files, byte for byte."""

import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

# The first time that a zip can hold.
EPOCH = (1980, 1, 1, 0, 0, 0)
MODE = 0o100644


def archive(folder: Path, target: Path) -> None:
    """Pack every file of *folder* into *target*, in the order of their names, without times, owners and rights."""
    with ZipFile(target, "w", ZIP_DEFLATED) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = MODE << 16
            packed.writestr(entry, path.read_bytes(), compresslevel=9)


if __name__ == "__main__":
    archive(Path(sys.argv[1]), Path(sys.argv[2]))
