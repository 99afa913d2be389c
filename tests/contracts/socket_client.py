"""Sends requests to an HTTP server of this machine over a real socket."""

import http.client
import json

from tests.contracts.messages import HttpRequest, Reply


def content_bytes(content: object) -> bytes:
    """Return the body of a request: bytes as they are, anything else as JSON; none means no body."""
    if content is None:
        return b""
    return content if isinstance(content, bytes) else json.dumps(content).encode()


def headers_of(request: HttpRequest) -> dict[str, str]:
    """Return the headers of a request, in small letters."""
    given = {name.lower(): value for name, value in request.headers.items()}
    return given if request.content is None else {"content-type": "application/json", **given}


def send_request(port: int, request: HttpRequest) -> Reply:
    """Send *request* and return the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(request.method, request.path, content_bytes(request.content), headers_of(request))
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Reply.of(answer.status, headers, answer.read().decode())
    finally:
        connection.close()
