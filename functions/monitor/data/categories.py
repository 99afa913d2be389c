"""Categories: how many can be compared, and what becomes of new ones without number."""

from typing import Final

from functions.monitor.data.values import Values, distinct_of
from functions.monitor.untyped import Column
from shared.config.drift import SMALL_REFERENCE

# Evidently's own limit for whole numbers that count as categories: so many are compared in any case.
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
    """Return why texts are no categories that can be compared, or an empty text where they are, or are no texts.

    Args:
        reference: the values that decide what the column is.
        current: the values to compare with them.
        named: the column was asked for by name.

    """
    if reference.kind != "text":
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


def gathered(reference: Column, current: Column) -> Column | None:
    """Return *current* with all but the most frequent of its new categories as one, or none where they are few.

    The distance is still the same: what the reference has not counts by its rows, however many categories they make.
    """
    from pyarrow import compute

    if not _is_category(reference):
        return None
    known = reference.unique().cast(current.type)
    counts = compute.value_counts(compute.filter(current, compute.invert(compute.is_in(current, value_set=known))))
    new = counts.filter(compute.is_valid(counts.field("values")))
    if len(new) <= FEW:
        return None
    order = compute.array_sort_indices(new.field("counts"), order="descending")
    rest = new.field("values").take(order[FEW:])
    # Numbers have no room for a name: one of them stands for the others.
    name = f"({len(rest):,} other values)" if _is_text(current) else rest[0]
    return compute.if_else(compute.is_in(current, value_set=rest), name, current)


def _is_category(column: Column) -> bool:
    from pyarrow import types

    if _is_text(column):
        return not _is_free(_values(column), distinct_of(column))
    # Where there are nulls, pandas makes broken numbers of whole ones.
    return types.is_integer(column.type) and not column.null_count and distinct_of(column) <= FEW


def _is_text(column: Column) -> bool:
    from pyarrow import types

    return bool(types.is_string(column.type))


def _values(column: Column) -> int:
    return len(column) - int(column.null_count)


def _is_free(count: int, distinct: int) -> bool:
    # Evidently's own rule for what is text.
    return distinct > count * 0.5


def _most(reference: int, current: int) -> int:
    if reference <= SMALL_REFERENCE:
        return max(reference // ROWS_OF_EACH, FEW)
    return max(int(BY_CHANCE / (1 / reference + 1 / current)), FEW)
