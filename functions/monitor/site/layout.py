"""Where everything stands on the site."""

import hashlib
import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

INDEX: Final = "index.html"
ERROR: Final = "error.html"
REPORT: Final = "report.html"
DOCUMENT: Final = "drift.json"
LATEST: Final = "latest"
MODELS: Final = "models"

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9._-]+")
_STAMP: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{6}Z")


def model_folder(model_id: str) -> str:
    """Return the folder of a model: its id where that is a plain name, else what is plain of it and a hash."""
    if _PLAIN.fullmatch(model_id):
        return f"{MODELS}/{model_id}"
    digest = hashlib.sha256(model_id.encode()).hexdigest()[:12]
    return f"{MODELS}/{_NOT_PLAIN.sub('-', model_id).strip('-.')[:60] or 'model'}-{digest}"


def stamp(at: datetime) -> str:
    """Return the name of the folder of the check made for *at*; names sort by time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")


def is_stamp(name: str) -> bool:
    """Whether *name* is the name of such a folder."""
    return bool(_STAMP.fullmatch(name))


def joined(address: str, *parts: str) -> str:
    """Return the address of what is below *address*."""
    return "/".join([address.rstrip("/"), *parts])


def public(url: str, site: str, path: str) -> str:
    """Return where people read the page at *path*: below the site's *url*, or its place in the storage without one."""
    return joined(url, quote(path)) if url else joined(site, path)
