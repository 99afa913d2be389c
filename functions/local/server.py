"""The HTTP API on this machine, as a WSGI application."""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl

from shared.http.messages import MAX_BODY, Request, Response
from shared.http.routes import respond
from shared.parts import EmitterParts

THREADS: Final = 8

StartResponse = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def application(emitter: EmitterParts) -> Application:
    """Return the WSGI application over *emitter*."""

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        response = respond(emitter, read_request(environ))
        body = response.body.encode()
        start_response(_status_line(response), [*response.headers.items(), ("content-length", str(len(body)))])
        return [body]

    return answer


def read_request(environ: Mapping[str, Any]) -> Request:
    """Read a request as WSGI (PEP 3333) gives it.

    One byte more than is taken is read of a body, so that the core can say that it is too long.
    """
    # WSGI has decoded the path already, as Latin-1; waitress keeps the raw one beside it.
    raw = str(environ.get("REQUEST_URI") or environ["PATH_INFO"]).partition("?")[0]
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    return Request(
        method=environ["REQUEST_METHOD"],
        path=raw,
        query=dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)),
        headers={**headers, "content-type": environ.get("CONTENT_TYPE", "")},
        body=environ["wsgi.input"].read(MAX_BODY + 1),
        caller="this machine",
    )


def serve(emitter: EmitterParts, host: str, port: int) -> Any:  # noqa: ANN401 - waitress has no types
    """Return a server that listens on *host* and *port* (0: any free one) and answers once it is run.

    Raises:
        OSError: the address is in use, or not ours.

    """
    from waitress import create_server

    return create_server(application(emitter), host=host, port=port, threads=THREADS, ident="retrain")


def _status_line(response: Response) -> str:
    return f"{int(response.status)} {HTTPStatus(response.status).phrase}"
