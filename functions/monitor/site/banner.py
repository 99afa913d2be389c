"""What stands above Evidently's report: whose it is, which data were compared, and what was left out."""

from html import escape
from typing import Final

from functions.monitor.result import Result, Side
from functions.monitor.site.moments import for_people

_BODY: Final = "<body>"
_STYLE: Final = "font: 16px/1.5 system-ui, sans-serif; color: #1f2328; background: #fff; padding: 1rem 2rem"


def with_banner(page: str, result: Result) -> str:
    """Return Evidently's *page* with what is known of *result* at its top."""
    verdict = f"drift{f', {result.severity}' if result.severity else ''}" if result.drift else "no drift"
    facts = [
        f"Checked for {for_people(result.at)}. {result.summary()}.",
        f"Reference: {_side(result.reference)}.",
        f"Current: {_side(result.current)}.",
        *(f"{role.capitalize()}: {name}." for name, role in result.roles.items()),
        *(f"Not compared: {name}, which {why}." for name, why in result.left_out.items()),
    ]
    lines = "<br>\n".join(escape(fact) for fact in facts)
    title = escape(f"{result.model_id}: {verdict}")
    banner = f'<header style="{_STYLE}">\n<h1>{title}</h1>\n<p>{lines}</p>\n</header>'
    return page.replace(_BODY, f"{_BODY}\n{banner}", 1)


def _side(side: Side) -> str:
    if side.sampled < side.rows:
        return f"{side.address}, a random sample of {side.sampled:,} of {side.rows:,} rows"
    return f"{side.address}, {side.rows:,} rows"
