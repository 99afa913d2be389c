"""The templates of the pages, with the policy that allows their style and nothing else."""

import base64
import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from functions.monitor.result import DRIFT, FAILED, NO_DRIFT, WORSE

TEMPLATES: Final = Path(__file__).parent / "templates"
WORDS: Final = {DRIFT: "drift", WORSE: "predictions are worse", NO_DRIFT: "no drift", FAILED: "check failed"}
_STYLE: Final = (TEMPLATES / "style.css").read_text(encoding="utf-8")
# No script, image, frame, form or connection: only the style above, known by its hash.
_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)


def render(template: str, **values: object) -> str:
    """Return the page of *template* with *values*; texts are escaped."""
    return str(_environment().get_template(template).render(values))


def for_people(at: datetime) -> str:
    """Return *at* to the minute, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


@cache
def _environment() -> Any:  # noqa: ANN401 - jinja2 may come without types
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters.update(moment=for_people, share=lambda share: f"{share:.0%}")
    # Ours, and nothing of a user's: it must be in the page as its hash has it.
    environment.globals.update(words=WORDS, policy=Markup(_POLICY), style=Markup(_STYLE))  # noqa: S704 - our own texts
    return environment
