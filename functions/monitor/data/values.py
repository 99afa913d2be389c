"""What the values of a column are: their kind, how many there are, and how many of them differ."""

from dataclasses import dataclass, field

from functions.monitor.untyped import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The values of a column.

    Attributes:
        kind: `number`, `flag`, `text`, `time` or, without values, an empty text.
        count: how many there are; null, infinite and undefined ones apart.
        column: the values themselves.

    """

    kind: str
    count: int
    column: Column = field(repr=False)

    @property
    def distinct(self) -> int:
        """How many of them differ."""
        return distinct_of(self.column)


def values_of(column: Column) -> Values:
    """Look at *column*."""
    from pyarrow import compute, types

    kind = kind_of(column)
    count = len(column) - column.null_count
    if types.is_floating(column.type):
        count = int(compute.sum(compute.is_finite(column)).as_py() or 0)
    return Values(kind=kind, count=count, column=column)


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


def distinct_of(column: Column) -> int:
    """Return how many values of *column* differ."""
    from pyarrow import compute

    return int(compute.count_distinct(column, mode="only_valid").as_py())
