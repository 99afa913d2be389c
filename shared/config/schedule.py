"""A model's own schedule: five-field cron in a time zone.

The changes of the clocks follow Debian's cron, as cronsim implements it. A time with a fixed hour and minute that comes
twice counts once, the first time; with `*` in the hour or minute it counts each time. A time that does not exist counts
at the change of the clocks, unless the hour is `*`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import takewhile
from typing import Final

from shared.config.tables import Table
from shared.frozen import dataclass

FIELDS: Final = 5
UTC_NAME: Final = "UTC"
# Most searches are in the few minutes since the last evaluation.
FIRST_SPAN: Final = timedelta(minutes=15)
_EXAMPLE: Final = "30 9 * * MON"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSchedule:
    """When a model is requested, besides everything else that requests it.

    Attributes:
        expression: minute, hour, day of the month, month, day of the week, separated by single spaces.
        timezone: the name of the time zone, such as `Europe/Rome`.

    """

    expression: str
    timezone: str = UTC_NAME

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first time after *moment* (aware), in UTC; None if there is none within 50 years."""
        found = [next(self._times(reading, moment), None) for reading in self._readings()]
        return min((time for time in found if time is not None), default=None)

    def last_between(self, after: datetime, until: datetime) -> datetime | None:
        """Return the last time that is after *after* and not after *until*, in UTC; None if there is none."""
        # cronsim's own search backwards leaves out times in an hour that comes twice. The spans grow, so that neither a
        # schedule with many times nor one with few takes long.
        span, start = FIRST_SPAN, until
        while start > after:
            start = max(until - span, after)
            found = [
                time
                for reading in self._readings()
                for time in takewhile(lambda time: time <= until, self._times(reading, start))
            ]
            if found:
                return max(found)
            span *= 8
        return None

    def _readings(self) -> tuple[str, ...]:
        """Return the expression, and if needed a second one for the times that a change of the clocks leaves out.

        cronsim counts a time that does not exist at the change only if neither hour nor minute begins with `*`. Of
        `*/10 2 * * *` a whole day would be left out, so its minutes are listed for it, too.
        """
        from cronsim import CronSim

        minute, hour, *days = self.expression.split()
        if self.timezone == UTC_NAME or hour == "*" or not (minute + hour).count("*"):
            return (self.expression,)
        parsed = CronSim(self.expression, datetime(2000, 1, 1, tzinfo=UTC))
        minutes, hours = (",".join(map(str, sorted(each))) for each in (parsed.minutes, parsed.hours))
        return self.expression, " ".join([minutes, hours, *days])

    def _times(self, expression: str, after: datetime) -> Iterator[datetime]:
        """Yield the times of *expression* after *after*, in UTC."""
        from cronsim import CronSim

        for local in CronSim(expression, after.astimezone(_zone(self.timezone))):
            time = local.astimezone(UTC)
            # In an hour that comes twice cronsim may begin with its first pass although *after* is in the second.
            if time > after:
                yield time


def read_schedule(table: Table) -> tuple[bool, OwnSchedule | None]:
    """Parse `schedule` and `timezone` of a model: whether every tick requests it, and its own schedule."""
    wanted = f'true, false or five fields of cron such as "{_EXAMPLE}"'
    standard: bool | str = False
    value = table.value("schedule", standard, _flag_or_text, wanted)
    timezone = table.text("timezone")
    if not isinstance(value, str):
        if timezone:
            table.problem("timezone", f'needs a schedule of the model\'s own, such as schedule = "{_EXAMPLE}"')
        return value, None
    try:
        _zone(timezone or UTC_NAME)
    except ValueError as error:
        table.problem("timezone", f'{error}; use a name such as "Europe/Rome"')
    fields = value.split()
    if len(fields) != FIELDS:
        problem = f"{value!r} has {len(fields)} fields, not {FIELDS}: minute hour day month weekday"
        table.problem("schedule", f'{problem}, such as "{_EXAMPLE}"')
        return False, None
    schedule = OwnSchedule(expression=" ".join(fields), timezone=timezone or UTC_NAME)
    _report(table, schedule)
    return False, schedule


def _flag_or_text(value: object) -> bool | str | None:
    return value if isinstance(value, bool) or (isinstance(value, str) and value) else None


def _report(table: Table, schedule: OwnSchedule) -> None:
    # Imported here, because only few configurations have such schedules, and every cold start would pay for it.
    from cronsim import CronSimError

    try:
        if OwnSchedule(expression=schedule.expression).next_after(datetime(2000, 1, 1, tzinfo=UTC)) is None:
            raise CronSimError("it has no time within 50 years")  # noqa: TRY301 - reported like the others
    except CronSimError as error:
        table.problem("schedule", f'{schedule.expression!r}: {error}; write five fields such as "{_EXAMPLE}"')


def _zone(name: str) -> tzinfo:
    if name == UTC_NAME:
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError) as error:
        raise ValueError(f"{name!r} is not the name of a time zone") from error
