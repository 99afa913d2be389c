"""Schedules as each cloud takes them: a wrong one is accepted by most tools, and never comes due."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from functions.cli.doctor.check import CheckFailedError, CheckSkippedError

_RATE: Final = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)")
_CRON: Final = re.compile(r"cron\((.*)\)")
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()
    signs: str = "(?!)"


_MINUTE: Final = _Field(name="minute", lowest=0, highest=59)
_HOUR: Final = _Field(name="hour", lowest=0, highest=23)
_MONTH: Final = _Field(name="month", lowest=1, highest=12, names=_MONTHS)
# User guide of EventBridge Scheduler, "Schedule types": Sunday is 1, and ? stands where the other day is meant.
_AWS: Final = (
    _MINUTE,
    _HOUR,
    _Field(name="day of month", lowest=1, highest=31, signs=r"\?|L|LW|(3[01]|[12]?\d)W"),
    _MONTH,
    _Field(name="day of week", lowest=1, highest=7, names=_DAYS, signs=r"\?|[1-7]?L|[1-7]#[1-5]"),
    _Field(name="year", lowest=1970, highest=2199),
)
# Cloud Scheduler, "Cron job format"; Sunday is 0 or 7.
_UNIX: Final = (
    _MINUTE,
    _HOUR,
    _Field(name="day of month", lowest=1, highest=31),
    _MONTH,
    _Field(name="day of week", lowest=0, highest=7, names=_DAYS),
)
# "Timer trigger for Azure Functions", NCRONTAB: with seconds in front; Sunday is 0.
_AZURE: Final = (
    _Field(name="second", lowest=0, highest=59),
    *_UNIX[:4],
    _Field(name="day of week", lowest=0, highest=6, names=_DAYS),
)


# Where the schedule stands that a cloud deploys with.
_PLACES: Final = {
    "aws": ("template.yaml", re.compile(r"^  Schedule:\n(?:    .*\n)*?    Default: (.+)$", re.MULTILINE)),
    "gcp": (
        "deploy/gcp/variables.tf",
        re.compile(r'^variable "schedule" \{\n(?:  .*\n)*?  default +=\s*"(.+)"$', re.MULTILINE),
    ),
    "azure": (
        "deploy/azure/azuredeploy.json",
        re.compile(r'^    "schedule": \{\n(?:      .*\n)*?      "defaultValue": "(.+)",?$', re.MULTILINE),
    ),
}


def check_schedule(cloud: str, expression: str) -> None:
    """Check that *cloud* takes the schedule *expression*.

    Raises:
        CheckFailedError: it does not.
        CheckSkippedError: it stands elsewhere.

    """
    match cloud:
        case "aws":
            _check_aws(expression)
        case "gcp":
            _check_fields(expression, expression, _UNIX)
        case "azure":
            if expression.startswith("%"):
                raise CheckSkippedError(f"not checked: the schedule stands in the app setting {expression}")
            _check_fields(expression, expression, _AZURE)
        case _:
            from functions.local.cron import Schedule

            Schedule(expression)


def default_schedule(cloud: str, variables: Mapping[str, str], root: Path) -> str:
    """Return the schedule that *cloud* deploys with, unless somebody says otherwise then.

    Args:
        cloud: which cloud.
        variables: the environment variables.
        root: the folder of the repository.

    Raises:
        CheckSkippedError: it stands nowhere.

    """
    if cloud not in _PLACES:
        raise CheckSkippedError(
            "not checked: `make serve` refuses a wrong one when it starts; give one with --schedule"
        )
    path, pattern = _PLACES[cloud]
    try:
        found = pattern.search((root / path).read_text(encoding="utf-8"))
    except OSError:
        found = None
    schedule = variables.get("RETRAIN_SCHEDULE") if cloud == "azure" else None
    if not schedule and found is None:
        raise CheckSkippedError(f"not checked: {path} tells no schedule; give one with --schedule")
    return schedule or (found[1] if found else "")


def _check_aws(expression: str) -> None:
    """Check a rate, or a cron of six fields."""
    rate, cron = _RATE.fullmatch(expression), _CRON.fullmatch(expression)
    if rate is not None:
        if (rate[1] == "1") == bool(rate[3]):
            raise CheckFailedError(f"{expression}: the unit of 1 is singular, that of more is plural")
        return
    if cron is None:
        raise CheckFailedError(f"{expression}: must be rate(number unit) or cron(six fields)")
    fields = _check_fields(expression, cron[1], _AWS)
    if [fields[2], fields[4]].count("?") != 1:
        raise CheckFailedError(f"{expression}: exactly one of day of month and day of week must be ?")


def _check_fields(expression: str, text: str, fields: Sequence[_Field]) -> list[str]:
    given = text.split()
    if len(given) != len(fields):
        names = ", ".join(field.name for field in fields)
        raise CheckFailedError(f"{expression}: must have {len(fields)} fields, not {len(given)}: {names}")
    for field, value in zip(fields, given, strict=True):
        if not all(_is_item(field, item) for item in value.split(",")):
            raise CheckFailedError(f"{expression}: {value!r} is no {field.name}")
    return given


def _is_item(field: _Field, text: str) -> bool:
    """Tell whether *text* is a value, a range, a step through either, or one of the field's own signs."""
    if re.fullmatch(field.signs, text):
        return True
    values, slash, step = text.partition("/")
    first, dash, last = values.partition("-")
    if slash and not re.fullmatch("[1-9][0-9]*", step):
        return False
    if not dash:
        return first == "*" or _number(field, first) is not None
    return _number(field, first) is not None and _number(field, last) is not None


def _number(field: _Field, text: str) -> int | None:
    if text.upper() in field.names:
        return field.lowest + field.names.index(text.upper())
    number = int(text) if re.fullmatch("[0-9]{1,4}", text) else -1
    return number if field.lowest <= number <= field.highest else None
