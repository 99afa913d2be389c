"""Files of the storage as DuckDB opens them: by number, read-only, with every failure remembered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any, Final

from fsspec import AbstractFileSystem

from functions.monitor.data.storage import FoundFile, Storage

SCHEME: Final = "stored"
# The same for every file, so that DuckDB can keep the footers that it has read.
_ONE_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failure of the storage during a read.

    Attributes:
        address: the configured address of the data.
        error: what the driver raised.

    """

    address: str
    error: Exception = field(repr=False)


class ServedFiles(AbstractFileSystem):  # type: ignore[misc]  # it comes without types
    """A file system of fsspec whose files are those that `serve` was given.

    DuckDB turns an exception of the driver into text. The original is kept here, because it decides whether the storage
    is away or the file is gone.
    """

    protocol = SCHEME
    cachable = False

    def __init__(self, storage: Storage) -> None:
        """Serve files of *storage*."""
        super().__init__()
        self._storage = storage
        self._files: list[tuple[str, FoundFile]] = []
        self._failure: Failure | None = None

    def serve(self, address: str, file: FoundFile) -> str:
        """Return the name under which DuckDB can open *file*, which was found at *address*."""
        self._files.append((address, file))
        return f"{SCHEME}://{len(self._files) - 1}/"

    def take_failure(self) -> Failure | None:
        """Return the first failure since the last call, and forget it."""
        failure, self._failure = self._failure, None
        return failure

    def fail(self, address: str, error: Exception) -> None:
        """Remember that reading the data at *address* failed with *error*."""
        self._failure = self._failure or Failure(address=address, error=error)

    def glob(self, path: str, **_options: object) -> list[str]:
        """Return *path*: the name of a served file is not a pattern."""
        return [path]

    def exists(self, path: str, **_options: object) -> bool:
        """Whether *path* is the name of a served file."""
        return self._place(path) < len(self._files)

    def info(self, path: str, **_options: object) -> Mapping[str, object]:
        """Return the size of a file, in bytes."""
        _, file = self._files[self._place(path)]
        return {"name": path, "size": file.size, "type": "file"}

    def modified(self, path: str) -> datetime:
        """Return the same time for every file: none changes during a check."""
        del path
        return _ONE_TIME

    def _open(self, path: str, mode: str = "rb", **_options: object) -> "_WatchedFile":
        del mode
        address, file = self._files[self._place(path)]
        try:
            return _WatchedFile(self._storage.stream(address, file), address, self)
        except Exception as error:
            self.fail(address, error)
            raise

    def _place(self, path: str) -> int:
        return int(self._strip_protocol(path).strip("/"))


class _WatchedFile:
    """An open file that remembers what goes wrong."""

    def __init__(self, stream: IO[bytes], address: str, files: ServedFiles) -> None:
        self._stream = stream
        self._address = address
        self._files = files

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except Exception as error:
            self._files.fail(self._address, error)
            raise

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all other methods, unchanged
        return getattr(self._stream, name)
