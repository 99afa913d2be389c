"""Categories: how many can be compared, and how a large number of new ones is limited."""

from typing import Final

from functions.monitor.data.engine import Engine, quoted_text
from functions.monitor.data.readings import TEXT, ReadSample, Values
from shared.config.drift import SMALL_REFERENCE

# Evidently's own limit for whole numbers that count as categories; this many are always compared.
FEW: Final = 10
# Its time grows with the square of their number: a column of so many takes it some seconds.
MANY: Final = 1000
# Of equal categories, the squared distance of Jensen and Shannon is an eighth of their number for each row by chance
# alone. From 0.01 on it counts as drift; with half of that by chance, at most 2 % of the checks drift.
BY_CHANCE: Final = 8 * 0.01 / 2
# A test of significance takes the reference for exact, so each category needs rows of it.
ROWS_OF_EACH: Final = 20

_ADVICE: Final = "name it to compare it"


def why_not_category(reference: Values, current: Values, *, named: bool) -> str:
    """Return why texts are not categories that can be compared; an empty text where they are, and for other kinds.

    Args:
        reference: the values that decide what the column is.
        current: the values to compare with them.
        named: the column is one of those that the configuration names.

    """
    if reference.kind != TEXT:
        return ""
    distinct = reference.distinct
    if _is_free(reference.count, distinct):
        return "" if named else "holds free text or identifiers: over half of its values are distinct; " + _ADVICE
    if distinct > MANY:
        return f"holds {distinct:,} categories, and more than {MANY:,} would take Evidently minutes"
    most = _most(reference.count, current.count)
    if named or distinct <= most:
        return ""
    return f"holds {distinct:,} categories, and over {most:,} differ by chance in so few rows; {_ADVICE}"


def gathered(engine: Engine, column: str, reference: ReadSample, current: ReadSample, values: Values) -> str:
    """Return the current values of *column* with all but the most frequent of its new categories as one, in SQL.

    The distance is still the same: what the reference has not counts by its rows, however many categories they make.

    Args:
        engine: holds both samples.
        column: its name in their tables.
        reference: the sample that decides what the column is.
        current: the sample whose values are returned.
        values: the values of the reference.

    """
    if not _is_category(values):
        return column
    known = f"SELECT {column} FROM {reference.table} WHERE {column} IS NOT NULL"
    new = f"SELECT {column} AS v, count(*) AS n FROM {current.table} WHERE {column} NOT IN ({known}) GROUP BY ALL"
    rest = f"SELECT v FROM ({new}) ORDER BY n DESC, v OFFSET {FEW}"
    count, first = engine.row(f"SELECT count(*), any_value(v) FROM ({rest})")
    if not count:
        return column
    # A column of numbers cannot hold a name, so one of the numbers represents the others.
    name = quoted_text(f"({count:,} other values)") if values.kind == TEXT else str(first)
    return f"CASE WHEN {column} IN ({rest}) THEN {name} ELSE {column} END"


def _is_category(values: Values) -> bool:
    if values.kind == TEXT:
        return not _is_free(values.count, values.distinct)
    # Where there are nulls, pandas makes broken numbers of whole ones.
    return bool(values.distinct) and values.distinct <= FEW and values.count == values.rows


def _is_free(count: int, distinct: int) -> bool:
    # Evidently's own rule for what is text.
    return distinct > count * 0.5


def _most(reference: int, current: int) -> int:
    if reference <= SMALL_REFERENCE:
        return max(reference // ROWS_OF_EACH, FEW)
    return max(int(BY_CHANCE / (1 / reference + 1 / current)), FEW)
