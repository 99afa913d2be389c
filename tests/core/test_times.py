"""Times are instants in UTC, and long values are cut in messages."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.fields import brief, format_time, parse_time
from tests.core.samples import NOW, trigger

NO_TIMES = ("", "now", "2026-11-21T03:00:00", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+01:00")


@pytest.mark.parametrize(
    ("text", "moment", "written"),
    [
        ("2026-11-21T03:00:00Z", NOW, "2026-11-21T03:00:00Z"),
        ("2026-11-21T04:00:00+01:00", NOW, "2026-11-21T03:00:00Z"),
        ("2026-11-20T22:00-05:00", NOW, "2026-11-21T03:00:00Z"),
        ("2026-11-21 03:00:00.5Z", NOW + timedelta(milliseconds=500), "2026-11-21T03:00:00.500000Z"),
        ("20261121T030000Z", NOW, "2026-11-21T03:00:00Z"),
    ],
)
def test_times_are_read_with_their_offset_and_written_in_utc(text: str, moment: datetime, written: str) -> None:
    """A time counts as the instant that it names; it is written as UTC with fractions only where there are some."""
    assert parse_time(text) == moment
    assert parse_time(text).tzinfo is UTC
    assert format_time(moment) == written
    assert format_time(moment.astimezone(timezone(timedelta(hours=-9)))) == written


def test_a_time_that_is_not_a_string_is_taken_in_utc() -> None:
    """A time that a caller in this process gives keeps its instant and becomes UTC."""
    requested = trigger(requested_at=NOW.astimezone(timezone(timedelta(hours=5))))
    assert (requested.requested_at, requested.requested_at.tzinfo) == (NOW, UTC)


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_not_a_time_is_reported(text: str) -> None:
    """A text that names no instant is an error that shows it."""
    with pytest.raises(ValueError, match=r"^must be an ISO 8601 time with an offset, not '") as caught:
        parse_time(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("x" * 58, repr("x" * 58)), ("x" * 59, f"'{'x' * 59}... (61 characters)"), (None, "None"), ({"a": 1}, "{'a': 1}")],
)
def test_a_long_value_is_cut_in_messages(value: object, shown: str) -> None:
    """An error contains at most sixty characters of a value, with the length of the whole."""
    assert brief(value) == shown
