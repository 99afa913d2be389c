"""Writing a small file so that it is complete or absent, even after a power failure."""

import os
import secrets
from pathlib import Path


def write_durably(path: Path, text: str) -> None:
    """Replace the content of the file at *path* with *text*, atomically.

    Raises:
        OSError: the disk is full, or the folder is missing or not writable.

    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with draft.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make file names in *folder* survive a power failure.

    Raises:
        OSError: the folder does not exist.

    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
