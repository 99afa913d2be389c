"""Times for people."""

from datetime import UTC, datetime


def for_people(at: datetime) -> str:
    """Return *at* to the minute, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
