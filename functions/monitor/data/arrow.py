"""Tables of pyarrow with the few types that can be compared: whole and broken numbers, flags, texts."""

from collections.abc import Callable, Sequence

from functions.monitor.data.categories import gathered
from functions.monitor.untyped import Batch, Column, DataType, Frame, Table


def as_table(batches: Sequence[Batch], *, texts: bool) -> Table:
    """Put *batches* together; where all columns are *texts* they become what their values can be read as.

    Raises:
        pyarrow.ArrowException: a column has types in different files that cannot be reconciled.

    """
    import pyarrow as pa

    tables = [_plain(pa.Table.from_batches([batch])) for batch in batches]
    table = pa.concat_tables(tables, promote_options="permissive")
    return _mapped(table, _read_texts) if texts else table


def as_frames(reference: Table, current: Table) -> tuple[Frame, Frame]:
    """Return two tables with the same columns as data frames; the tables are gone after that."""
    from pyarrow import types

    for place, name in enumerate(reference.column_names):
        found = gathered(reference[name], current[name])
        if found is not None:
            current = current.set_column(place, name, found)
        sides = reference[name], current[name]
        # With nulls among them pandas has objects in place of flags, and Evidently knows no objects.
        if types.is_boolean(sides[0].type) and any(column.null_count for column in sides):
            reference, current = (_replaced(table, name) for table in (reference, current))
    return _as_frame(reference), _as_frame(current)


def _plain(table: Table) -> Table:
    # Not safe: that would make an error of every large number which a broken one holds only nearly.
    return _mapped(table, lambda column: column.cast(_plain_type(column.type), safe=False))


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


def _replaced(table: Table, name: str) -> Table:
    import pyarrow as pa

    return table.set_column(table.column_names.index(name), name, table[name].cast(pa.string()))


def _as_frame(table: Table) -> Frame:
    # Each column is given up as soon as it is copied; blocks of many columns would be copied once more.
    return table.to_pandas(split_blocks=True, self_destruct=True)
