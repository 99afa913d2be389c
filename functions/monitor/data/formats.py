"""Parquet and CSV, in pieces that fit into memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Final

from functions.monitor.data.text import check_text
from functions.monitor.untyped import Batch, DataType, Reader

BATCH_ROWS: Final = 8_192
# So much of a column is fetched at once: over a network each fetch is a request.
COLUMN_BUFFER: Final = 4 * 1024 * 1024
CSV_BLOCK: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The columns of a file.

    Attributes:
        names: in the order of the file.
        unusable: column -> why it cannot be compared, for what the file itself tells.

    """

    names: tuple[str, ...]
    unusable: Mapping[str, str]


def compression_of(path: str) -> str | None:
    """Return how the file at *path* is packed as a whole, by its name."""
    return "gzip" if path.lower().endswith(".gz") else None


def is_csv(path: str) -> bool | None:
    """Whether the file at *path* is CSV, by its name: true; Parquet: false; neither: none."""
    name = path.lower().removesuffix(".gz")
    return True if name.endswith(".csv") else False if path.lower().endswith(".parquet") else None


def read_header(path: str, stream: IO[bytes]) -> Header:
    """Return the columns of the file.

    Raises:
        pyarrow.ArrowException: it is no such file.

    """
    if is_csv(path):
        check_text(stream)
        names = _open_csv(stream).schema.names
        return Header(names=tuple(names), unusable=_repeated(names))
    from pyarrow.parquet import ParquetFile

    schema = ParquetFile(stream).schema_arrow
    unusable = {field.name: why for field in schema if (why := _why_unusable(field.type))}
    return Header(names=tuple(schema.names), unusable={**unusable, **_repeated(schema.names)})


def read_batches(path: str, stream: IO[bytes], columns: Sequence[str]) -> Iterator[Batch]:
    """Go through the rows in record batches that hold *columns* only; columns of a CSV file are texts.

    Raises:
        pyarrow.ArrowException: the file is damaged.

    """
    if is_csv(path):
        yield from _open_csv(stream, columns)
        return
    from pyarrow.parquet import ParquetFile

    # Buffered, not ahead of need: otherwise the whole of a row group is held, however large its writer made it.
    file = ParquetFile(stream, buffer_size=COLUMN_BUFFER, pre_buffer=False)
    yield from file.iter_batches(batch_size=BATCH_ROWS, columns=list(columns), use_threads=False)


def _open_csv(stream: IO[bytes], columns: Sequence[str] = ()) -> Reader:
    import pyarrow as pa
    from pyarrow import csv

    # As texts: a type guessed from the first block would make an error of any other value further down.
    texts = csv.ConvertOptions(
        include_columns=list(columns),
        column_types=dict.fromkeys(columns, pa.string()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    return csv.open_csv(
        stream,
        read_options=csv.ReadOptions(block_size=CSV_BLOCK, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=texts,
    )


def _repeated(names: Sequence[str]) -> dict[str, str]:
    return {name: "stands more than once in the data" for name in names if names.count(name) > 1}


def _why_unusable(kind: DataType) -> str:
    from pyarrow import types

    if types.is_temporal(kind):
        return "holds times, which move on by themselves"
    if types.is_nested(kind):
        return "holds lists or structures"
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return "holds bytes"
    return ""
