"""Text as it comes: what is no CSV in UTF-8 although it is called so, and values of any length."""

import codecs
from typing import IO, Final

from functions.monitor.untyped import Batch, Column

# What is longer is free text: the rest of it tells no categories apart, and a sample of it would fill the memory.
LONGEST: Final = 256

# Longer than the names of any table.
_FIRST_LINE: Final = 1024 * 1024
_OTHER_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}


def check_text(stream: IO[bytes]) -> None:
    """Check that the first line is UTF-8 with commas, and go back to its begin.

    Raises:
        pyarrow.ArrowInvalid: it is something else; it is told what.

    """
    import pyarrow as pa

    first = stream.read(_FIRST_LINE).partition(b"\n")[0]
    stream.seek(0)
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise pa.ArrowInvalid("is UTF-16, and must be UTF-8")
    try:
        # As far as it goes: a line that is longer may end within a character.
        names = codecs.getincrementaldecoder("utf-8")().decode(first)
    except UnicodeDecodeError as error:
        raise pa.ArrowInvalid("is no UTF-8: its first line has other bytes") from error
    found = next((sign for sign in _OTHER_SEPARATORS if sign in names), None)
    if found and "," not in names:
        raise pa.ArrowInvalid(f"has columns between {_OTHER_SEPARATORS[found]}, and must have them between commas")


def cut(batch: Batch) -> Batch:
    """Return *batch* with its texts cut to `LONGEST` characters."""
    import pyarrow as pa

    return pa.record_batch([_cut(column) for column in batch.columns], names=batch.schema.names)


def _cut(column: Column) -> Column:
    from pyarrow import compute, types

    if types.is_dictionary(column.type):
        return type(column).from_arrays(column.indices, _cut(column.dictionary))
    if types.is_string_view(column.type):
        column = column.cast("string")
    if not (types.is_string(column.type) or types.is_large_string(column.type)):
        return column
    longest = compute.max(compute.binary_length(column)).as_py() or 0
    return compute.utf8_slice_codeunits(column, 0, LONGEST) if longest > LONGEST else column
