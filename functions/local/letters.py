"""The dead letters of this machine, as the command reads them: files in a folder."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from functions.local import events
from functions.local.wiring import FOLDER, ROOT
from shared.config.environment import read_environment
from shared.errors import UnavailableError
from shared.training.letters import REJECTED, UNDELIVERED, Kind, LetterBox, StoredLetter, rejected_letter

decode = events.decode


def boxes(variables: Mapping[str, str]) -> list[LetterBox]:
    """Return the folder that *variables* name, or the one beside the configuration."""
    environment = read_environment(variables, root=ROOT, needed=())
    folder = environment.dead_letters or environment.config.folder / FOLDER / "dead-letters"
    return [FolderLetters(Path(folder))]


class FolderLetters:
    """A `shared.training.letters.LetterBox` with both kinds of letters."""

    def __init__(self, folder: Path) -> None:
        """Use *folder*, which may be missing."""
        self.kinds: tuple[Kind, ...] = (REJECTED, UNDELIVERED)
        self._folder = folder

    def read(self, only: str = "") -> Iterator[StoredLetter]:
        """Read every file, oldest first; see the port."""
        name = only.partition("/")[2]
        for path in self._files():
            if only and path.stem != name:
                continue
            try:
                content = path.read_bytes()
            except (FileNotFoundError, IsADirectoryError):
                continue  # It was deleted since the names were listed, or is not a letter.
            except OSError as error:
                raise UnavailableError("The dead-letter folder", "read a letter", str(error)) from error
            yield rejected_letter(path.stem, content, path)

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self._folder.iterdir() if path.suffix == ".json")
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise UnavailableError("The dead-letter folder", "list its letters", str(error)) from error

    def delete(self, letter: StoredLetter) -> None:
        """Delete the file; see the port."""
        try:
            Path(str(letter.handle)).unlink(missing_ok=True)
        except OSError as error:
            raise UnavailableError("The dead-letter folder", "delete a letter", str(error)) from error

    def release(self) -> None:
        """Do nothing: files are not hidden while they are read."""
