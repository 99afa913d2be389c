"""Our own REST client: what it sends, what it takes for an error, and how it replaces a refused token."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from emulators.arm import ArmStandIn, Component, FaultKind, Identity
from emulators.loopback import Answer, LoopbackServer, Request, json_answer
from functions.azure.clients import Clients, rest_client
from functions.azure.credentials import Access
from functions.azure.failures import AnswerError, CredentialsError, failure_of
from functions.azure.launcher import AzureMlLauncher
from functions.azure.tokens import Bearer, Token, TokenCredential, demanded_claims, kept
from functions.http_session import CallLimits, NoAnswerError
from tests.azure.adapters import COMPONENT, IMPATIENT, ONCE, TARGET
from tests.contracts.adapters import request

AUDIENCE = "https://management.azure.com"
CHALLENGE = 'Bearer authorization_uri="https://x/", error="insufficient_claims", claims="eyJhIjogIj8_In0="'


@dataclass(kw_only=True, eq=False)
class Login:
    """A credential as azure-identity's, which does not keep its tokens."""

    tokens: list[str]
    demands: list[object] = field(default_factory=list)
    closed: bool = False

    def get_token(self, *scopes: str, **options: object) -> Token:
        """Return the next token."""
        assert scopes == (f"{AUDIENCE}/.default",)
        self.demands.append(options.get("claims"))
        return Token(self.tokens.pop(0), 2**33)

    def close(self) -> None:
        """Remember it."""
        self.closed = True


def refusing(challenge: str, *good: str) -> tuple[Callable[[Request], Answer], list[str]]:
    """Return a service that takes only the tokens *good*, and the headers that it gets."""
    asked: list[str] = []

    def respond(request: Request) -> Answer:
        asked.append(request.headers["authorization"].removeprefix("Bearer "))
        refused = Answer(status=401, body=b'{"error": {"code": "x"}}', headers={"WWW-Authenticate": challenge})
        return json_answer(200, {}) if asked[-1] in good else refused

    return respond, asked


@pytest.mark.parametrize(
    ("tokens", "challenge", "sent", "demands"),
    [
        (["old", "new"], "Bearer", ["old", "new"], [None, None]),
        (["old", "new"], CHALLENGE, ["old", "new"], [None, '{"a": "??"}']),
        (["old", "old"], "Bearer", ["old"], [None, None]),
        (["old", "worse"], "Bearer", ["old", "worse"], [None, None]),
    ],
    ids=["renewed", "claims", "the same", "refused again"],
)
def test_a_refused_token_is_replaced_once(
    tokens: list[str], challenge: str, sent: list[str], demands: list[object]
) -> None:
    """The request is sent again only with another token, with the claims that the service demands, and only once."""
    respond, asked = refusing(challenge, "new")
    login = Login(tokens=tokens)
    with LoopbackServer(respond) as server:
        client = rest_client(CallLimits(), Bearer(kept(login), AUDIENCE))
        if "new" in sent:
            assert client.request("GET", server.url) == client.request("GET", server.url) == {}
            sent = [*sent, "new"]
        else:
            with pytest.raises(AnswerError, match=r"^x$"):
                client.request("GET", server.url)
        client.close()
    assert (asked, login.demands) == (sent, demands)


def test_an_expired_token_of_the_identity_is_no_outage() -> None:
    """Resource Manager refuses a token that was revoked: the same call succeeds with a new one."""
    with Identity() as identity, ArmStandIn(components={COMPONENT: Component()}, identity=identity) as arm:
        from functions.azure.tokens import managed_identity

        variables = identity.variables
        tokens = managed_identity(variables["IDENTITY_ENDPOINT"], variables["IDENTITY_HEADER"])
        client = rest_client(IMPATIENT.of_session, Bearer(tokens, AUDIENCE))
        arm.add_fault(FaultKind.UNAUTHORIZED)
        AzureMlLauncher(lambda: client, TARGET, arm.url, persistence=ONCE).start(request(), again=False)
        assert len(arm.jobs()) == 1
        client.close()
    assert identity.requested == [AUDIENCE] * 2


def test_the_tokens_of_a_login_are_kept_and_its_connections_closed() -> None:
    """azure-identity starts a program for each token of a login at the command line."""
    login = Login(tokens=["one", "two"])
    tokens = kept(login)
    assert kept(tokens) is tokens
    assert {tokens.get_token(f"{AUDIENCE}/.default").token for _ in range(3)} == {"one"}
    tokens.close()
    assert login.closed


@pytest.mark.parametrize("challenge", ["", "Bearer", 'Bearer claims=""', 'Bearer claims="!"', 'Bearer claims="_w"'])
def test_a_challenge_without_readable_claims_demands_none(challenge: str) -> None:
    """Whatever a service writes there, only claims that can be decoded are requested."""
    assert demanded_claims(challenge) is None


@pytest.mark.parametrize(
    ("answer", "reported"),
    [
        (Answer(status=301, headers={"Location": "http://127.0.0.1:1/"}), "HTTP 301"),
        (Answer(status=404, body=b"<html>"), "HTTP 404"),
        (
            json_answer(403, {"error": {"code": "AuthorizationFailed", "message": "No.\nMore"}}),
            "AuthorizationFailed: No.",
        ),
        (Answer(status=200, body=b"<html>"), "HTTP 200: the answer is not JSON"),
        (Answer(status=200, body=b"[" * 200_000), "HTTP 200: the answer is not JSON"),
        (Answer(status=200, body=b"\xff"), "HTTP 200: the answer is not JSON"),
    ],
)
def test_whatever_is_not_a_success_is_an_error(answer: Answer, reported: str) -> None:
    """Errors, redirects and answers that are not JSON: the error says which, in one line."""
    client = rest_client(CallLimits())
    with LoopbackServer(lambda _: answer) as server, pytest.raises(AnswerError) as raised:
        client.request("GET", server.url)
    client.close()
    assert str(raised.value) == str(failure_of(raised.value)) == reported


def test_an_answer_without_end_is_given_up() -> None:
    """A body of more than the limit is not read to its end, and not kept."""
    client = rest_client(CallLimits(answer_size=1000))
    with LoopbackServer(lambda _: Answer(status=200, body=b" " * 2000)) as server:
        with pytest.raises(NoAnswerError, match="larger than 1000 bytes") as raised:
            client.request("GET", server.url)
        client.close()
    failure = failure_of(raised.value)
    assert failure is not None
    assert failure.busy


def test_without_a_token_nothing_is_sent() -> None:
    """The error of the credential comes out, and is a failure of Azure that no other attempt repairs."""

    def fail(_scope: str, _claims: str | None) -> Token:
        raise CredentialsError("the identity gives no token")

    asked: list[Request] = []
    client = rest_client(CallLimits(), Bearer(TokenCredential(fail, lambda: None), AUDIENCE))
    with LoopbackServer(asked.append) as server, pytest.raises(CredentialsError) as raised:
        client.request("GET", server.url)
    failure = failure_of(raised.value)
    assert failure is not None
    assert (str(failure), failure.busy, asked) == ("CredentialsError: the identity gives no token", False, [])


def test_clients_of_one_audience_share_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second address with the same audience costs no request for a token."""
    with Identity() as identity, ArmStandIn(components={}, identity=identity) as arm:
        for name, value in identity.variables.items():
            monkeypatch.setenv(name, value)
        clients = Clients(Access(managed_identity=True), IMPATIENT)
        for url in (arm.url, f"{arm.url}/other"):
            with pytest.raises(AnswerError):
                clients.resource_manager(url)().request("GET", f"{url}/nothing")
        clients.close()
    assert identity.requested == [AUDIENCE]
