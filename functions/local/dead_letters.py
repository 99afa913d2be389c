"""Dead letters as files in a folder, one file for each letter."""

import json
from datetime import UTC
from pathlib import Path

from functions.local.durable import write_durably
from shared.errors import UnavailableError
from shared.ports import DeadLetter, RandomId
from shared.training.dead_letters import letter_document


class FolderDeadLetters:
    """Keeps each letter as a JSON file whose name begins with its time; see `shared.ports.DeadLetters`."""

    def __init__(self, folder: Path, new_id: RandomId) -> None:
        """Use *folder*, created if missing; *new_id* makes file names unique."""
        self._folder = folder
        self._new_id = new_id

    def put(self, letter: DeadLetter) -> None:
        """Write *letter*; when this returns it is on disk.

        Raises:
            UnavailableError: the folder cannot be written to, or the disk is full.

        """
        # No colons: some file systems do not allow them in names.
        moment = letter.at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        text = json.dumps(letter_document(letter), indent=2) + "\n"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_durably(self._folder / f"{moment}-{self._new_id()}.json", text)
        except OSError as error:
            raise UnavailableError("The dead-letter folder", "keep a letter", str(error)) from error
