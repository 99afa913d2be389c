"""Checks over time as small pictures: one bar for each, which leads to its report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from functions.monitor.result import FAILED
from functions.monitor.site.history import PastCheck
from functions.monitor.site.layout import REPORT
from functions.monitor.site.rendering import for_people

STEP: Final = 16
HEIGHT: Final = 48
_BAR: Final = STEP - 4
_CROSS: Final = _BAR - 2
# A check without any drifted column must be seen too.
_LEAST: Final = 2.0
# Where a column drifts: half of the height, so that there is room for what is above.
_COLUMN_LIMIT: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One check.

    Attributes:
        href: its report, from the page that shows it.
        label: its time and value, for people.
        status: of the check or column; the class of its colour.
        left: where its part of the picture begins.
        x, y, width, height: the bar.
        path: the cross of a check that failed.

    """

    href: str
    label: str
    status: str
    left: int
    x: float = 0.0
    y: float = 0.0
    width: float = _BAR
    height: float = 0.0
    path: str = ""

    @property
    def failed(self) -> bool:
        """Whether it has a cross in place of a bar."""
        return bool(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture of checks.

    Attributes:
        label: what it shows, for people.
        bars: oldest first.
        width, height: in pixels.
        step: the width of the part of each bar.
        limit: where drift begins, from the top; none if no check says.

    """

    label: str
    bars: tuple[Bar, ...]
    width: int
    limit: float | None
    height: int = HEIGHT
    step: int = STEP


def trend(checks: Sequence[PastCheck], places: int, href: Callable[[PastCheck], str]) -> Chart:
    """Return the shares of drifted columns of *checks*, oldest first, with room for *places* bars."""
    bars = [
        _cross(place, check, href(check))
        if check.status == FAILED
        else _bar(place, check.share, href(check), check.status, f"{for_people(check.at)}: {check.share:.0%}")
        for place, check in enumerate(checks)
    ]
    limit = next((check.drift_share for check in reversed(checks) if check.status != FAILED), None)
    top = None if limit is None else _y(limit)
    return Chart(label="Share of drifted columns by check", bars=tuple(bars), width=places * STEP, limit=top)


def column_trend(name: str, checks: Sequence[PastCheck], places: int, href: Callable[[PastCheck], str]) -> Chart:
    """Return how far the column *name* was from its threshold in each of *checks* that compared it."""
    found = [(place, check, check.columns[name]) for place, check in enumerate(checks) if name in check.columns]
    bars = [
        _bar(place, column.excess * _COLUMN_LIMIT, href(check), column.status, f"{for_people(check.at)}: {column.text}")
        for place, check, column in found
    ]
    return Chart(label=f"{name} by check", bars=tuple(bars), width=places * STEP, limit=_y(_COLUMN_LIMIT))


def report_of(check: PastCheck) -> str:
    """Return the address of the report of *check* from the start page on."""
    return f"{check.folder}/{REPORT}"


def _bar(place: int, share: float, href: str, status: str, label: str) -> Bar:
    height = max(HEIGHT - _y(share), _LEAST)
    return Bar(
        href=href, label=label, status=status, left=place * STEP, x=place * STEP + 2, y=HEIGHT - height, height=height
    )


def _cross(place: int, check: PastCheck, href: str) -> Bar:
    left, right, bottom, top = place * STEP + 3, place * STEP + 3 + _CROSS, HEIGHT - 3.0, HEIGHT - 3.0 - _CROSS
    path = f"M{left} {bottom:g}L{right} {top:g}M{left} {top:g}L{right} {bottom:g}"
    return Bar(href=href, label=f"{for_people(check.at)}: failed", status=FAILED, left=place * STEP, path=path)


def _y(share: float) -> float:
    return round(HEIGHT * (1 - min(max(share, 0.0), 1.0)), 1)
