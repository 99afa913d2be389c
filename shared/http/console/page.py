"""The page of the console: its parts put together, what the browser may do with it, and the response to `GET /`.

Script and style are in the page, and its policy allows these two by their hashes and nothing else: markup that got into
the page could neither run nor load anything.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from shared.frozen import dataclass
from shared.http.console.content import Api, Words, content
from shared.http.messages import RETRY_AFTER, Request, Response

_FOLDER: Final = Path(__file__).parent
# In the order in which they are put together; it is one script.
_SCRIPTS: Final = ("dom.js", "words.js", "api.js", "trigger.js", "overview.js", "model.js", "actions.js", "main.js")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """The page without what differs between two requests.

    Attributes:
        parts: the page before the place, between place and content, and after the content.
        policy: the value of Content-Security-Policy.
        words: the words for codes.

    """

    parts: tuple[str, str, str]
    policy: str
    words: Words


def respond(cloud: str, request: Request, api: Api) -> Response:
    """Return the console of *cloud*, with the models that *request* names: `?model=`, `?after=`, `?q=`, `?state=`."""
    page = _page()
    start, middle, end = page.parts
    status, shown = content(api, request, page.words)
    place = escape(page.words["places"].get(cloud, ""))
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": page.policy,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        **({"retry-after": RETRY_AFTER} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}),
    }
    return Response(status=status, body=f"{start}{place}{middle}{shown}{end}", headers=headers)


@cache
def _page() -> _Page:
    script, style, words = "\n".join(map(_read, _SCRIPTS)), _read("style.css"), json.loads(_read("words.json"))
    page = _filled(_read("page.html"), {"style": style, "script": script, "words": _data(words)})
    start, _, rest = page.partition("{{place}}")
    middle, _, end = rest.partition("{{content}}")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash(script)}",
            f"style-src {_hash(style)}",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
    return _Page(parts=(start, middle, end), policy=policy, words=words)


def _filled(page: str, parts: Mapping[str, str]) -> str:
    for name, part in parts.items():
        page = page.replace(f"{{{{{name}}}}}", part)
    return page


def _data(content: Any) -> str:  # noqa: ANN401 - JSON
    # A data block ends at the first `</script`, whatever is around it.
    return json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")


def _hash(part: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
