"""The HTTP API of a deployment at its address."""

from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from urllib3.util import parse_url

from functions.cli.command import Access
from functions.http_session import NO_RETRY, CallLimits, HttpAnswer, HttpSession, NoAnswerError
from shared.errors import UnavailableError
from shared.http.messages import Request, Response, problem
from shared.json_text import parse_json

# As much of an answer that is not the API's own as a message shows.
_SHOWN = 200
_STATUSES = frozenset(status.value for status in HTTPStatus)


class Remote:
    """Sends requests to the API at *url*, authenticated as the user."""

    def __init__(self, url: str, access: Access) -> None:
        """Connect on the first request."""
        self._url, self._access = url.rstrip("/"), access
        # A retry of its own could carry out an action twice.
        self._session = HttpSession(NO_RETRY, limits=CallLimits(read_timeout=30))

    def respond(self, request: Request) -> Response:
        """Return the deployment's answer to *request*; anything but JSON becomes a problem document.

        Raises:
            AccessError: there are no credentials, or they have expired.
            UnavailableError: there is no answer.

        """
        query = f"?{urlencode(request.query)}" if request.query else ""
        # In the form in which it is sent: a signature covers the address.
        url = str(parse_url(f"{self._url}{request.path}{query}"))
        headers = self._access.headers(request.method, url, request.headers, request.body)
        try:
            answer = self._session.request(request.method, url, headers, request.body or None)
        except NoAnswerError as error:
            host = urlsplit(self._url).netloc
            raise UnavailableError(f"The deployment at {host}", "be reached", str(error)) from error
        return _read(answer)


def _read(answer: HttpAnswer) -> Response:
    text = answer.data.decode("utf-8", "replace")
    try:
        content = parse_json(text)
    except ValueError:
        content = None
    if isinstance(content, dict) and (answer.is_success or "detail" in content):
        return Response(status=answer.status, body=text, headers=answer.headers)
    if not answer.is_success and answer.status < HTTPStatus.BAD_REQUEST:
        detail = "the address wants a browser to sign in; name its application with --audience"
        return problem(HTTPStatus.BAD_GATEWAY, detail)
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        detail = f"the platform refuses your credentials ({answer.status}); sign in as a user who may call it"
        return problem(HTTPStatus(answer.status), detail)
    # A proxy in front of a deployment may answer with a page of its own, or a status without a name, such as 520.
    status = (
        HTTPStatus(answer.status) if answer.status in _STATUSES and not answer.is_success else HTTPStatus.BAD_GATEWAY
    )
    return problem(status, f"the address answers {answer.status} in a form that is not the API's: {text[:_SHOWN]!r}")
