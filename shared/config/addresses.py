"""Addresses of data in the tables of the monitor: paths and object stores, with the day of the run filled in."""

import re
from datetime import date, timedelta
from typing import Final

from shared.config.tables import Table

SCHEMES: Final = ("s3", "gs", "abfs")

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://")


def read_place(table: Table, key: str) -> str:
    """Return the address under *key*, which must be there; a problem with it goes to the table."""
    place = table.required(key)
    scheme = _SCHEME.match(place)
    if scheme and scheme[1] not in SCHEMES:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        table.problem(key, f"{place!r} must be a path or begin with one of {known}")
    elif scheme and not place[scheme.end() :].strip("/"):
        table.problem(key, f"{place!r} does not name a bucket")
    return place


def check_dates(table: Table, key: str, address: str) -> None:
    """Check that the dates in *address* can be filled in on any day; a problem goes to *key* of the table."""
    try:
        # The last day of a leap year: a format that fails on any day fails on this one.
        fill(address, date(2024, 12, 31))
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        wanted = "may contain {date} and {yesterday}, with a format such as {date:%Y/%m/%d}; double a literal brace"
        table.problem(key, f"{wanted}: {address!r} ({error})")


def fill(text: str, day: date) -> str:
    """Return *text* with `{date}` as *day* and `{yesterday}` as the day before."""
    return text.format(date=day, yesterday=day - timedelta(days=1))
