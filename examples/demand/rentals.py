"""Reads the daily bicycle rentals of Capital Bikeshare, the data that the demand model learns from."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

DATA = Path(__file__).parent / "data" / "bike_sharing_daily.csv"

WEATHER_AND_CALENDAR = ("weekday", "workingday", "holiday", "weathersit", "temp", "hum", "windspeed")
FEATURES = ("day_number", "day_of_year", *WEATHER_AND_CALENDAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of rentals.

    Attributes:
        date: The calendar day in Washington, D.C.
        features: The inputs of the model, in the order of `FEATURES`.
        count: Bicycles rented on that day; at least 1, so that percentage errors exist.
    """

    date: date
    features: tuple[float, ...]
    count: int


def load(path: Path = DATA) -> tuple[Day, ...]:
    """Return every day in the file, ordered by date.

    Raises:
        OSError: The file cannot be read.
        ValueError: A field does not have the type of its column.
    """
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(_day(row) for row in csv.DictReader(file))


def between(days: Iterable[Day], first: date, until: date) -> tuple[Day, ...]:
    """Return the days from *first* on and before *until*."""
    return tuple(day for day in days if first <= day.date < until)


def _day(row: dict[str, str]) -> Day:
    when = date.fromisoformat(row["dteday"])
    calendar = (float(row["instant"]), float(when.timetuple().tm_yday))
    features = (*calendar, *(float(row[name]) for name in WEATHER_AND_CALENDAR))
    return Day(date=when, features=features, count=int(row["cnt"]))
