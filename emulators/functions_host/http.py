"""How an HTTP request reaches an HTTP function, and its answer the caller."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from emulators.loopback import Answer, Request

_SLASH: Final = re.compile("%2f", re.IGNORECASE)
_PLACE: Final = re.compile(r"\\\{(\\\*)?(\w+)\\\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as the host has read it.

    Attributes:
        method: in capitals.
        path: decoded, as the routes see it; a slash that was encoded still is.
        query_string: as it came.
        query: decoded; values of one name are joined by commas, those that are empty are left out.
        headers: by name in small letters.
        body: the bytes.

    """

    method: str
    path: str
    query_string: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def payload(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Return what the worker is told.

        Args:
            params: the parts of the route.

        """
        path = "%2F".join(quote(part, safe="/:@!$&'()*+,;=~-._") for part in self.path.split("%2F"))
        host = self.headers.get("host", "localhost")
        return {
            "method": self.method,
            "url": f"https://{host}{path}{'?' if self.query_string else ''}{self.query_string}",
            "headers": dict(self.headers),
            "query": dict(self.query),
            "params": dict(params),
            "body": base64.b64encode(self.body).decode(),
        }


def read_call(request: Request) -> Call:
    """Read a request as ASP.NET Core does."""
    address = urlsplit(request.path)
    query: dict[str, str] = {}
    for name, value in parse_qsl(address.query):
        query[name] = f"{query[name]},{value}" if name in query else value
    return Call(
        method=request.method,
        path="%2F".join(unquote(part) for part in _SLASH.split(address.path)),
        query_string=address.query,
        query=query,
        headers=dict(request.headers),
        body=request.body,
    )


def route_params(binding: Mapping[str, Any], call: Call, prefix: str) -> dict[str, str] | None:
    """Return the parts of a route that a call matches; none where it does not match.

    Args:
        binding: that of an HTTP trigger.
        call: the call.
        prefix: what stands in front of every route.

    """
    methods = [str(method).upper() for method in binding.get("methods") or ()]
    if methods and call.method not in methods:
        return None
    template = "/".join(part for part in (prefix.strip("/"), str(binding.get("route", "")).strip("/")) if part)
    pattern = _PLACE.sub(lambda place: f"(?P<{place[2]}>{'.*' if place[1] else '[^/]+'})", re.escape(template))
    matched = re.fullmatch(pattern, call.path.strip("/"))
    return matched.groupdict() if matched else None


def routed(functions: Mapping[str, Any], call: Call, prefix: str) -> tuple[str, str, dict[str, str]] | None:
    """Return the function that a call is for, its level of authorization, and the parts of its route.

    Args:
        functions: by name, each with its bindings, the trigger first.
        call: the call.
        prefix: what stands in front of every route.

    """
    triggers = {name: function["bindings"][0] for name, function in functions.items()}
    # A route that takes everything is asked last.
    for name, binding in sorted(triggers.items(), key=lambda each: "{*" in str(each[1].get("route"))):
        params = route_params(binding, call, prefix) if binding["type"] == "httpTrigger" else None
        if params is not None:
            return name, str(binding.get("authLevel")).upper(), params
    return None


def http_answer(value: Mapping[str, Any]) -> Answer:
    """Return a function's answer."""
    return Answer(status=value["status"], body=base64.b64decode(value["body"]), headers=value["headers"])
