"""Times are instants in UTC, and long values are cut in messages."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.fields import brief, format_time, parse_rfc3339, parse_time
from tests.core.samples import NOW, trigger

NO_TIMES = (
    "",
    "now",
    "2026-11-21T03:00:00",
    "2026-02-30T00:00:00Z",
    "0001-01-01T00:00:00+01:00",
    "2026-11-21T03:00:60Z",
)
# The last minute of the calendar.
LAST = "9999-12-31T23:59"


@pytest.mark.parametrize(
    ("text", "moment", "written"),
    [
        ("2026-11-21T03:00:00Z", NOW, "2026-11-21T03:00:00Z"),
        ("2026-11-21T04:00:00+01:00", NOW, "2026-11-21T03:00:00Z"),
        ("2026-11-20T22:00-05:00", NOW, "2026-11-21T03:00:00Z"),
        ("2026-11-21 03:00:00.5Z", NOW + timedelta(milliseconds=500), "2026-11-21T03:00:00.500000Z"),
        ("20261121T030000Z", NOW, "2026-11-21T03:00:00Z"),
        ("2026-11-21t03:00:00z", NOW, "2026-11-21T03:00:00Z"),
        ("2026-11-20T23:59:60Z", NOW - timedelta(hours=3), "2026-11-21T00:00:00Z"),
        ("2026-11-21T05:29:60.5+05:30", NOW - timedelta(hours=3), "2026-11-21T00:00:00Z"),
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
    "text",
    [
        *(
            "20991201T100000Z",
            "2099-W49-2T10:00:00Z",
            "2099-12-01T10Z",
            "2099-12-01T10:00:00,5Z",
            "2099-12-01T10:00:00",
        ),
        *("2099-12-01T24:00:00Z", "2099-12-01T10:00:00+00:00:30", f"{LAST}:59-01:00", f"{LAST}:60Z", ""),
    ],
)
def test_other_forms_of_iso_8601_are_not_rfc_3339(text: str) -> None:
    """Where RFC 3339 is required, every other form is an error that shows it."""
    with pytest.raises(ValueError, match=r"^must be an RFC 3339 time such as 2026-12-01T08:00:00Z, not '") as caught:
        parse_rfc3339(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("text", ["2099-12-01 10:00:00Z", "2099-12-01t12:00:00.123456789+02:00", f"{LAST}:59Z"])
def test_every_form_of_rfc_3339_is_read(text: str) -> None:
    """Small letters, a space, any number of decimals and the last second of the calendar."""
    assert parse_rfc3339(text) == parse_time(text)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("x" * 58, repr("x" * 58)), ("x" * 59, f"'{'x' * 59}... (61 characters)"), (None, "None"), ({"a": 1}, "{'a': 1}")],
)
def test_a_long_value_is_cut_in_messages(value: object, shown: str) -> None:
    """An error contains at most sixty characters of a value, with the length of the whole."""
    assert brief(value) == shown
