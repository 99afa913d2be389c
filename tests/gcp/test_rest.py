"""Calls over REST are retried where that may help, given up in time, and never redirected."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from emulators.loopback import Answer
from functions.gcp.errors import AnswerError
from functions.gcp.sessions import Session
from functions.http_session import HttpAnswer, NoAnswerError
from shared.backoff import Backoff
from tests.gcp.conftest import Serving
from tests.gcp.services import IMPATIENT, Waiting, refused, said, session_of

GONE = Answer(status=404, body=b"<html>404. That's an error.</html>", headers={"Content-Type": "text/html"})


class Numbered:
    """Credentials with a number that counts renewals."""

    def __init__(self) -> None:
        """Begin with the first token."""
        self._number = 1

    def headers(self) -> Mapping[str, str]:
        """Return the present token."""
        return {"authorization": f"Bearer token-{self._number}"}

    def renew(self, refusal: HttpAnswer) -> bool:  # noqa: ARG002 - the protocol
        """Take the next token."""
        self._number += 1
        return True


@pytest.fixture
def identified(pauses: list[float]) -> Iterator[Session]:
    """Return a session with credentials."""
    session = session_of(pauses, Numbered())
    yield session
    session.close()


def test_json_goes_out_and_comes_in(session: Session, serving: Serving) -> None:
    """Method, query, body and headers are what the service expects, and its JSON is the result."""
    url, service = serving(said({"a": [1, None]}))
    assert session.post(f"{url}/v1/x", {"ü": 1}, {"id": "a b&c"}) == {"a": [1, None]}
    assert session.get(f"{url}/v1/y") == {"a": [1, None]}
    assert service.calls == ["POST /v1/x?id=a+b%26c", "GET /v1/y"]
    assert service.content(0) == {"ü": 1}
    assert service.requests[0].headers["content-type"] == "application/json"
    assert "authorization" not in service.requests[0].headers


def test_an_empty_answer_is_an_empty_object(session: Session, serving: Serving) -> None:
    """Some methods answer 200 without a body."""
    url, _ = serving(Answer(status=200))
    assert session.get(url) == {}


def test_credentials_are_shown(identified: Session, serving: Serving) -> None:
    """The headers of the credentials are sent with every call."""
    url, service = serving(said({}))
    identified.get(url)
    assert service.requests[0].headers["authorization"] == "Bearer token-1"


def test_a_refused_token_is_renewed_once(identified: Session, serving: Serving) -> None:
    """A revoked token costs one more call, and so do credentials that are never accepted."""
    unauthenticated = refused(401, "UNAUTHENTICATED")
    url, service = serving(unauthenticated, said({"ok": 1}))
    assert identified.get(url) == {"ok": 1}
    assert [each.headers["authorization"] for each in service.requests] == ["Bearer token-1", "Bearer token-2"]
    url, service = serving(unauthenticated)
    with pytest.raises(AnswerError, match=r"^UNAUTHENTICATED: no$"):
        identified.get(url)
    assert len(service.requests) == 2


def test_a_401_without_credentials_is_final(session: Session, serving: Serving) -> None:
    """Without credentials there is nothing to renew."""
    url, service = serving(refused(401, "UNAUTHENTICATED"))
    with pytest.raises(AnswerError):
        session.get(url)
    assert len(service.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_transient_errors_are_retried(session: Session, serving: Serving, pauses: list[float], status: int) -> None:
    """A busy or failing service is called again, after growing pauses."""
    url, service = serving(refused(status, "X"), None, said({"ok": 1}))
    assert session.post(url, {}) == {"ok": 1}
    assert len(service.requests) == 3
    assert pauses == [0.1, 0.2]


def test_the_last_answer_is_the_one_that_counts(session: Session, serving: Serving, pauses: list[float]) -> None:
    """After three attempts the service's own error is raised."""
    url, service = serving(None, refused(429, "RESOURCE_EXHAUSTED", "Quota exceeded"))
    with pytest.raises(AnswerError, match=r"^RESOURCE_EXHAUSTED: Quota exceeded$") as raised:
        session.get(url)
    assert (raised.value.status, len(service.requests), len(pauses)) == (429, 3, 2)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412])
def test_a_definite_answer_is_not_retried(session: Session, serving: Serving, status: int) -> None:
    """The service would return a definite answer again."""
    url, service = serving(refused(status, "CODE", "why\nand more"))
    with pytest.raises(AnswerError, match=r"^CODE: why$") as raised:
        session.get(url)
    assert (raised.value.status, raised.value.code, raised.value.message) == (status, "CODE", "why")
    assert len(service.requests) == 1


def test_a_silent_service_is_given_up(session: Session, serving: Serving, waiting: Waiting) -> None:
    """No call outlasts its attempts, each of which has its time."""
    url, service = serving(waiting)
    with pytest.raises(NoAnswerError, match=r"^TimeoutError$"):
        session.get(url)
    assert len(service.requests) == 3


def test_a_service_that_is_not_there_is_given_up(session: Session, serving: Serving, pauses: list[float]) -> None:
    """A closed port, and a connection that is always cut, are errors of the connection."""
    with pytest.raises(NoAnswerError, match=r"^ConnectionRefusedError$"):
        session.get("http://127.0.0.1:1")
    url, service = serving(None)
    with pytest.raises(NoAnswerError, match=r"^RemoteDisconnected$"):
        session.get(url)
    assert (len(service.requests), len(pauses)) == (3, 4)


def test_one_attempt_is_possible(serving: Serving) -> None:
    """A session can be limited to one attempt."""
    session = Session(limits=IMPATIENT, backoff=Backoff(attempts=1))
    url, service = serving(refused(503, "UNAVAILABLE"))
    with pytest.raises(AnswerError):
        session.get(url)
    assert len(service.requests) == 1
    session.close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502</html>",
        b"{",
        b"[]",
        b"null",
        b'{"error": "text"}',
        b'{"error": {"message": "x"}}',
        b'{"error": null}',
        b"[" * 99_999,
    ],
)
def test_an_error_that_is_none_of_googles_has_no_code_to_judge_by(
    session: Session, serving: Serving, body: bytes
) -> None:
    """A proxy's 404 must not look like a missing document or a job that is gone."""
    url, _ = serving(Answer(status=404, body=body))
    with pytest.raises(AnswerError, match=r"^HTTP 404$"):
        session.get(url)


@pytest.mark.parametrize("body", [b"<html>", b"{", b"\xff", b"[" * 99_999])
def test_an_answer_that_is_not_json_is_an_error(session: Session, serving: Serving, body: bytes) -> None:
    """The page of a login or of a proxy is an error, whatever its status; its content is not shown."""
    url, _ = serving(Answer(status=200, body=body, headers={"Content-Type": "text/html"}))
    with pytest.raises(AnswerError, match=r"^not JSON: text/html$"):
        session.get(url)


def test_no_redirect_is_followed(identified: Session, serving: Serving) -> None:
    """A token is sent to the called service only, and not to a host that an answer names."""
    elsewhere, other = serving(said({}))
    url, _ = serving(Answer(status=302, headers={"Location": elsewhere}))
    with pytest.raises(AnswerError, match=r"^HTTP 302$"):
        identified.get(url)
    assert other.requests == []


def test_threads_share_a_session(session: Session, serving: Serving) -> None:
    """Many simultaneous calls all get their own answer."""
    url, _ = serving(said({"ok": 1}))
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: session.post(url, {"n": number}), range(64)))
    assert answers == [{"ok": 1}] * 64


def test_a_closed_session_opens_again(session: Session, serving: Serving) -> None:
    """Closing only ends the connections."""
    url, _ = serving(said(json.loads("{}")))
    session.get(url)
    session.close()
    assert session.get(url) == {}
