"""Which columns can be compared; why not is told for every other one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from functions.monitor.arrow import kind_of
from functions.monitor.dataset import SHOWN_NAMES, DataSet, Sample, columns_of
from functions.monitor.errors import UnusableDataError
from functions.monitor.untyped import Column
from shared.drift import DriftCheck

Sides = Sequence[tuple[DataSet, Mapping[str, str]]]

_KINDS: Final[Mapping[str, str]] = {"number": "numbers", "flag": "true and false", "text": "texts", "time": "times"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is compared, and what is not.

    Attributes:
        names: the columns that are.
        left_out: column -> why it is not.

    """

    names: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)


def choose(check: DriftCheck, reference: DataSet, current: DataSet) -> Chosen:
    """Choose the columns to read, by their names and by what the files say of their types.

    Raises:
        UnusableDataError: a column that `columns` names is missing, or nothing is left to compare.

    """
    sides = [(data, columns_of(data)) for data in (reference, current)]
    _check_named(check, sides)
    every = check.columns or [name for _, has in sides for name in has]
    wanted = dict.fromkeys([*every, *filter(None, (check.target, check.prediction))])
    left_out = {name: why for name in wanted if (why := _why_not(name, sides))}
    names = tuple(name for name in wanted if name not in left_out)
    _check_any(names, left_out)
    return Chosen(names=names, left_out=left_out)


def narrow(chosen: Chosen, reference: Sample, current: Sample) -> Chosen:
    """Leave out the columns whose values cannot be compared.

    Raises:
        UnusableDataError: nothing is left to compare.

    """
    values = {name: (reference.table[name], current.table[name]) for name in chosen.names}
    found = {name: why for name, sides in values.items() if (why := _why_not_values(*sides))}
    left_out = {**chosen.left_out, **found}
    names = tuple(name for name in chosen.names if name not in found)
    _check_any(names, left_out)
    return Chosen(names=names, left_out=left_out)


def _check_named(check: DriftCheck, sides: Sides) -> None:
    for data, has in sides:
        missing = [repr(name) for name in check.columns if name not in has]
        if missing:
            known = ", ".join(list(has)[:SHOWN_NAMES])
            raise UnusableDataError(f"columns: {', '.join(missing)} not in {data.described()}, which has {known}")


def _why_not(name: str, sides: Sides) -> str:
    for data, has in sides:
        if name not in has:
            return f"is not in the {data.side} data"
        if has[name]:
            return has[name]
    return ""


def _why_not_values(reference: Column, current: Column) -> str:
    kinds = {"reference": kind_of(reference), "current": kind_of(current)}
    for side, kind in kinds.items():
        if not kind:
            return f"has no values in the {side} data"
        if kind == "time":
            return "holds times, which move on by themselves"
    if kinds["reference"] != kinds["current"]:
        told = " and ".join(f"{_KINDS[kind]} in the {side} data" for side, kind in kinds.items())
        return f"holds {told}"
    return ""


def _check_any(names: Sequence[str], left_out: Mapping[str, str]) -> None:
    if not names:
        raise UnusableDataError(f"no column can be compared: {told(left_out) or 'the data have none'}")


def told(left_out: Mapping[str, str]) -> str:
    """Return *left_out* as one line; the first few of them."""
    shown = "; ".join(f"{name!r} {why}" for name, why in list(left_out.items())[:SHOWN_NAMES])
    return f"{shown}; and {len(left_out) - SHOWN_NAMES} more" if len(left_out) > SHOWN_NAMES else shown
