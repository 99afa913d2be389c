"""The proxy in front of a deployment: it serves the deployment's own console and API to this machine's user.

Other users of the machine are kept out by a random part of its address, web pages by the checks of `Host` and `Origin`.
"""

import hmac
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from urllib3.util import parse_url

from functions.cli.command import Access, AccessError
from functions.http_session import HttpAnswer, HttpSession, NoAnswerError
from functions.local.listener import Application, StartResponse
from functions.local.server import answered, read_request
from shared.http.messages import HttpError, Request, Response, problem
from shared.http.origin import check_content_type, check_origin, host_name, is_loopback

# The rest is the browser's own business, such as cookies, and `Origin`, which is checked here.
_PASSED_ON: Final = ("accept", "content-type", "idempotency-key")
_PASSED_BACK: Final = (
    *("content-type", "content-security-policy", "referrer-policy", "x-content-type-options", "cache-control"),
    *("retry-after", "allow"),
)


class Proxy:
    """Passes requests on to the API at *url*, authenticated as the user.

    Attributes:
        path: the path under which it answers, with a random part.

    """

    def __init__(self, url: str, access: Access, session: HttpSession, token: str) -> None:
        """Answer below `/TOKEN/`."""
        self._url, self._access, self._session = url.rstrip("/"), access, session
        self.path = f"/{token}/"

    def respond(self, request: Request, query: str = "") -> Response:
        """Return the deployment's answer to *request*, or a problem; *query* is the part after `?`, as it was sent."""
        if not is_loopback(host_name(request.headers.get("host", ""))):
            return problem(HTTPStatus.FORBIDDEN, "the console answers on loopback only")
        # Compared in constant time: nothing about the token can be measured.
        if not hmac.compare_digest(request.path[: len(self.path)].encode(), self.path.encode()):
            return problem(HTTPStatus.NOT_FOUND, "open the address that `retrain console` printed")
        try:
            check_origin(request)
            check_content_type(request)
        except HttpError as error:
            return problem(error.status, str(error))
        return self._pass_on(request, f"/{request.path[len(self.path) :]}" + (f"?{query}" if query else ""))

    def _pass_on(self, request: Request, path: str) -> Response:
        # In the form in which it is sent: a signature covers the address.
        url = str(parse_url(f"{self._url}{path}"))
        headers = {name: request.headers[name] for name in _PASSED_ON if request.headers.get(name)}
        try:
            signed = self._access.headers(request.method, url, headers, request.body)
            answer = self._session.request(request.method, url, signed, request.body or None)
        except AccessError as error:
            return problem(HTTPStatus.UNAUTHORIZED, str(error))
        except NoAnswerError as error:
            host = urlsplit(self._url).hostname
            return problem(HTTPStatus.BAD_GATEWAY, f"the deployment at {host} does not answer ({error})")
        return _passed_back(answer)


def application(proxy: Proxy) -> Application:
    """Return *proxy* as a WSGI application."""

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        response = proxy.respond(read_request(environ), environ.get("QUERY_STRING", ""))
        return [answered(response, environ, start_response)]

    return answer


def _passed_back(answer: HttpAnswer) -> Response:
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        detail = "the deployment wants a browser to sign in; name its application with --audience"
        return problem(HTTPStatus.BAD_GATEWAY, detail)
    headers = {name: answer.headers[name] for name in _PASSED_BACK if name in answer.headers}
    return Response(status=answer.status, body=answer.data.decode("utf-8", "replace"), headers=headers)
