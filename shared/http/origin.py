"""Protection against other web sites: their pages cannot change anything through a visitor's browser.

A browser sends `Origin` with every request that is not a plain GET or HEAD, and a page cannot forge it.
"""

import re
from collections.abc import Collection
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from shared.http.messages import HttpError, Request

# Methods that change nothing.
_SAFE: Final = frozenset({"GET", "HEAD"})
_PORTS: Final = {"http": 80, "https": 443}
_HOST: Final = re.compile(r"(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")

Origin = tuple[str, str, int]
"""Scheme, host and port (RFC 6454)."""


def check_origin(request: Request, own_origins: Collection[str] = ()) -> None:
    """Refuse *request* if a page of another site sent it.

    Args:
        request: the request.
        own_origins: the origins of the API besides the request's `Host` with https (http on loopback), such as that of
            the console: `https://retrain.example`.

    Raises:
        HttpError: 403, the request has a foreign `Origin`.

    """
    origin = request.headers.get("origin")
    if request.method in _SAFE or origin is None:
        return
    host = request.headers.get("host", "")
    scheme = "http" if is_loopback(host_name(host)) else "https"
    own = {_parsed(f"{scheme}://{host}"), *map(_parsed, own_origins)} - {None}
    if _parsed(origin) not in own:
        detail = f"the Origin {origin[:200]!r} is not this API's own; a page of another site may not use it"
        raise HttpError(HTTPStatus.FORBIDDEN, detail)


def check_content_type(request: Request, *, cookies: bool = False) -> None:
    """Refuse a POST of a browser whose body a foreign page can send without the browser's consent check (CORS).

    Args:
        request: the request.
        cookies: whether the platform authenticates callers by cookies, which browsers add to the requests of any page.

    Raises:
        HttpError: 415, on loopback or behind cookies a POST has `Origin` or `Sec-Fetch-Site` and is not declared as
            `application/json`.

    """
    headers = request.headers
    is_exposed = cookies or is_loopback(host_name(headers.get("host", "")))
    if request.method != "POST" or not is_exposed or not ({"origin", "sec-fetch-site"} & headers.keys()):
        return
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        detail = "the Content-Type of a POST from a browser must be application/json"
        raise HttpError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


def host_name(host: str) -> str:
    """Return the name or address in a `Host` header, in small letters and without port; empty if it is not valid."""
    parts = _HOST.fullmatch(host)
    return (parts["address"] or parts["name"]).lower() if parts else ""


def is_loopback(name: str) -> bool:
    """Whether *name* is a loopback name or address, which no other machine can have."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _parsed(origin: str) -> Origin | None:
    """Return the parts of *origin*; none for `null` and anything else that is not an origin."""
    scheme, separator, host = origin.partition("://")
    parts, scheme = _HOST.fullmatch(host), scheme.lower()
    if not separator or parts is None or scheme not in _PORTS:
        return None
    return scheme, host_name(host), int(parts["port"] or _PORTS[scheme])
