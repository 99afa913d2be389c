"""The head of Evidently's report: which model it is for, which data were compared, and which columns were left out."""

from typing import Final

from functions.monitor.result import Result, Side
from functions.monitor.site.rendering import WORDS, for_people, render

_BODY: Final = "<body>"


def with_banner(page: str, result: Result) -> str:
    """Return Evidently's *page* with what is known of *result* at its top."""
    facts = [
        f"Checked for {for_people(result.at)}. {result.summary()}.",
        f"Reference: {_side(result.reference)}.",
        f"Current: {_side(result.current)}.",
        *(f"{role.capitalize()}: {name}." for name, role in result.roles.items()),
        *(f"{name}: {growth}." for name, growth in result.growing().items()),
        *(f"{name}: {unread}." for name, unread in result.unread().items()),
        *(
            f"Not compared: {name}, which {why}; {result.left_out_values[name].described()}."
            for name, why in result.left_out.items()
        ),
    ]
    verdict = WORDS[result.status] + (f", {result.severity}" if result.severity else "")
    banner = render("banner.html", model_id=result.model_id, verdict=verdict, facts=facts)
    return page.replace(_BODY, f"{_BODY}\n{banner}", 1)


def _side(side: Side) -> str:
    if side.sampled < side.rows:
        return f"{side.address}, a random sample of {side.sampled:,} of {side.rows:,} rows"
    return f"{side.address}, {side.rows:,} rows"
