"""One side of a comparison: the files at an address, their columns, and a sample of their rows."""

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from functions.monitor.data.arrow import as_table
from functions.monitor.data.formats import Header, compression_of, is_csv, read_batches, read_header
from functions.monitor.data.sampling import sample_rows
from functions.monitor.data.storage import FoundFile, Storage
from functions.monitor.data.text import cut
from functions.monitor.errors import UnusableDataError
from functions.monitor.untyped import Batch, Table

SHOWN_NAMES: Final = 20

_ROW: Final = re.compile(r"(got \d+):.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Rows of a data set.

    Attributes:
        table: the rows, as a table of pyarrow.
        rows: how many rows the data set has.

    """

    table: Table = field(repr=False)
    rows: int

    @property
    def taken(self) -> int:
        """How many rows the sample has."""
        return int(self.table.num_rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """Files of one form that are read as one table.

    Attributes:
        side: `reference` or `current`, for people.
        address: where they are.
        files: what is there.
        header: the columns of the first file; the others must have those that are read.
        storage: reads them.

    """

    side: str
    address: str
    files: tuple[FoundFile, ...]
    header: Header
    storage: Storage

    @classmethod
    def at(cls, address: str, side: str, storage: Storage) -> "DataSet":
        """Look at the data at *address*.

        Raises:
            UnusableDataError: there are none, or they are neither Parquet nor CSV.
            UnavailableError: the storage is away.

        """
        files = storage.find(address)
        _check_forms(address, files)
        with _readable(address, files[0]), _opened(storage, address, files[0]) as stream:
            header = read_header(files[0].path, stream)
        return cls(side=side, address=address, files=files, header=header, storage=storage)

    @property
    def identity(self) -> str:
        """What changes when the data do: every file by path, size and content."""
        return "\n".join(f"{file.path}\0{file.size}\0{file.identity}" for file in self.files)

    def sample(self, columns: Sequence[str], limit: int) -> Sample:
        """Read *columns* of at most *limit* rows, taken from all rows with equal chances.

        Raises:
            UnusableDataError: the data are damaged, have no rows, or lack a column in one of the files.
            UnavailableError: the storage is away.

        """
        batches, rows = sample_rows(self._batches(columns), limit)
        if not rows:
            raise UnusableDataError(f"{self.side} data ({self.address}): have no rows")
        with _readable(self.address, self.files[0]):
            return Sample(table=as_table(batches, texts=bool(is_csv(self.files[0].path))), rows=rows)

    def described(self) -> str:
        """Return what people call this side."""
        return f"the {self.side} data ({self.address})"

    def _batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        for file in self.files:
            with _readable(self.address, file), _opened(self.storage, self.address, file) as stream:
                if file is not self.files[0]:
                    self._check_columns(file, read_header(file.path, stream), columns)
                    stream.seek(0)
                yield from map(cut, read_batches(file.path, stream, columns))

    def _check_columns(self, file: FoundFile, header: Header, columns: Sequence[str]) -> None:
        missing = [name for name in columns if name not in header.names]
        if missing:
            raise UnusableDataError(f"{file.path}: lacks {_listed(missing)}, which {self.files[0].path} has")


def _check_forms(address: str, files: Sequence[FoundFile]) -> None:
    other = next((file.path for file in files if is_csv(file.path) is None), None)
    if other is not None:
        raise UnusableDataError(f"{address}: {other} is neither .parquet nor .csv nor .csv.gz")
    if len({is_csv(file.path) for file in files}) > 1:
        raise UnusableDataError(f"{address}: holds both Parquet and CSV; name one of them, as in {address}/*.parquet")


@contextmanager
def _opened(storage: Storage, address: str, file: FoundFile) -> Iterator[Any]:
    with storage.open(address, file, compression=compression_of(file.path)) as stream:
        yield stream


@contextmanager
def _readable(address: str, file: FoundFile) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, EOFError, zlib.error, gzip.BadGzipFile) as error:
        # pyarrow repeats the row that it stumbled over, and data belong in no log.
        first = _ROW.sub(r"\1", str(error).partition("\n")[0])
        raise UnusableDataError(f"{address}: {file.path} cannot be read: {first}") from error


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:SHOWN_NAMES])
    return f"{shown} and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else shown


def columns_of(data: DataSet) -> Mapping[str, str]:
    """Return every column of *data*, with why it cannot be compared, or an empty text."""
    return {name: data.header.unusable.get(name, "") for name in data.header.names}
