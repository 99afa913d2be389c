"""The request for a run: which models, and for which time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.errors import InvalidTriggerError
from shared.fields import brief, format_time, parse_time

KEYS: Final = ("models", "at")
# Somewhere on earth it is tomorrow already.
AHEAD: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One run.

    Attributes:
        models: their ids; empty: all.
        at: the time that the run is made for; none: today.

    """

    models: tuple[str, ...] = ()
    at: datetime | None = None


def read_event(event: object) -> RunRequest:
    """Read what Lambda hands over: `{"models": [...], "at": "2026-11-23"}`, both optional, or a tick of a schedule.

    A tick brings the time that it was scheduled for, so that its repeat is the same run.

    Raises:
        InvalidTriggerError: a field is wrong.

    """
    if not isinstance(event, Mapping):
        raise InvalidTriggerError("event", f"must be an object, not {brief(event)}")
    if "detail-type" in event:
        return RunRequest(at=_read_time(event.get("time")))
    unknown = next((name for name in event if name not in KEYS), None)
    if unknown is not None:
        raise InvalidTriggerError(str(unknown), f"is not a field of a run; its fields are {', '.join(KEYS)}")
    return RunRequest(models=_read_models(event.get("models")), at=_read_time(event.get("at")))


def read_moment(text: str) -> datetime:
    """Read a time with an offset, or a day, which means its beginning in UTC.

    Raises:
        InvalidTriggerError: it is neither.

    """
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        return parse_time(text)
    except ValueError as error:
        raise InvalidTriggerError("at", str(error)) from error


def today(now: datetime) -> datetime:
    """Return the time of a run without one: the day, so that a repeated run is the same run."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def check_time(at: datetime, now: datetime) -> None:
    """Check that a run may be made for *at*: a report from far ahead would remain the latest one.

    Raises:
        InvalidTriggerError: it is more than a day ahead of *now*.

    """
    if at > now + AHEAD:
        raise InvalidTriggerError("at", f"must not be more than a day ahead, as {format_time(at)} is")


def _read_models(value: object) -> tuple[str, ...]:
    models: Sequence[object] = value if isinstance(value, list) else () if value is None else (None,)
    names = tuple(name for name in models if isinstance(name, str))
    if len(names) != len(models):
        raise InvalidTriggerError("models", f"must be a list of names, not {brief(value)}")
    return names


def _read_time(value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidTriggerError("at", f"must be a text, not {brief(value)}")
    return read_moment(value)
