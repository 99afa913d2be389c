"""CSV files: the header, which decides names and separator, and the rows as texts."""

import codecs
import csv
import gzip
import itertools
import re
import zlib
from dataclasses import dataclass
from typing import IO, Final

from functions.monitor.data.engine import quoted_text
from functions.monitor.errors import UnusableDataError

# Longer than the header of any table.
_HEADER_BYTES: Final = 1024 * 1024
# Texts of a megabyte are read; the buffers of DuckDB are several times as large as its longest row.
_LONGEST_ROW: Final = 4 * 1024 * 1024
_BEGINNING: Final = 1000
# A quote ends a field, unless another one or the end of the field follows it.
_ESCAPED: Final = re.compile(r'(?:^|[,;\t|\n])"[^"\n]*[^"\\\n]\\"[^",;\t|\r\n]')
_SEPARATORS: Final = (",", ";", "\t", "|")
# The line in which a file names its separator for Excel.
_NAMED_SEPARATOR: Final = re.compile(r"sep=([,;\t|])\r?\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvHeader:
    """The first row of a file.

    Attributes:
        names: the columns, without surrounding blanks; an empty file has none.
        separator: what stands between two fields.
        escape: what stands before a quote in a quoted field: another quote, or the backslash of Spark and MySQL.
        skipped: how many lines are before the row of names.

    """

    names: tuple[str, ...]
    separator: str
    escape: str = '"'
    skipped: int = 0


def read_csv_header(stream: IO[bytes], *, packed: bool) -> CsvHeader:
    """Read the header from the beginning of *stream*.

    The separator is the one that a first line such as `sep=;` names, or the most frequent of comma, semicolon, tab and
    bar outside of quotes.

    Args:
        stream: the file.
        packed: whether it is a gzip file.

    Raises:
        UnusableDataError: the file is not gzip, or not UTF-8; the text is the reason only.

    """
    try:
        content = (gzip.GzipFile(fileobj=stream) if packed else stream).read(_HEADER_BYTES)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnusableDataError(f"is not a complete gzip file: {error}") from error
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)):
        raise UnusableDataError("is UTF-16 or UTF-32; convert it to UTF-8")
    if b"\0" in content[:_BEGINNING]:
        raise UnusableDataError("has zero bytes; CSV must be text in UTF-8")
    try:
        # A character may be cut at the end of what was read.
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(content)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UnusableDataError(f"is not UTF-8: line {line} has other bytes; convert it to UTF-8") from error
    named = _NAMED_SEPARATOR.match(text)
    text = text[named.end() :] if named else text
    separator = named[1] if named else _separator(text)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=separator, skipinitialspace=True)
    try:
        names = next((row for row in itertools.islice(reader, 1)), [])
    except csv.Error as error:
        raise UnusableDataError(f"has no readable header: {error}") from error
    if text.strip() and not any(name.strip() for name in names):
        raise UnusableDataError("has no names in its first line")
    escape = "\\" if _ESCAPED.search(text) else '"'
    stripped = tuple(name.strip() for name in names)
    return CsvHeader(names=stripped, separator=separator, escape=escape, skipped=1 if named else 0)


def csv_rows(source: str, header: CsvHeader, *, packed: bool) -> str:
    """Return the rows of a file as a table expression of SQL. Its columns are strings, named c0, c1 and so on.

    Nothing is guessed from the values here: a type that fits the first rows would make an error of a later one.

    Args:
        source: the file, as a literal of SQL.
        header: its header.
        packed: whether it is a gzip file.

    """
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(header.names)))
    return (
        f"read_csv({source}, auto_detect = false, header = true, columns = {{{columns}}}, "
        f"delim = {quoted_text(header.separator)}, quote = '\"', escape = {quoted_text(header.escape)}, "
        f"max_line_size = {_LONGEST_ROW}, skip = {header.skipped}, "
        f"compression = '{'gzip' if packed else 'none'}')"
    )


def _separator(text: str) -> str:
    # Outside of quotes: every second part of the first line, which ends outside of quotes, too.
    outside = []
    for place, part in enumerate(text.split('"')):
        if place % 2 == 0:
            line, ended, _ = part.partition("\n")
            outside.append(line)
            if ended:
                break
    counts = {sign: sum(part.count(sign) for part in outside) for sign in _SEPARATORS}
    return max(_SEPARATORS, key=lambda sign: counts[sign])
