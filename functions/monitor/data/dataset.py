"""One side of a comparison: the files at an address, their columns, and a sample of their rows in a table of DuckDB."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from functions.monitor.data import plain
from functions.monitor.data.csv_file import csv_rows, read_csv_header
from functions.monitor.data.engine import Engine, listed, quoted_name, quoted_text
from functions.monitor.data.lake import table_files
from functions.monitor.data.parquet_file import parquet_rows, parquet_values, read_parquet_header
from functions.monitor.data.storage import FoundFile, Storage
from functions.monitor.errors import UnusableDataError

SHOWN_NAMES: Final = 20
# Any fixed number does: the same rows in the same order give the same sample.
SEED: Final = 0
# Of each side. With more, data of many columns would not stay within 2 GB.
MAX_CELLS: Final = 10_000_000
ROW: Final = "row_number"

NOT_IN_ALL: Final = "is in some of the files only"
INDEX: Final = "is the index of the data frame, which pandas wrote beside the data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file as a table of SQL.

    Attributes:
        file: the file.
        rows: its rows, as a table expression.
        expressions: column -> its values, as an expression over `rows`; duplicates are left out.
        unusable: column -> why it cannot be compared, for what the file itself says.
        present: column -> whether a row has a value in it, as an expression over `rows`, for every column.
        counted: column -> how many values and rows it has, for those whose values are too large to be read for that.

    """

    file: FoundFile
    rows: str
    expressions: Mapping[str, str]
    unusable: Mapping[str, str]
    present: Mapping[str, str]
    counted: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Rows of a data set, in a table.

    Attributes:
        table: the table's name; its columns are c0, c1 and so on, and `ROW`.
        names: the columns in this order.
        rows: how many rows the data set has.
        taken: how many rows the sample has.
        filled: column -> the share of rows with a value, for columns of which nothing else is read.

    """

    table: str
    names: tuple[str, ...]
    rows: int
    taken: int
    filled: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """Files of one form that are read as one table.

    Attributes:
        side: `reference` or `current`, for people and as the name of a table.
        address: where they are.
        parts: the files. All of them must have the columns that are read.
        engine: reads them.

    """

    side: str
    address: str
    parts: tuple[Part, ...] = field(repr=False)
    engine: Engine = field(repr=False)

    @classmethod
    def at(cls, address: str, side: str, storage: Storage, engine: Engine) -> "DataSet":
        """Look at the data at *address*.

        Raises:
            UnusableDataError: there are none, or they are neither Parquet nor CSV.
            UnavailableError: the storage is away.

        """
        table = table_files(address, storage)
        files = table or storage.find(address)
        _check_forms(address, files)
        with _prefixed(address):
            parts = [_part(address, file, storage, engine) for file in files]
        # A CSV file of no rows may lack even its header; a packed one has some bytes all the same.
        parts = [part for part in parts if part.expressions or part.unusable] or parts[:1]
        if table:
            parts = _filled_up(parts)
        return cls(side=side, address=address, parts=tuple(parts), engine=engine)

    @property
    def identity(self) -> str:
        """A text that changes when the data do: every file by path, size and content."""
        files = [part.file for part in self.parts]
        return "\n".join(f"{file.path}\0{file.size}\0{file.identity}" for file in files)

    @property
    def columns(self) -> Mapping[str, str]:
        """Every column, with why one of the files keeps it from being compared, or an empty text."""
        first, *others = self.parts
        unusable = {name: why for part in self.parts for name, why in part.unusable.items()}
        names = {**first.expressions, **first.unusable}
        later = {
            name: NOT_IN_ALL for part in others for name in (*part.expressions, *part.unusable) if name not in names
        }
        return {**{name: unusable.get(name, "") for name in names}, **later}

    def described(self) -> str:
        """Return what people call this side."""
        return f"the {self.side} data ({self.address})"

    def sample(self, names: Sequence[str], limit: int, others: Sequence[str] = ()) -> Sample:
        """Read the columns *names* of at most *limit* rows, taken from all rows with equal chances.

        Of the *others* that these data have, only whether there is a value is read.

        Raises:
            UnusableDataError: the data are damaged, have no rows, or lack a column in one of the files.
            UnavailableError: the storage is away.

        """
        with _prefixed(self.address):
            counted = {name: share for name in others if (share := self._counted(name)) is not None}
            others = [name for name in others if name in self.columns and name not in counted]
            sample = take_sample(self.engine, self.side, names, self.selection(names, others), limit, others)
        if not sample.taken:
            raise UnusableDataError(f"{self.side} data ({self.address}): have no rows")
        return replace(sample, filled={**sample.filled, **counted})

    def _counted(self, name: str) -> float | None:
        counts = [part.counted[name] for part in self.parts if name in part.counted]
        rows = sum(rows for _, rows in counts)
        return sum(values for values, _ in counts) / rows if rows and len(counts) == len(self.parts) else None

    def selection(self, names: Sequence[str], others: Sequence[str] = ()) -> str:
        """Return all rows of the columns *names*, in SQL; the columns are called c0, c1 and so on.

        Whether the *others* have a value is called p0, p1 and so on.

        Raises:
            UnusableDataError: one of the files lacks a column.

        """
        for part in self.parts[1:]:
            self._check_columns(part, names)
        return " UNION ALL ".join(
            f"SELECT {listed([*_columns(part, names), *_presence(part, others)])} FROM {part.rows}"
            for part in self.parts
        )

    def _check_columns(self, part: Part, names: Sequence[str]) -> None:
        missing = [name for name in names if name not in part.expressions]
        if missing:
            first = self.parts[0].file.path
            raise UnusableDataError(f"{part.file.path}: lacks {_named(missing)}, which {first} has")


def _columns(part: Part, names: Sequence[str]) -> list[str]:
    return [f"{part.expressions[name]} AS c{place}" for place, name in enumerate(names)]


def _presence(part: Part, names: Sequence[str]) -> list[str]:
    return [f"{part.present.get(name, 'false')} AS p{place}" for place, name in enumerate(names)]


def take_sample(
    engine: Engine, table: str, names: Sequence[str], query: str, limit: int, others: Sequence[str] = ()
) -> Sample:
    """Read at most *limit* of the rows of *query* into a new *table*, each with the same chance, and trim their texts.

    The *query* is a `DataSet.selection` of *names* and *others*.

    Raises:
        UnusableDataError: the data are damaged.
        UnavailableError: the storage is away.

    """
    raw, counter = f"{table}_raw", f"{table}_rows"
    # A sequence counts the rows on their way into the sample, so that nothing is read twice.
    engine.run(f"CREATE SEQUENCE {counter}")
    engine.run(
        f"CREATE TABLE {raw} AS SELECT * FROM (SELECT *, nextval('{counter}') AS {ROW} FROM ({query})) "
        f"USING SAMPLE reservoir({limit} ROWS) REPEATABLE ({SEED})"
    )
    kinds = [(name, kind) for name, kind, *_ in engine.rows(f"DESCRIBE {raw}")]
    columns = [f"{plain.trimmed(name) if kind == 'VARCHAR' else name} AS {name}" for name, kind in kinds]
    engine.run(f"CREATE TABLE {table} AS SELECT {listed(columns)} FROM {raw}")
    engine.run(f"DROP TABLE {raw}")
    present = [f"count(*) FILTER (p{place})" for place in range(len(others))]
    taken, *counts = engine.row(f"SELECT {listed(['count(*)', *present])} FROM {table}")
    rows = engine.row(f"SELECT currval('{counter}')")[0] if taken else 0
    filled = {name: count / taken for name, count in zip(others, counts, strict=True) if taken}
    return Sample(table=table, names=tuple(names), rows=rows, taken=taken, filled=filled)


def most_rows(rows: int, columns: int) -> int:
    """Return how many rows of *columns* columns are held at most where *rows* are allowed."""
    return max(min(rows, MAX_CELLS // columns), 1)


def is_packed(path: str) -> bool:
    """Whether the file at *path* is packed as a whole, by its name."""
    return path.lower().endswith(".gz")


def is_csv(path: str) -> bool | None:
    """Whether the file at *path* is CSV, by its name: true; Parquet: false; neither: none."""
    name = path.lower().removesuffix(".gz")
    return True if name.endswith(".csv") else False if path.lower().endswith(".parquet") else None


def _check_forms(address: str, files: Sequence[FoundFile]) -> None:
    other = next((file.path for file in files if is_csv(file.path) is None), None)
    if other is not None:
        raise UnusableDataError(f"{address}: {other} is neither .parquet nor .csv nor .csv.gz")
    if len({is_csv(file.path) for file in files}) > 1:
        raise UnusableDataError(f"{address}: holds both Parquet and CSV; name one of them, as in {address}/*.parquet")


def _part(address: str, file: FoundFile, storage: Storage, engine: Engine) -> Part:
    source = engine.source(address, file)
    if is_csv(file.path):
        return _with_partitions(_csv_part(address, file, source, storage))
    return _with_partitions(_parquet_part(file, source, engine))


def _csv_part(address: str, file: FoundFile, source: str, storage: Storage) -> Part:
    packed = is_packed(file.path)
    with storage.open(address, file) as stream:
        try:
            header = read_csv_header(stream, packed=packed)
        except UnusableDataError as error:
            raise UnusableDataError(f"{file.path} cannot be read: {error}") from error
    keys = {name: f"c{place}" for place, name in enumerate(header.names)}
    repeated = plain.repeated(header.names)
    expressions = {name: plain.cut(key) for name, key in keys.items() if name not in repeated}
    return Part(
        file=file,
        rows=csv_rows(source, header, packed=packed),
        expressions=expressions,
        unusable=repeated,
        present=_any_of((name, plain.is_present(plain.cut(f"c{place}"))) for place, name in enumerate(header.names)),
    )


def _parquet_part(file: FoundFile, source: str, engine: Engine) -> Part:
    columns = read_parquet_header(engine, source)
    unusable = plain.repeated([column.name for column in columns])
    expressions = {}
    present = []
    for column in columns:
        found = plain.values(quoted_name(column.key), column.kind, column.per_second)
        if column.is_index:
            unusable.setdefault(column.name, found.unusable or INDEX)
        if found.unusable:
            unusable.setdefault(column.name, found.unusable)
        expressions[column.name] = found.expression
        present.append((column.name, found.present))
    # A few of them, such as pictures, would fill the memory.
    large = [name for name, why in unusable.items() if why == plain.BYTES]
    counted = parquet_values(engine, source) if large else {}
    return Part(
        file=file,
        rows=parquet_rows(source),
        expressions=expressions,
        unusable=unusable,
        present=_any_of(present),
        counted={name: counted[name] for name in large if name in counted},
    )


def _any_of(present: Iterable[tuple[str, str]]) -> dict[str, str]:
    # A name that occurs twice has a value where one of its columns has.
    found: dict[str, str] = {}
    for name, expression in present:
        found[name] = f"{found[name]} OR {expression}" if name in found else expression
    return found


def _with_partitions(part: Part) -> Part:
    values = {
        # A column that is in the file, too, is the file's.
        name: "NULL::VARCHAR" if value is None else quoted_text(value)
        for name, value in part.file.partitions.items()
        if name not in part.expressions and name not in part.unusable
    }
    present = {name: f"{value} IS NOT NULL" for name, value in values.items()}
    return replace(part, expressions={**part.expressions, **values}, present={**part.present, **present})


def _filled_up(parts: Sequence[Part]) -> list[Part]:
    # A file of a table that was written before a column was added has no value in it.
    names = {name: "NULL" for part in parts for name in part.expressions}
    return [
        replace(
            part,
            expressions={
                **{name: null for name, null in names.items() if name not in part.unusable},
                **part.expressions,
            },
        )
        for part in parts
    ]


@contextmanager
def _prefixed(address: str) -> Iterator[None]:
    try:
        yield
    except UnusableDataError as error:
        text = str(error)
        raise UnusableDataError(text if text.startswith(address) else f"{address}: {text}") from error


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:SHOWN_NAMES])
    return f"{shown} and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else shown
