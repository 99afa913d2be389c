"""DuckDB: a database in memory that lives as long as one check and reads every file through the storage."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from functions.monitor.data.files import ServedFiles
from functions.monitor.data.storage import FoundFile, Storage
from functions.monitor.data.storage_errors import reached
from functions.monitor.errors import UnusableDataError
from functions.monitor.untyped import Frame

# The samples of both sides and the buffers of the readers take less; what does not fit is written to a folder.
MEMORY_LIMIT: Final = "1GB"
# Each thread holds buffers of its own, and the smallest machines have two cores.
THREADS: Final = 2

# DuckDB repeats the line that it could not read, and values of the data must not get into logs and messages.
_CSV_PLACE: Final = re.compile(r"CSV Error on Line: (\d+)")
_CSV_STATE: Final = "CSV Parser state machine"
_NOT_CSV: Final = "is not valid CSV, or has line ends of two kinds"
_ERROR_NAME: Final = re.compile(r"^[A-Za-z ]+ Error: ")
_FILE_NAME: Final = re.compile(
    r'Failed to read file "[^"]*": |,? ?(?:in|of|for) file ["\'][^"\']*["\']|["\'][^"\']*://[^"\']*["\']'
)
# As in `value "..." is not valid UTF8` and `Could not convert string '...' to INT64`.
_VALUE: Final = re.compile(r"""\b(value|string) (".*"|'.*')""", re.DOTALL)
_GLOB_SIGNS: Final = frozenset("*?[]{}")
_LONGEST: Final = 200


class Engine:
    """Runs SQL over the files of a storage.

    DuckDB opens files of this machine itself. Files in an object store, and files whose names DuckDB would take for a
    pattern, reach it through `ServedFiles`.
    """

    def __init__(self, storage: Storage) -> None:
        """Start a database of its own: an internal error of DuckDB then ends one check only."""
        # Not at the top: only a run needs it.
        import duckdb

        # Of its own: files of two databases would have the same names.
        self._spilled = tempfile.TemporaryDirectory(prefix="drift-monitor-")
        self._served = ServedFiles(storage)
        self._known: dict[str, FoundFile] = {}
        self._failures = duckdb.Error
        self._out_of_memory = duckdb.OutOfMemoryException
        self._connection = duckdb.connect(
            config={
                "memory_limit": MEMORY_LIMIT,
                "temp_directory": self._spilled.name,
                "threads": THREADS,
                # Nothing is downloaded at run time; what is needed is in the package.
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        # It would be drawn into the result that a run prints.
        self._connection.execute("SET enable_progress_bar = false")
        # A column of places is not compared, so what a file says of its form need not be true.
        self._connection.execute("SET enable_geoparquet_conversion = false")
        # A footer is read for its columns, and once more with the rows.
        self._connection.execute("SET parquet_metadata_cache = true")
        self._connection.register_filesystem(self._served)

    def close(self) -> None:
        """Release the memory, and delete what was written to the disk."""
        self._connection.close()
        self._spilled.cleanup()

    def source(self, address: str, file: FoundFile) -> str:
        """Return *file*, which was found at *address*, as a literal for SQL."""
        local = "://" not in address and not _GLOB_SIGNS & set(file.path)
        place = file.path if local else self._served.serve(address, file)
        self._known[place] = file
        return quoted_text(place)

    def run(self, query: str) -> None:
        """Run *query* for its effect.

        Raises:
            UnusableDataError: a file that it reads is damaged, or needs too much memory.
            UnavailableError: the storage is away.

        """
        with self._translated(query):
            self._connection.execute(query)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of *query*; raises what `run` does."""
        with self._translated(query):
            found: list[tuple[Any, ...]] = self._connection.execute(query).fetchall()
        return found

    def row(self, query: str) -> tuple[Any, ...]:
        """Return the only row of *query*; raises what `run` does."""
        (found,) = self.rows(query)
        return found

    def frame(self, query: str) -> Frame:
        """Return the rows of *query* as a data frame; raises what `run` does."""
        with self._translated(query):
            table = self._connection.sql(query).to_arrow_table()
        # Each column is given up as soon as it is copied; blocks of many columns would be copied once more.
        return table.to_pandas(split_blocks=True, self_destruct=True)

    @contextmanager
    def _translated(self, query: str) -> Iterator[None]:
        try:
            yield
        except self._failures as error:
            failure = self._served.take_failure()
            if failure is not None:
                with reached(failure.address, "read it"):
                    raise failure.error from error
            if isinstance(error, self._out_of_memory):
                raise UnusableDataError(f"The data do not fit into {MEMORY_LIMIT} of memory") from error
            raise UnusableDataError(self._described(str(error), query)) from error

    def _described(self, text: str, query: str) -> str:
        # Some errors do not say which file it was; then it is one of those that were read.
        named = [place for place in self._known if place in text] or [place for place in self._known if place in query]
        paths = {self._known[place].path for place in named}
        name = paths.pop() if len(paths) == 1 else f"one of {len(paths)} files"
        return f"{name} cannot be read: {_without_data(text)}"


def quoted_text(text: str) -> str:
    """Return *text* as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def quoted_name(name: str) -> str:
    """Return *name* as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def listed(expressions: Sequence[str]) -> str:
    """Return *expressions* as a list of SQL."""
    return ", ".join(expressions)


def _without_data(text: str) -> str:
    place = _CSV_PLACE.search(text)
    lines = [line for line in text.splitlines() if line.strip()]
    if place:
        # The reason follows the line that is repeated, which may itself hold line breaks.
        why = next(
            (line for line in lines if line.startswith(("Expected Number", "Invalid unicode", "Value with", "Max"))), ""
        )
        return f"line {place[1]}: {why or _NOT_CSV}"
    if _CSV_STATE in text:
        return _NOT_CSV
    first = _FILE_NAME.sub("", _ERROR_NAME.sub("", _VALUE.sub(r"a \1", lines[0] if lines else "")))
    return first[:_LONGEST].strip()
