"""Checks a schedule offline against the syntax that its cloud documents.

Most deployment tools accept a wrong schedule, which then never comes due.
"""

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
# User guide of EventBridge Scheduler, "Schedule types": Sunday is 1, and ? marks the unused one of the two days.
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
# "Timer trigger for Azure Functions", NCRONTAB: seconds come first; Sunday is 0.
_AZURE: Final = (
    _Field(name="second", lowest=0, highest=59),
    *_UNIX[:4],
    _Field(name="day of week", lowest=0, highest=6, names=_DAYS),
)


# The file that has the default schedule of a deployment, and where in it.
_DEFAULTS: Final = {
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
    """Check the syntax of the schedule *expression*; the cloud is not contacted.

    Raises:
        CheckFailedError: it is not valid on *cloud*.
        CheckSkippedError: it names an app setting instead.

    """
    match cloud:
        case "aws":
            _check_aws(expression)
        case "gcp":
            _check_fields(expression, expression, _UNIX)
        case "azure":
            if expression.startswith("%"):
                raise CheckSkippedError(f"not checked: the schedule is in the app setting {expression}")
            _check_fields(expression, expression, _AZURE)
        case _:
            from functions.local.cron import Schedule

            Schedule(expression)


def default_schedule(cloud: str, variables: Mapping[str, str], root: Path) -> str:
    """Return the default schedule of a deployment on *cloud*.

    Args:
        cloud: which cloud.
        variables: the environment variables.
        root: the folder that has the templates.

    Raises:
        CheckSkippedError: there is none.

    """
    if cloud not in _DEFAULTS:
        raise CheckSkippedError(
            "not checked: the local server checks its schedule when it starts; pass one with --schedule"
        )
    path, pattern = _DEFAULTS[cloud]
    try:
        found = pattern.search((root / path).read_text(encoding="utf-8"))
    except OSError:
        found = None
    schedule = variables.get("RETRAIN_SCHEDULE") if cloud == "azure" else None
    if not schedule and found is None:
        raise CheckSkippedError(f"not checked: {path} has no default schedule; pass one with --schedule")
    return schedule or (found[1] if found else "")


def _check_aws(expression: str) -> None:
    """Check a rate, or a cron expression of six fields."""
    rate, cron = _RATE.fullmatch(expression), _CRON.fullmatch(expression)
    if rate is not None:
        if (rate[1] == "1") == bool(rate[3]):
            raise CheckFailedError(f"{expression}: the unit must be singular after 1 and plural otherwise")
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
            raise CheckFailedError(f"{expression}: {value!r} is not a valid {field.name}")
    return given


def _is_item(field: _Field, text: str) -> bool:
    """Return whether *text* is a value, a range, a step through either, or one of the field's own signs."""
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
