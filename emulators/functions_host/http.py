"""Passes an HTTP request to an HTTP function, and its answer to the caller."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from emulators.loopback import Answer, Request

_PLACE: Final = re.compile(r"\\\{(\\\*)?(\w+)\\\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as the host reads it.

    Attributes:
        method: in capitals.
        path: decoded, as the routes see it, slashes too: the front ends of App Service do that.
        query_string: as it was sent.
        query: decoded; values of one name are joined by commas, empty ones are left out.
        headers: values by name in lower case.
        body: the bytes.

    """

    method: str
    path: str
    query_string: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def payload(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Return the request in the form in which the worker gets it.

        Args:
            params: the parameters of the route.

        """
        path = quote(self.path, safe="/:@!$&'()*+,;=~-._")
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
    """Read a request as App Service and ASP.NET Core do; a header has the address as it was sent."""
    address = urlsplit(request.path)
    query: dict[str, str] = {}
    for name, value in parse_qsl(address.query):
        query[name] = f"{query[name]},{value}" if name in query else value
    return Call(
        method=request.method,
        path=unquote(address.path).replace("\\", "/"),
        query_string=address.query,
        query=query,
        headers={**request.headers, "x-waws-unencoded-url": request.path},
        body=request.body,
    )


def route_params(binding: Mapping[str, Any], call: Call, prefix: str) -> dict[str, str] | None:
    """Return the parameters of a route that a call matches; None if it does not match.

    Args:
        binding: the binding of an HTTP trigger.
        call: the call.
        prefix: the prefix of every route.

    """
    methods = [str(method).upper() for method in binding.get("methods") or ()]
    if methods and call.method not in methods:
        return None
    template = "/".join(part for part in (prefix.strip("/"), str(binding.get("route", "")).strip("/")) if part)
    pattern = _PLACE.sub(lambda place: f"(?P<{place[2]}>{'.*' if place[1] else '[^/]+'})", re.escape(template))
    matched = re.fullmatch(pattern, call.path.strip("/"))
    return matched.groupdict() if matched else None


def routed(functions: Mapping[str, Any], call: Call, prefix: str) -> tuple[str, str, dict[str, str]] | None:
    """Return the function that a call is for, its level of authorization, and the parameters of its route.

    Args:
        functions: the functions by name, each with its bindings, the trigger first.
        call: the call.
        prefix: the prefix of every route.

    """
    triggers = {name: function["bindings"][0] for name, function in functions.items()}
    # A route that matches everything is tried last.
    for name, binding in sorted(triggers.items(), key=lambda each: "{*" in str(each[1].get("route"))):
        params = route_params(binding, call, prefix) if binding["type"] == "httpTrigger" else None
        if params is not None:
            return name, str(binding.get("authLevel")).upper(), params
    return None


def http_answer(value: Mapping[str, Any]) -> Answer:
    """Return a function's answer."""
    return Answer(status=value["status"], body=base64.b64decode(value["body"]), headers=value["headers"])
