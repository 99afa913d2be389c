"""The trend of a model as a small picture: one bar for each of the last checks."""

from collections.abc import Sequence
from html import escape
from typing import Final

from functions.monitor.result import FAILED
from functions.monitor.site.history import LENGTH, PastCheck
from functions.monitor.site.moments import for_people

WIDTH: Final = 208
HEIGHT: Final = 48
_STEP: Final = WIDTH / LENGTH
_BAR: Final = _STEP - 4
_CROSS: Final = _BAR - 2
# A check without any drifted column must be seen too.
_LEAST: Final = 2.0


def trend(checks: Sequence[PastCheck]) -> str:
    """Return *checks*, oldest first, as inline SVG; colours come from the page's classes of the same names."""
    bars = "".join(_bar(place, check) for place, check in enumerate(checks))
    limit = next((check.drift_share for check in reversed(checks) if check.status != FAILED), 0.0)
    line = f'<line class="limit" x1="0" x2="{WIDTH}" y1="{_y(limit):.1f}" y2="{_y(limit):.1f}"/>' if limit else ""
    ground = f'<line class="ground" x1="0" x2="{WIDTH}" y1="{HEIGHT}" y2="{HEIGHT}"/>'
    label = escape(", ".join(_told(check) for check in checks))
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{bars}{ground}{line}</svg>'


def _bar(place: int, check: PastCheck) -> str:
    if check.status == FAILED:
        return _cross(place, check)
    height = max(HEIGHT - _y(check.share), _LEAST)
    box = f'x="{place * _STEP + 2:.1f}" y="{HEIGHT - height:.1f}" width="{_BAR:.1f}" height="{height:.1f}"'
    return f'<rect class="{escape(check.status)}" {box}><title>{escape(_told(check))}</title></rect>'


def _cross(place: int, check: PastCheck) -> str:
    left, right, bottom, top = place * _STEP + 3, place * _STEP + 3 + _CROSS, HEIGHT - 3.0, HEIGHT - 3 - _CROSS
    path = f"M{left:.1f} {bottom:.1f}L{right:.1f} {top:.1f}M{left:.1f} {top:.1f}L{right:.1f} {bottom:.1f}"
    return f'<path class="cross" d="{path}"><title>{escape(_told(check))}</title></path>'


def _told(check: PastCheck) -> str:
    return f"{for_people(check.at)}: {'failed' if check.status == FAILED else f'{check.share:.0%}'}"


def _y(share: float) -> float:
    return HEIGHT * (1 - min(max(share, 0.0), 1.0))
