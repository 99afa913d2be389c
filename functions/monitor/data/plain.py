"""Values as they are sampled: the few types that can be compared, and texts without the blanks around them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from functions.monitor.data.engine import quoted_text

# Longer values are free text: their rest does not distinguish categories, and a sample of it would fill the memory.
LONGEST: Final = 256
# Blanks before a text count only once it is trimmed, which is done after sampling.
_BLANKS_KEPT: Final = 64
# As pandas reads it, and the marks of R's and Hadoop's writers and of hand-made tables.
MISSING: Final = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"),
    *("NULL", "NaN", "None", "n/a", "nan", "null", "NaT", "?", "\\N", "NAN", "Nan"),
)
TIMES: Final = "holds times, which move on by themselves"
NESTED: Final = "holds lists or structures"
BYTES: Final = "holds bytes"

_BLANKS: Final = "' ' || chr(9) || chr(10) || chr(13) || chr(160)"
_MISSING: Final = ", ".join(quoted_text(mark) for mark in MISSING)
_TEXTS: Final = re.compile(r"VARCHAR|UUID|ENUM.*")
# The types of DuckDB, as it writes them, with the expression for a column {0} of each.
_EXPRESSIONS: Final = (
    (re.compile(r"U?(TINYINT|SMALLINT|INTEGER)|BIGINT"), "{0}::BIGINT"),
    (re.compile(r"FLOAT|DOUBLE"), "CASE WHEN isnan({0}) THEN NULL ELSE {0} END"),
    (re.compile(r"UBIGINT|U?HUGEINT|BIGNUM|DECIMAL.*"), "{0}::DOUBLE"),
    (re.compile(r"BOOLEAN"), "{0}"),
    # Times of day and durations do not move on: they are numbers of seconds.
    (re.compile(r"INTERVAL|TIME|TIME_NS"), "epoch({0})::DOUBLE"),
    (re.compile(r"TIME WITH TIME ZONE"), "epoch({0}::TIME)::DOUBLE"),
    (_TEXTS, f"left({{0}}::VARCHAR, {LONGEST + _BLANKS_KEPT})"),
    (re.compile(r'"NULL"'), "NULL::VARCHAR"),
)
_UNUSABLE: Final = (
    (re.compile(r"DATE|TIMESTAMP.*"), TIMES),
    (re.compile(r"STRUCT.*|MAP.*|UNION.*|VARIANT|JSON|.*\[\d*\]", re.DOTALL), NESTED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainValues:
    """The values of a column.

    Attributes:
        expression: them, as an expression of SQL: whole or broken numbers, flags or texts.
        present: whether a row has a value, as an expression of SQL.
        unusable: why they cannot be compared, or an empty text.

    """

    expression: str
    present: str
    unusable: str = ""


def values(key: str, kind: str, per_second: int) -> PlainValues:
    """Return the values of a column of a typed file.

    Args:
        key: the column, as an expression of SQL.
        kind: its type, as DuckDB writes it.
        per_second: for a duration in units of its own, how many of them are a second; else 0.

    """
    if per_second:
        return PlainValues(expression=f"({key} / {per_second}.0)", present=f"{key} IS NOT NULL")
    why = next((why for pattern, why in _UNUSABLE if pattern.fullmatch(kind)), "")
    expression = next((text for pattern, text in _EXPRESSIONS if pattern.fullmatch(kind)), "") if not why else ""
    if not expression:
        return PlainValues(expression="NULL::VARCHAR", present=f"{key} IS NOT NULL", unusable=why or BYTES)
    found = expression.format(key)
    present = is_present(found) if _TEXTS.fullmatch(kind) else f"({found}) IS NOT NULL"
    return PlainValues(expression=found, present=present)


def cut(key: str) -> str:
    """Return the texts of *key* as an expression, cut so that a sample of them fits into memory."""
    return f"left({key}, {LONGEST + _BLANKS_KEPT})"


def trimmed(key: str) -> str:
    """Return the texts of *key* as an expression: trimmed, cut to `LONGEST` characters, and null where missing."""
    text = f"left(trim({key}, {_BLANKS}), {LONGEST})"
    return f"CASE WHEN {text} IN ({_MISSING}) THEN NULL ELSE {text} END"


def is_present(text: str) -> str:
    """Return, as an expression, whether the expression *text* has a text that is not one of the marks for none."""
    return f"({trimmed(text)}) IS NOT NULL"


def repeated(names: Sequence[str]) -> dict[str, str]:
    """Return the names that occur more than once, with the reason that keeps them from being compared."""
    return {name: "is in the data more than once" for name in names if names.count(name) > 1}
