"""The site's own pages: one file each, without scripts, with nothing from elsewhere."""

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from typing import Final

from functions.monitor.result import DRIFT, FAILED, NO_DRIFT
from functions.monitor.site import layout
from functions.monitor.site.chart import HEIGHT, WIDTH, trend
from functions.monitor.site.history import History, PastCheck
from functions.monitor.site.moments import for_people

_STYLE: Final = f"""
:root {{ color-scheme: light dark; --ink: #1f2328; --soft: #656d76; --line: #d0d7de; --paper: #fff;
  --drift: #bc4c00; --calm: #1a7f37; --failed: #6e7781; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --paper: #0d1117;
  --drift: #f0883e; --calm: #3fb950; --failed: #9198a1; }} }}
body {{ font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 70rem; padding: 0 1rem; }}
h1 {{ font-size: 1.5rem; margin: 0 0 .25rem; }}
p {{ color: var(--soft); margin: 0 0 1.5rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; vertical-align: top; padding: .6rem .75rem .6rem 0; border-bottom: 1px solid var(--line); }}
th {{ color: var(--soft); font-weight: 600; font-size: .85rem; }}
td {{ overflow-wrap: anywhere; }}
.soft {{ color: var(--soft); font-size: .85rem; }}
.drift {{ color: var(--drift); fill: var(--drift); }} .no_drift {{ color: var(--calm); fill: var(--calm); }}
.failed {{ color: var(--failed); fill: var(--failed); }}
time, td:last-child {{ white-space: nowrap; }}
svg {{ width: {WIDTH}px; height: {HEIGHT}px; display: block; }}
.cross {{ stroke: var(--failed); stroke-width: 2; fill: none; }}
.limit, .ground {{ stroke: var(--line); stroke-width: 1; }} .limit {{ stroke: var(--soft); stroke-dasharray: 3 3; }}
a {{ color: inherit; }}
"""
_WORDS: Final = {DRIFT: "drift", NO_DRIFT: "no drift", FAILED: "check failed"}
# No script, image, frame, form or connection: only the style above, known by its hash.
_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)


def index_page(histories: Sequence[History]) -> str:
    """Return the start page: every model with its last check, its trend and its reports."""
    rows = "\n".join(_row(history) for history in histories)
    heads = "".join(f"<th>{head}</th>" for head in ("Model", "Last check", "Drifted columns", "Trend", "Report"))
    return _page(
        "Drift",
        "<p>Each bar is a check, as high as its share of drifted columns; the dashed line is where drift begins. "
        "A grey cross is a check that failed.</p>\n"
        f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>",
    )


def error_page(start: str) -> str:
    """Return the page for an address where nothing is; *start* is the address of the start page."""
    return _page("Nothing here", f'<p>This page does not exist. <a href="{escape(start)}">All models</a></p>')


def _page(title: str, content: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
{content}
</body>
</html>
"""


def _row(history: History) -> str:
    cells = (
        f"<b>{escape(history.model_id)}</b>",
        _status(history.last),
        _drifted(history.last),
        trend(history.checks) if history.checks else "",
        _links(history),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _status(last: PastCheck | None) -> str:
    if last is None:
        return '<span class="soft">not checked yet</span>'
    severity = f", {escape(last.severity)}" if last.severity and last.status == DRIFT else ""
    word = f'<b class="{last.status}">{_WORDS[last.status]}{severity}</b>'
    return f'{word}<br><time class="soft">{for_people(last.at)}</time>'


def _drifted(last: PastCheck | None) -> str:
    if last is None:
        return ""
    if last.status == FAILED:
        return escape(last.problem)
    limit = f'<span class="soft">(drift from {last.drift_share:.0%} on)</span>'
    names = f"<br>{escape(', '.join(last.drifted))}" if last.drifted else ""
    rest = f'<br><span class="soft">{last.left_out} not compared</span>' if last.left_out else ""
    return f"{last.share:.0%} {limit}{names}{rest}"


def _links(history: History) -> str:
    report = history.last_report
    if report is None:
        return ""
    folder = escape(report.folder)
    links = f'<a href="{folder}/{layout.REPORT}">report</a> <a href="{folder}/{layout.DOCUMENT}">JSON</a>'
    stale = report is not history.last
    return f'{links}<br><span class="soft">of {for_people(report.at)}</span>' if stale else links
