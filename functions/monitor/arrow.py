"""Tables of pyarrow with the few types that can be compared: whole and broken numbers, flags, texts."""

from collections.abc import Callable, Sequence

from functions.monitor.untyped import Batch, Column, DataType, Table


def as_table(batches: Sequence[Batch], *, texts: bool) -> Table:
    """Put *batches* together; where all columns are *texts* they become what their values can be read as.

    Raises:
        pyarrow.ArrowException: a column has types in different files that cannot be reconciled.

    """
    import pyarrow as pa

    tables = [_plain(pa.Table.from_batches([batch])) for batch in batches]
    table = pa.concat_tables(tables, promote_options="permissive")
    return _mapped(table, _read_texts) if texts else table


def kind_of(column: Column) -> str:
    """Return `number`, `flag`, `text`, `time` or, for a column without values, an empty text."""
    from pyarrow import types

    if column.null_count == len(column):
        return ""
    if types.is_boolean(column.type):
        return "flag"
    if types.is_temporal(column.type):
        return "time"
    return "text" if types.is_string(column.type) else "number"


def _plain(table: Table) -> Table:
    return _mapped(table, lambda column: column.cast(_plain_type(column.type)))


def _plain_type(kind: DataType) -> DataType:
    """Return the type for *kind* that pandas and Evidently know: the others would be passed over in silence."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if types.is_large_string(kind) or types.is_string_view(kind):
        return pa.string()
    if types.is_unsigned_integer(kind):
        return pa.float64() if kind == pa.uint64() else pa.int64()
    if types.is_decimal(kind):
        return pa.float64()
    return pa.float32() if types.is_float16(kind) else kind


def _read_texts(column: Column) -> Column:
    import pyarrow as pa

    for kind in (pa.int64(), pa.float64(), pa.bool_(), pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            return column.cast(kind)
        except pa.ArrowInvalid:
            continue
    return column


def _mapped(table: Table, change: Callable[[Column], Column]) -> Table:
    import pyarrow as pa

    return pa.table([change(column) for column in table.columns], names=table.column_names)
