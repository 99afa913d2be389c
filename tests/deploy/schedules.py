"""Checks schedule expressions of EventBridge, which no linter of templates does."""

import re
from dataclasses import dataclass

RATE = re.compile(r"rate\((?P<value>[1-9]\d*) (?P<unit>minute|hour|day)(?P<plural>s?)\)")
CRON = re.compile(r"cron\((?P<fields>.*)\)")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a cron expression.

    Attributes:
        name: what it is called.
        lowest: the lowest number.
        highest: the highest number.
        names: what may stand for the numbers, from the lowest on.
        special: a pattern of what else may stand there.

    """

    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()
    special: str = ""


# EventBridge Scheduler's user guide, "Schedule types": the fields, their values and wildcards.
DAY_OF_MONTH = Field(name="day of month", lowest=1, highest=31, special=r"\?|L|LW|(3[01]|[12]?\d)W")
DAY_OF_WEEK = Field(name="day of week", lowest=1, highest=7, names=DAYS, special=r"\?|[1-7]?L|[1-7]#[1-5]")
FIELDS = (
    Field(name="minutes", lowest=0, highest=59),
    Field(name="hours", lowest=0, highest=23),
    DAY_OF_MONTH,
    Field(name="month", lowest=1, highest=12, names=MONTHS),
    DAY_OF_WEEK,
    Field(name="year", lowest=1970, highest=2199),
)


def check_schedule(expression: str) -> None:
    """Check a rate or a cron expression.

    Raises:
        ValueError: EventBridge would refuse it.

    """
    if (rate := RATE.fullmatch(expression)) is not None:
        if (rate["value"] == "1") == bool(rate["plural"]):
            raise ValueError(f"{expression}: the unit of 1 is singular, that of more is plural")
        return
    if (cron := CRON.fullmatch(expression)) is None:
        raise ValueError(f"{expression}: neither rate(number unit) nor cron(six fields)")
    fields = cron["fields"].split()
    if len(fields) != len(FIELDS):
        raise ValueError(f"{expression}: has {len(fields)} fields, not {len(FIELDS)}")
    for field, text in zip(FIELDS, fields, strict=True):
        if not all(_is_item(field, item) for item in text.split(",")):
            raise ValueError(f"{expression}: {field.name}: {text!r}")
    days = [fields[FIELDS.index(DAY_OF_MONTH)], fields[FIELDS.index(DAY_OF_WEEK)]]
    if days.count("?") != 1:
        raise ValueError(f"{expression}: exactly one of the two fields of the day must be ?")


def _is_item(field: Field, text: str) -> bool:
    """Return whether *text* is a value, a range, a step through either, or one of the field's own signs."""
    if re.fullmatch(field.special, text) is not None and text:
        return True
    values, slash, step = text.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step)):
        return False
    first, dash, last = values.partition("-")
    if not dash:
        return first == "*" or _number(field, first) is not None
    numbers = _number(field, first), _number(field, last)
    return None not in numbers


def _number(field: Field, text: str) -> int | None:
    if text.upper() in field.names:
        return field.lowest + field.names.index(text.upper())
    number = int(text) if text.isascii() and text.isdigit() else -1
    return number if field.lowest <= number <= field.highest else None
