"""Which columns can be compared, and why the others cannot."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from functions.monitor.data import plain
from functions.monitor.data.categories import why_not_category
from functions.monitor.data.dataset import INDEX, SHOWN_NAMES, DataSet
from functions.monitor.data.readings import NESTED, TIME, ReadSample, Values
from functions.monitor.errors import UnusableDataError
from shared.config.drift import DriftCheck

Sides = Sequence[tuple[DataSet, Mapping[str, str]]]

# Lost columns cannot drift: beyond this share, a verdict on the rest would not describe the whole.
MOST_LOST: Final = 0.2

_KINDS: Final[Mapping[str, str]] = {
    "number": "numbers",
    "flag": "true and false",
    "text": "texts",
    "time": "times",
    "nested": "lists or structures",
}
# As pandas and R write row numbers to CSV, and as pandas names them when it reads such a file.
_UNNAMED: Final = re.compile(r"|Unnamed: \d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The columns that are compared, and those that are not.

    Attributes:
        names: the columns that are.
        left_out: column -> why it is not.
        lost: those left out that the reference has, in a form that can be compared, and the current data have not.

    """

    names: tuple[str, ...]
    left_out: Mapping[str, str]
    lost: tuple[str, ...]


def choose(check: DriftCheck, reference: DataSet, current: DataSet) -> Chosen:
    """Choose the columns to read, by their names and by the types in the files.

    Raises:
        UnusableDataError: a column that `columns` names is missing, or nothing is left to compare.

    """
    sides = [(data, data.columns) for data in (reference, current)]
    _check_named(check, sides)
    every = check.columns or [name for _, has in sides for name in has]
    wanted = dict.fromkeys([*every, *filter(None, (check.target, check.prediction))])
    left_out = {
        name: why for name in wanted if (why := _why_not(name, sides)) and not _is_named_index(check, name, why)
    }
    names = tuple(name for name in wanted if name not in left_out)
    _check_any(names, left_out)
    # The reference has these in a form that can be compared, so the current data are the reason.
    lost = tuple(name for name in left_out if not _why_not(name, sides[:1]) and left_out[name] != INDEX)
    return Chosen(names=names, left_out=left_out, lost=lost)


def narrow(check: DriftCheck, chosen: Chosen, reference: ReadSample, current: ReadSample, least: int) -> Chosen:
    """Leave out the columns whose values cannot be compared.

    Args:
        check: what the configuration says.
        chosen: the columns that were read.
        reference: their values.
        current: their values.
        least: how many values a column needs on each side.

    Raises:
        UnusableDataError: nothing is left to compare, or too much of the reference is lost.

    """
    named = {*check.columns, *filter(None, (check.target, check.prediction))}
    left_out, lost = dict(chosen.left_out), list(chosen.lost)
    for name in chosen.names:
        sides = reference.values[name], current.values[name]
        why = _why_numbering(name, sides) if name not in named else ""
        if not why:
            why = _why_not_one("reference", sides[0], least)
        if not why:
            why = _why_not_one("current", sides[1], least) or _why_not_both(*sides)
            lost += [name] if why else []
        if not why:
            why = why_not_category(*sides, named=name in named)
        left_out |= {name: why} if why else {}
    names = tuple(name for name in chosen.names if name not in left_out)
    _check_any(names, left_out)
    return _not_lost(check, Chosen(names=names, left_out=left_out, lost=tuple(lost)))


def without(check: DriftCheck, chosen: Chosen, left_out: Mapping[str, str], lost: Sequence[str]) -> Chosen:
    """Leave out columns more; those that are *lost* only the current data keep from being compared.

    Raises:
        UnusableDataError: too much of the reference is lost.

    """
    names = tuple(name for name in chosen.names if name not in left_out)
    return _not_lost(check, Chosen(names=names, left_out={**chosen.left_out, **left_out}, lost=(*chosen.lost, *lost)))


def _check_named(check: DriftCheck, sides: Sides) -> None:
    for data, has in sides:
        missing = [repr(name) for name in check.columns if name not in has]
        if missing:
            known = ", ".join(list(has)[:SHOWN_NAMES])
            raise UnusableDataError(f"columns: {', '.join(missing)} not in {data.described()}, which has {known}")


def _not_lost(check: DriftCheck, chosen: Chosen) -> Chosen:
    # Labels come late, so target and prediction may lack.
    lost = [name for name in chosen.lost if name not in (check.target, check.prediction)]
    named = {name: chosen.left_out[name] for name in lost if name in check.columns}
    if named:
        raise UnusableDataError(f"columns: {reasons(named)}; a verdict needs all of `columns`")
    every = len(chosen.names) + len(lost)
    if len(lost) > every * MOST_LOST:
        why = reasons({name: chosen.left_out[name] for name in lost})
        advice = "name those that are to be compared in `columns`"
        raise UnusableDataError(f"{len(lost)} of {every} columns of the reference are lost: {why}; {advice}")
    return chosen


def _is_named_index(check: DriftCheck, name: str, why: str) -> bool:
    return why == INDEX and name in check.columns


def _why_not(name: str, sides: Sides) -> str:
    for data, has in sides:
        if name not in has:
            return f"is not in the {data.side} data"
        if has[name]:
            return has[name]
    return ""


def _why_numbering(name: str, sides: Sequence[Values]) -> str:
    if not _UNNAMED.fullmatch(name):
        return ""
    numbers = (side for side in sides if side.kind == "number")
    return "numbers the rows" if any(0 < side.distinct == side.count for side in numbers) else ""


def _why_not_one(side: str, values: Values, least: int) -> str:
    if values.kind in (TIME, NESTED):
        return plain.TIMES if values.kind == TIME else plain.NESTED
    if not values.count:
        return f"has no {'finite ' if values.kind == 'number' else ''}values in the {side} data"
    if values.count < least:
        return (
            f"has {values.count:,} value{'s' * (values.count > 1)} in the {side} data, and needs {least:,} (min_rows)"
        )
    return ""


def _why_not_both(reference: Values, current: Values) -> str:
    if reference.kind == current.kind:
        return ""
    return f"holds {_KINDS[reference.kind]} in the reference data and {_KINDS[current.kind]} in the current data"


def _check_any(names: Sequence[str], left_out: Mapping[str, str]) -> None:
    if not names:
        raise UnusableDataError(f"no column can be compared: {reasons(left_out) or 'the data have none'}")


def reasons(left_out: Mapping[str, str]) -> str:
    """Return *left_out* as one line; the first few of them."""
    shown = "; ".join(f"{name!r} {why}" for name, why in list(left_out.items())[:SHOWN_NAMES])
    return f"{shown}; and {len(left_out) - SHOWN_NAMES} more" if len(left_out) > SHOWN_NAMES else shown
