"""Reading values: a text that people wrote for a number is that number, in every form of file.

The values decide, not the form of the file: a column of a CSV file and a text column of a Parquet file that hold the
same values are read in the same way. The reference decides for both sides what a column is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
        replace(v, chr(8722), '-'), '^\((.*)\)$|^([\d., ]+)-$', '-\1\2'),
        '^([-+]?)\s*(?:[$€£¥₹₽₩₺]|US\$|(?:USD|EUR|GBP|CHF|JPY|INR|CAD|AUD|SEK|NOK|DKK|PLN)\s)\s*', '\1'),
        '\s*(?:[%‰$€£¥₹₽₩₺]|\s(?:USD|EUR|GBP|CHF|JPY|INR|CAD|AUD|SEK|NOK|DKK|PLN|kr|zł))$', '')""",
    # 1_000 is a number for DuckDB, and a code for everybody else.
    r"""CREATE MACRO bare(v) AS CASE WHEN contains(v, '_') THEN NULL
        WHEN regexp_full_match(without_signs(v), '[-+]?\d{1,3}([ \x{a0}\x{2009}\x{202f}''\x{2019}]\d{3})+([.,]\d*)?')
        THEN regexp_replace(without_signs(v), '[ \x{a0}\x{2009}\x{202f}''\x{2019}]', '', 'g')
        ELSE without_signs(v) END""",
    r"""CREATE MACRO with_point(v) AS TRY_CAST(CASE
        WHEN regexp_full_match(bare(v), '[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?') THEN replace(bare(v), ',', '')
        ELSE bare(v) END AS DOUBLE)""",
    r"""CREATE MACRO with_comma(v) AS TRY_CAST(CASE
        WHEN regexp_full_match(bare(v), '[-+]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?')
        THEN replace(replace(bare(v), '.', ''), ',', '.')
        WHEN regexp_full_match(bare(v), '[-+]?\d*,\d+') THEN replace(bare(v), ',', '.')
        ELSE bare(v) END AS DOUBLE)""",
    r"""CREATE MACRO seconds(v) AS CASE
        WHEN regexp_full_match(v, '[-+]?(\d+ days?)?,?\s?[-+]?(\d{1,3}:\d{2}(:\d{2}(\.\d+)?)?)?') AND length(v) > 3
        THEN epoch(TRY_CAST(replace(replace(v, ',', ''), ' +', ' ') AS INTERVAL)) END""",
    # The day or month of a timestamp in one of the rarer spellings, without the day of the week and the time of day.
    r"""CREATE MACRO date_in(v) AS regexp_extract(regexp_replace(regexp_replace(v,
        '^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? ', ''),
        '^([A-Za-z]{3} +\d{1,2}) [\d:]+( [A-Z]{3,4})? (\d{4})$', '\1 \3'),
        '^(\d{1,2}[-/ ]?[A-Za-z]{3}[-/ ]?\d{2,4}|\d{1,2}\.? [A-Za-z]{3,9} \d{4}|[A-Za-z]{3,9}[ -]\d{4}'
        '|[A-Za-z]{3,9} +\d{1,2},? \d{4}|\d{4}[._]\d{2}[._]\d{2}|\d{1,2}/\d{1,2}/\d{2}|\d{2}[.-]\d{2}[.-]\d{2}'
        '|\d{1,2}/\d{4}|(?:19|20)\d{2}/\d{2}|(?:19|20)\d{2}-\d{3}|(?:19|20)\d{6}|\d{4}-\d{2}-\d{2})'
        '(?:[ T:_-].*)?$', 1)""",
    r"""CREATE MACRO is_time(v) AS CASE
        WHEN regexp_full_match(v, '\d{4}-(0[1-9]|1[0-2])|\d{4}-?(W\d{2}|Q[1-4])') THEN true
        WHEN regexp_full_match(v, '\d{4}-\d{1,2}-\d{1,2}([ T].*)?|\d{4}/\d{1,2}/\d{1,2}([ T].*)?')
        THEN TRY_CAST(v AS TIMESTAMPTZ) IS NOT NULL OR TRY_CAST(left(v, 10) AS DATE) IS NOT NULL
        WHEN regexp_full_match(v, '\d{1,2}[/.-]\d{1,2}[/.-]\d{4}([ T].*)?|\d{8}T?\d{4,6}Z?'
            '|(\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4}|[A-Za-z]{3,9} \d{1,2}, \d{4})( .*)?')
        THEN TRY_STRPTIME(regexp_extract(v, '^(\S+[ -][A-Za-z]+[ -]\d{4}|[A-Za-z]+ \d+, \d{4}|[^ T]+)'),
        ['%d/%m/%Y', '%m/%d/%Y', '%d.%m.%Y', '%m.%d.%Y', '%d-%m-%Y', '%m-%d-%Y', '%d-%b-%Y', '%d %b %Y', '%d %B %Y',
        '%b %d, %Y', '%B %d, %Y', '%Y%m%d', '%Y%m%d%H%M', '%Y%m%d%H%M%S', '%Y%m%d%H%M%SZ']) IS NOT NULL
        ELSE TRY_STRPTIME(date_in(v), ['%d-%b-%y', '%d-%b-%Y', '%d %b %y', '%d/%b/%Y', '%d%b%Y', '%d%b%y', '%d. %b %Y',
        '%d. %B %Y', '%b %Y', '%B %Y', '%b-%Y', '%b %d %Y', '%b %d, %Y', '%B %d, %Y', '%d %b %Y', '%d %B %Y',
        '%Y.%m.%d', '%Y_%m_%d', '%d/%m/%y', '%m/%d/%y', '%d.%m.%y', '%y-%m-%d', '%d-%m-%y', '%m-%d-%y', '%m/%Y',
        '%Y/%m', '%Y-%j', '%Y-%m-%d', '%Y%m%d']) IS NOT NULL END""",
    r"""CREATE MACRO is_nested(v) AS v[1] IN ('{', '[') AND json_valid(v)""",
)
# As 20241123, 202411 and 20241123093000: a column of them is a column of dates.
_FIRST_DAY: Final = 19000101
_LAST_DAY: Final = 21001231
# Seconds since 1970 from the years 2000 to 2040, and thousandths, millionths and billionths of them.
_FIRST_SECOND: Final = 946_684_800
_LAST_SECOND: Final = 2_208_988_800
_UNITS: Final = (1, 10**3, 10**6, 10**9)
# Some of them may be marks for none, such as 0 and 99991231.
_MOST_ARE_TIMES: Final = 0.9
# Numbers have many values, and few words among them; codes of digits and letters have as many of each.
_NUMBERS_FOR_A_WORD: Final = 4
_FLAG_WORDS: Final = "('true', 'false', 't', 'f', 'yes', 'no', 'y', 'n', '1', '0')"
_FLOATS: Final = ("DOUBLE", "FLOAT")
_STYLES: Final = ("with_point", "with_comma")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many values of a column can be read as what.

    Attributes:
        kind: DuckDB's type.
        values: how many values there are.
        readable: reading -> how many of them it fits.
        whole: reading as numbers -> how many of them are whole.
        codes: reading as numbers -> whether the words among them are so many that all of them are codes.

    """

    kind: str
    values: int
    readable: Mapping[str, int]
    whole: Mapping[str, int] = field(default_factory=dict)
    codes: Mapping[str, bool] = field(default_factory=dict)


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
        unread: how many have a value that cannot be read as *kind*, or is infinite, and that counts as missing.
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
        """The share of rows without a finite value that can be read."""
        return 1 - self.count / self.rows

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


def read_values(
    engine: Engine, reference: Sample, current: Sample, *, named: Collection[str] = ()
) -> tuple[ReadSample, ReadSample]:
    """Read the values of both samples, whose columns are the same.

    Args:
        engine: holds both samples.
        reference: decides what a column is.
        current: is read in the same way.
        named: the columns whose numbers are compared even if they are times.

    """
    for macro in _MACROS:
        engine.run(macro)
    counts = [_counts(engine, sample) for sample in (reference, current)]
    readings: list[list[Reading]] = [[], []]
    for place, (first, second) in enumerate(zip(*counts, strict=True)):
        style = _style(first, second)
        decided = _reading(f"c{place}", first, "", style)
        readings[0].append(decided)
        readings[1].append(_reading(f"c{place}", second, decided.kind, style))
    _match_flags(engine, (reference, current), readings)
    _mark_dates(engine, reference, readings, named)
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
            found.append(Counts(kind=kind, values=values, readable={"plain": numbers}, whole={"plain": whole}))
        elif kind == "VARCHAR" and values:
            found.append(_slow_counts(engine, sample.table, f"c{place}"))
        else:
            found.append(Counts(kind=kind, values=values, readable={}))
    return found


def _quick(place: int) -> str:
    digits = f"translate(c{place}, '0123456789+-', '') = '' AND TRY_CAST(c{place} AS BIGINT) IS NOT NULL"
    number = f"TRY_CAST(c{place} AS DOUBLE) IS NOT NULL AND NOT contains(c{place}, '_')"
    return f"count(*) FILTER ({number}), count(*) FILTER ({digits})"


def _slow_counts(engine: Engine, table: str, column: str) -> Counts:
    tests = {
        "with_point": "with_point(v) IS NOT NULL",
        "with_comma": "with_comma(v) IS NOT NULL",
        "flags": "lower(v) IN ('true', 'false')",
        "words": f"lower(v) IN {_FLAG_WORDS}",
        TIME: "is_time(v)",
        "seconds": "seconds(v) IS NOT NULL",
        NESTED: "is_nested(v)",
    }
    sums = [f"coalesce(sum(n) FILTER ({test}), 0)::BIGINT" for test in tests.values()]
    point, comma = "with_point(v) IS NOT NULL AND NOT contains(v, '.')", "floor(with_comma(v)) = with_comma(v)"
    whole_sums = [f"coalesce(sum(n) FILTER ({test}), 0)::BIGINT" for test in (point, comma)]
    distinct = ["count(*)", *(f"count(*) FILTER ({tests[style]})" for style in _STYLES)]
    values, *found = engine.row(
        f"WITH distinct_values AS (SELECT {column} AS v, count(*) AS n FROM {table} "
        f"WHERE {column} IS NOT NULL GROUP BY ALL) "
        f"SELECT sum(n)::BIGINT, {listed([*sums, *whole_sums, *distinct])} FROM distinct_values"
    )
    readable = dict(zip(tests, found, strict=False))
    whole = dict(zip(_STYLES, found[len(tests) :], strict=False))
    different, *numbers = found[-1 - len(_STYLES) :]
    codes = {
        style: (different - count) * _NUMBERS_FOR_A_WORD > count for style, count in zip(_STYLES, numbers, strict=True)
    }
    return Counts(kind="VARCHAR", values=values, readable=readable, whole=whole, codes=codes)


def _reading(column: str, counts: Counts, wanted: str, style: str) -> Reading:
    if not counts.values:
        return Reading(kind="", expression=f"{column}::VARCHAR" if counts.kind == "VARCHAR" else column)
    if counts.kind == "BOOLEAN":
        return Reading(kind=FLAG, expression=column)
    if counts.kind != "VARCHAR":
        return Reading(kind=NUMBER, expression=column, whole=counts.kind == "BIGINT")
    if wanted == TEXT:
        return Reading(kind=TEXT, expression=column)
    return _reading_of_texts(column, counts, wanted, style)


def _reading_of_texts(column: str, counts: Counts, wanted: str, style: str) -> Reading:
    found, most = counts.readable, counts.values / 2
    flags = Reading(kind=FLAG, expression=f"TRY_CAST(lower({column}) AS BOOLEAN)")
    if "plain" in found:
        whole = counts.whole["plain"] == counts.values
        return Reading(kind=NUMBER, expression=f"TRY_CAST({column} AS {'BIGINT' if whole else 'DOUBLE'})", whole=whole)
    if wanted == FLAG and found["words"] > most:
        return flags
    whole = counts.whole[style] == found[style]
    readings = {
        style: Reading(kind=NUMBER, expression=f"{style}({column}){'::BIGINT' if whole else ''}", whole=whole),
        TIME: Reading(kind=TIME, expression=column),
        "seconds": Reading(kind=NUMBER, expression=f"seconds({column})"),
        NESTED: Reading(kind=NESTED, expression=column),
    }
    if counts.codes[style] and wanted != NUMBER:
        del readings[style]
    fitting = (reading for name, reading in readings.items() if found[name] > most)
    text = Reading(kind=TEXT, expression=column)
    # Words beside true and false are categories of their own.
    return next(fitting, flags if found["flags"] == counts.values else text)


def _style(*sides: Counts) -> str:
    """Whether numbers have a decimal point or a decimal comma: what reads more of both sides, a point if none does."""
    point, comma = (sum(side.readable.get(style, 0) for side in sides) for style in _STYLES)
    return _STYLES[0] if point >= comma else _STYLES[1]


def _match_flags(engine: Engine, samples: Sequence[Sample], readings: Sequence[list[Reading]]) -> None:
    """Let 1 and 0 on one side, and true and false on the other, be what they are in the reference."""
    for place, (first, second) in enumerate(zip(*readings, strict=True)):
        if {first.kind, second.kind} != {FLAG, NUMBER}:
            continue
        side = 0 if first.kind == NUMBER else 1
        number = readings[side][place].expression
        if engine.row(f"SELECT bool_and({number} IN (0, 1)) FROM {samples[side].table}")[0]:
            kind = "BIGINT" if first.kind == NUMBER else "BOOLEAN"
            expression = f"({second.expression})::{kind}"
            readings[1][place] = replace(second, kind=first.kind, expression=expression, whole=first.kind == NUMBER)


def _mark_dates(engine: Engine, reference: Sample, readings: Sequence[list[Reading]], named: Collection[str]) -> None:
    """Let the columns of numbers be columns of times that are days, such as 20241123, or seconds since 1970."""
    places = [
        place
        for place, (first, second) in enumerate(zip(*readings, strict=True))
        if first.kind == NUMBER and second.kind in (NUMBER, TIME, "") and reference.names[place] not in named
    ]
    if not places:
        return
    shares = engine.row(
        f"SELECT {listed([_share_of_times(readings[0][place].expression) for place in places])} FROM {reference.table}"
    )
    for place, share in zip(places, shares, strict=True):
        if (share or 0) >= _MOST_ARE_TIMES:
            for side in readings:
                side[place] = replace(side[place], kind=TIME)


def _share_of_times(number: str) -> str:
    def day(digits: int, form: str) -> str:
        first, last = _FIRST_DAY * 10**digits // 10**8, (_LAST_DAY + 1) * 10**digits // 10**8
        text = f"TRY_CAST({number} AS BIGINT)::VARCHAR"
        return f"WHEN {number} BETWEEN {first} AND {last} THEN TRY_STRPTIME({text}, '{form}') IS NOT NULL"

    seconds = [f"WHEN {number} BETWEEN {_FIRST_SECOND * unit} AND {_LAST_SECOND * unit} THEN true" for unit in _UNITS]
    # Months would be 1900 to 2100 with 01 to 12 behind them; years alone are numbers.
    forms = ((6, "%Y%m"), (8, "%Y%m%d"), (12, "%Y%m%d%H%M"), (14, "%Y%m%d%H%M%S"))
    days = [day(digits, form) for digits, form in forms]
    return f"avg((CASE {' '.join([*days, *seconds])} ELSE false END)::INTEGER) FILTER ({number} IS NOT NULL)"


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
        finite, distinct = row[2 * place : 2 * place + 2]
        present = counts[place].values
        values[name] = Values(
            kind=reading.kind,
            rows=sample.taken,
            count=finite,
            present=present,
            unread=present - finite,
            distinct=distinct,
        )
    return ReadSample(table=table, names=sample.names, values=values)


def _counted(place: int, kind: str, reading: Reading) -> str:
    finite = f"isfinite(c{place})" if kind in _FLOATS else f"c{place} IS NOT NULL"
    # Of broken numbers it takes long, and decides nothing.
    distinct = f"count(DISTINCT c{place})" if reading.kind == TEXT or reading.whole else "0"
    return f"count(*) FILTER ({finite}), {distinct}"
