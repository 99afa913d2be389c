"""Reading values: a text that people wrote for a number is that number, in every form of file.

The values decide, not the form of the file: a column of a CSV file and a text column of a Parquet file that hold the
same values are read in the same way. The reference decides for both sides what a column is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from functions.monitor.data.dataset import ROW, Sample
from functions.monitor.data.engine import Engine, listed

NUMBER: Final = "number"
FLAG: Final = "flag"
TEXT: Final = "text"
TIME: Final = "time"
NESTED: Final = "nested"

# Numbers as people write them: signs of currencies and percent, blanks or apostrophes between thousands, brackets for
# negative ones. Macros are functions of SQL; RE2 is DuckDB's library for patterns.
_MACROS: Final = (
    r"""CREATE MACRO without_signs(v) AS regexp_replace(regexp_replace(regexp_replace(
        replace(v, chr(8722), '-'), '^\((.*)\)$', '-\1'),
        '^([-+]?)\s*(?:[$€£¥₹₽₩₺]|US\$|(?:USD|EUR|GBP|CHF|JPY|INR|CAD|AUD|SEK|NOK|DKK|PLN)\s)\s*', '\1'),
        '\s*(?:[%‰$€£¥₹₽₩₺]|\s(?:USD|EUR|GBP|CHF|JPY|INR|CAD|AUD|SEK|NOK|DKK|PLN|kr|zł))$', '')""",
    r"""CREATE MACRO bare(v) AS CASE
        WHEN regexp_full_match(without_signs(v), '[-+]?\d{1,3}([ \x{a0}\x{2009}\x{202f}''\x{2019}]\d{3})+([.,]\d*)?')
        THEN regexp_replace(without_signs(v), '[ \x{a0}\x{2009}\x{202f}''\x{2019}]', '', 'g')
        ELSE without_signs(v) END""",
    r"""CREATE MACRO with_point(v) AS TRY_CAST(CASE
        WHEN regexp_full_match(bare(v), '[-+]?\d{1,3}(,\d{3})+(\.\d*)?') THEN replace(bare(v), ',', '')
        ELSE bare(v) END AS DOUBLE)""",
    r"""CREATE MACRO with_comma(v) AS TRY_CAST(CASE
        WHEN regexp_full_match(bare(v), '[-+]?\d{1,3}(\.\d{3})+(,\d*)?')
        THEN replace(replace(bare(v), '.', ''), ',', '.')
        WHEN regexp_full_match(bare(v), '[-+]?\d*,\d+') THEN replace(bare(v), ',', '.')
        ELSE bare(v) END AS DOUBLE)""",
    r"""CREATE MACRO seconds(v) AS CASE
        WHEN regexp_full_match(v, '[-+]?(\d+ days?)?,?\s?[-+]?(\d{1,3}:\d{2}(:\d{2}(\.\d+)?)?)?') AND length(v) > 3
        THEN epoch(TRY_CAST(replace(replace(v, ',', ''), ' +', ' ') AS INTERVAL)) END""",
    r"""CREATE MACRO is_time(v) AS CASE
        WHEN regexp_full_match(v, '\d{4}-(0[1-9]|1[0-2])|\d{4}-?(W\d{2}|Q[1-4])') THEN true
        WHEN regexp_full_match(v, '\d{4}-\d{1,2}-\d{1,2}([ T].*)?|\d{4}/\d{1,2}/\d{1,2}([ T].*)?')
        THEN TRY_CAST(v AS TIMESTAMPTZ) IS NOT NULL OR TRY_CAST(left(v, 10) AS DATE) IS NOT NULL
        WHEN regexp_full_match(v, '\d{1,2}[/.-]\d{1,2}[/.-]\d{4}([ T].*)?|\d{8}T?\d{4,6}Z?'
            '|(\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4}|[A-Za-z]{3,9} \d{1,2}, \d{4})( .*)?')
        THEN TRY_STRPTIME(regexp_extract(v, '^(\S+[ -][A-Za-z]+[ -]\d{4}|[A-Za-z]+ \d+, \d{4}|[^ T]+)'),
        ['%d/%m/%Y', '%m/%d/%Y', '%d.%m.%Y', '%m.%d.%Y', '%d-%m-%Y', '%m-%d-%Y', '%d-%b-%Y', '%d %b %Y', '%d %B %Y',
        '%b %d, %Y', '%B %d, %Y', '%Y%m%d', '%Y%m%d%H%M', '%Y%m%d%H%M%S', '%Y%m%d%H%M%SZ']) IS NOT NULL
        ELSE false END""",
    r"""CREATE MACRO is_nested(v) AS v[1] IN ('{', '[') AND json_valid(v)""",
)
# As 20241123: a column of them is a column of dates.
_FIRST_DAY: Final = 19000101
_LAST_DAY: Final = 21001231
_FLOATS: Final = ("DOUBLE", "FLOAT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many values of a column can be read as what.

    Attributes:
        kind: DuckDB's type.
        values: how many values there are.
        readable: reading -> how many of them it fits.
        whole: how many are written as whole numbers.

    """

    kind: str
    values: int
    readable: Mapping[str, int]
    whole: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the values of one column of one side are read.

    Attributes:
        kind: `NUMBER`, `FLAG`, `TEXT`, `TIME`, `NESTED` or, without values, an empty text.
        expression: the values, in SQL.
        whole: whether they are whole numbers.

    """

    kind: str
    expression: str
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The values of one column of one side, as they were read.

    Attributes:
        kind: as in `Reading`.
        rows: how many rows the sample has.
        count: how many of them have a value; infinite ones do not count.
        present: how many have a value, readable or not.
        unread: how many have a value that cannot be read as *kind*, and that counts as missing.
        distinct: how many values differ.

    """

    kind: str
    rows: int
    count: int
    present: int
    unread: int
    distinct: int

    @property
    def missing(self) -> float:
        """The share of rows without a value that can be read."""
        return 1 - (self.present - self.unread) / self.rows

    @property
    def filled(self) -> float:
        """The share of rows that have a value."""
        return self.present / self.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSample:
    """A sample with every value read.

    Attributes:
        table: the table; its columns are c0, c1 and so on.
        names: the columns in this order.
        values: column -> what its values are.

    """

    table: str
    names: tuple[str, ...]
    values: Mapping[str, Values]


def read_values(engine: Engine, reference: Sample, current: Sample) -> tuple[ReadSample, ReadSample]:
    """Read the values of both samples, whose columns are the same."""
    for macro in _MACROS:
        engine.run(macro)
    counts = [_counts(engine, sample) for sample in (reference, current)]
    readings: list[list[Reading]] = [[], []]
    for place, (first, second) in enumerate(zip(*counts, strict=True)):
        decided = _reading(f"c{place}", first, "")
        readings[0].append(decided)
        readings[1].append(_reading(f"c{place}", second, decided.kind))
    _mark_dates(engine, (reference, current), readings)
    pairs = zip((reference, current), counts, readings, strict=True)
    first_read, second_read = (_read(engine, sample, found, chosen) for sample, found, chosen in pairs)
    return first_read, second_read


def _counts(engine: Engine, sample: Sample) -> list[Counts]:
    kinds = [row[1] for row in engine.rows(f"DESCRIBE {sample.table}")][: len(sample.names)]
    # Most columns of texts are of one kind throughout, which one pass over all of them shows.
    counted = [f"count(c{place}), {_quick(place) if kind == 'VARCHAR' else '0, 0'}" for place, kind in enumerate(kinds)]
    row = engine.row(f"SELECT {listed(counted)} FROM {sample.table}")
    found = []
    for place, kind in enumerate(kinds):
        values, numbers, whole = row[3 * place : 3 * place + 3]
        if kind == "VARCHAR" and 0 < numbers == values:
            found.append(Counts(kind=kind, values=values, readable={"plain": numbers}, whole=whole))
        elif kind == "VARCHAR" and values:
            found.append(_slow_counts(engine, sample.table, f"c{place}"))
        else:
            found.append(Counts(kind=kind, values=values, readable={}))
    return found


def _quick(place: int) -> str:
    digits = f"translate(c{place}, '0123456789+-', '') = '' AND TRY_CAST(c{place} AS BIGINT) IS NOT NULL"
    return f"count(TRY_CAST(c{place} AS DOUBLE)), count(*) FILTER ({digits})"


def _slow_counts(engine: Engine, table: str, column: str) -> Counts:
    tests = {
        "with_point": "with_point(v) IS NOT NULL",
        "with_comma": "with_comma(v) IS NOT NULL",
        "flags": "lower(v) IN ('true', 'false')",
        TIME: "is_time(v)",
        "seconds": "seconds(v) IS NOT NULL",
        NESTED: "is_nested(v)",
    }
    sums = [f"coalesce(sum(n) FILTER ({test}), 0)::BIGINT" for test in tests.values()]
    point, comma = "with_point(v) IS NOT NULL AND NOT contains(v, '.')", "floor(with_comma(v)) = with_comma(v)"
    whole_sums = [f"coalesce(sum(n) FILTER ({test}), 0)::BIGINT" for test in (point, comma)]
    values, *found = engine.row(
        f"WITH distinct_values AS (SELECT {column} AS v, count(*) AS n FROM {table} "
        f"WHERE {column} IS NOT NULL GROUP BY ALL) "
        f"SELECT sum(n)::BIGINT, {listed([*sums, *whole_sums])} FROM distinct_values"
    )
    readable = dict(zip(tests, found, strict=False))
    whole = dict(zip(("with_point", "with_comma"), found[-2:], strict=True))
    return Counts(kind="VARCHAR", values=values, readable=readable, whole=whole[_style(readable)])


def _reading(column: str, counts: Counts, wanted: str) -> Reading:
    if not counts.values:
        return Reading(kind="", expression=f"{column}::VARCHAR" if counts.kind == "VARCHAR" else column)
    if counts.kind == "BOOLEAN":
        return Reading(kind=FLAG, expression=column)
    if counts.kind != "VARCHAR":
        return Reading(kind=NUMBER, expression=column, whole=counts.kind == "BIGINT")
    if wanted == TEXT:
        return Reading(kind=TEXT, expression=column)
    return _reading_of_texts(column, counts, wanted)


def _reading_of_texts(column: str, counts: Counts, wanted: str) -> Reading:
    found, most = counts.readable, counts.values / 2
    flags = Reading(kind=FLAG, expression=f"TRY_CAST(lower({column}) AS BOOLEAN)")
    if "plain" in found:
        whole = counts.whole == counts.values
        return Reading(kind=NUMBER, expression=f"TRY_CAST({column} AS {'BIGINT' if whole else 'DOUBLE'})", whole=whole)
    if wanted == FLAG and found["flags"] > most:
        return flags
    style = _style(found)
    whole = counts.whole == found[style]
    readings = {
        style: Reading(kind=NUMBER, expression=f"{style}({column}){'::BIGINT' if whole else ''}", whole=whole),
        TIME: Reading(kind=TIME, expression=column),
        "seconds": Reading(kind=NUMBER, expression=f"seconds({column})"),
        NESTED: Reading(kind=NESTED, expression=column),
    }
    fitting = (reading for name, reading in readings.items() if found[name] > most)
    text = Reading(kind=TEXT, expression=column)
    # Words beside true and false are categories of their own.
    return next(fitting, flags if found["flags"] == counts.values else text)


def _style(readable: Mapping[str, int]) -> str:
    """Whether numbers have a decimal point or a decimal comma: what reads more of them, the point if both read all."""
    return "with_point" if readable["with_point"] >= readable["with_comma"] else "with_comma"


def _mark_dates(engine: Engine, samples: Sequence[Sample], readings: Sequence[list[Reading]]) -> None:
    """Let the columns of whole numbers that are all days, as 20241123, be columns of times."""
    for sample, chosen in zip(samples, readings, strict=True):
        places = [place for place, reading in enumerate(chosen) if reading.kind == NUMBER and reading.whole]
        if not places:
            continue
        row = engine.row(f"SELECT {listed([_days(chosen[place].expression) for place in places])} FROM {sample.table}")
        for place, days in zip(places, row, strict=True):
            if days:
                chosen[place] = Reading(kind=TIME, expression=chosen[place].expression)


def _days(expression: str) -> str:
    between = f"{expression} BETWEEN {_FIRST_DAY} AND {_LAST_DAY}"
    day = f"CASE WHEN {between} THEN TRY_STRPTIME(({expression})::VARCHAR, '%Y%m%d') END"
    return f"count({expression}) > 0 AND count({day}) = count({expression})"


def _read(engine: Engine, sample: Sample, counts: Sequence[Counts], readings: Sequence[Reading]) -> ReadSample:
    table = f"{sample.table}_read"
    columns = [f"{reading.expression} AS c{place}" for place, reading in enumerate(readings)]
    engine.run(f"CREATE TABLE {table} AS SELECT {listed([*columns, ROW])} FROM {sample.table}")
    engine.run(f"DROP TABLE {sample.table}")
    kinds = [row[1] for row in engine.rows(f"DESCRIBE {table}")]
    counted = [_counted(place, kinds[place], reading) for place, reading in enumerate(readings)]
    row = engine.row(f"SELECT {listed(counted)} FROM {table}")
    values = {}
    for place, (name, reading) in enumerate(zip(sample.names, readings, strict=True)):
        read, finite, distinct = row[3 * place : 3 * place + 3]
        present = counts[place].values
        values[name] = Values(
            kind=reading.kind,
            rows=sample.taken,
            count=finite,
            present=present,
            unread=present - read,
            distinct=distinct,
        )
    return ReadSample(table=table, names=sample.names, values=values)


def _counted(place: int, kind: str, reading: Reading) -> str:
    finite = f"isfinite(c{place})" if kind in _FLOATS else f"c{place} IS NOT NULL"
    # Of broken numbers it takes long, and decides nothing.
    distinct = f"count(DISTINCT c{place})" if reading.kind == TEXT or reading.whole else "0"
    return f"count(c{place}), count(*) FILTER ({finite}), {distinct}"
