"""The HTTP API on this machine, as a WSGI application."""

import gzip
from collections.abc import Collection, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from shared.api import respond
from shared.errors import UnavailableError
from shared.http.messages import MAX_BODY, Request, Response, problem, read_query
from shared.http.origin import host_name, is_loopback
from shared.http.parts import EmitterParts

if TYPE_CHECKING:
    from functions.local.listener import Application, Listener, StartResponse
    from functions.local.metrics import Metrics

METRICS_PATH: Final = "/metrics"
# Bytes up to which compressing costs more than it saves, and how hard to try.
_SMALL: Final = 1024
_LEVEL: Final = 5


def application(
    emitter: EmitterParts, allowed_hosts: Collection[str] = (), metrics: "Metrics | None" = None
) -> "Application":
    """Return the WSGI application over *emitter*.

    It answers only requests whose `Host` is a loopback name or one of *allowed_hosts*: a page of a foreign site could
    otherwise reach it under a name of its own that leads here (DNS rebinding).
    """
    allowed = {name.lower() for name in allowed_hosts}

    def answer(environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        response = _respond(emitter, read_request(environ), allowed, metrics)
        return [answered(response, environ, start_response)]

    return answer


def answered(response: Response, environ: Mapping[str, Any], start_response: "StartResponse") -> bytes:
    """Start *response*, and return its body, compressed if that is worth it and the client accepts it."""
    body, headers = response.body.encode(), {**response.headers, "vary": "accept-encoding"}
    if len(body) > _SMALL and "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
        body, headers["content-encoding"] = gzip.compress(body, _LEVEL, mtime=0), "gzip"
    start_response(_status_line(response), [*headers.items(), ("content-length", str(len(body)))])
    return body


def read_request(environ: Mapping[str, Any]) -> Request:
    """Read a request in the format of WSGI (PEP 3333).

    One byte more than the limit is read of a body, so that the core can report that it is too long.
    """
    # WSGI decodes the path as Latin-1; waitress keeps the raw one beside it.
    raw = str(environ.get("REQUEST_URI") or environ["PATH_INFO"]).partition("?")[0]
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    return Request(
        method=environ["REQUEST_METHOD"],
        path=raw,
        query=read_query(environ.get("QUERY_STRING", "")),
        headers={**headers, "content-type": environ.get("CONTENT_TYPE", "")},
        body=environ["wsgi.input"].read(MAX_BODY + 1),
        caller="this machine",
    )


def serve(emitter: EmitterParts, host: str, port: int, allowed_hosts: Collection[str] = ()) -> "Listener":
    """Return a server that listens on *host* and *port* (0: any free one) and answers while its `run` runs.

    Args:
        emitter: the parts for emitting triggers.
        host: the address or name to listen on; requests may name it as their `Host`.
        port: the port; 0 takes any free one.
        allowed_hosts: other names that requests may name as their `Host`.

    Raises:
        ListenError: the port is in use, or the address is not one of this machine.

    """
    from functions.local.listener import Listener

    return Listener(application(emitter, {host, *allowed_hosts}), host, port)


def _respond(
    emitter: EmitterParts, request: Request, allowed_hosts: Collection[str], metrics: "Metrics | None"
) -> Response:
    host = request.headers.get("host", "")
    name = host_name(host)
    if not is_loopback(name) and name not in allowed_hosts:
        detail = f"the Host {host[:200]!r} is not a name of this server; start it with --allow-host to permit a name"
        return problem(HTTPStatus.FORBIDDEN, detail)
    if metrics is not None and request.path == METRICS_PATH and request.method in ("GET", "HEAD"):
        return _measured(emitter, metrics)
    # This server speaks http under every name.
    return respond(emitter, request, own_origins={f"http://{host}"})


def _measured(emitter: EmitterParts, metrics: "Metrics") -> Response:
    from functions.local.metrics import CONTENT_TYPE

    try:
        text = metrics.text(emitter)
    except UnavailableError as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), {"retry-after": "5"})
    return Response(status=HTTPStatus.OK, body=text, headers={"content-type": CONTENT_TYPE})


def _status_line(response: Response) -> str:
    try:
        return f"{int(response.status)} {HTTPStatus(response.status).phrase}"
    except ValueError:
        # `retrain console` passes on what a deployment answers, also a status without a name.
        return f"{response.status} Unknown"
