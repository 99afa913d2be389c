"""The managed identity of a function app: its tokens, without azure-identity."""

import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core.exceptions import ClientAuthenticationError

from emulators.loopback import Answer, LoopbackServer, Request, json_answer
from functions.azure.credentials import Access, make_identity
from functions.azure.managed_identity import EARLY, ManagedIdentity
from shared.errors import ConfigError
from tests.contracts.bundles import built_bundle

SCOPE = "https://management.azure.com/.default"


class Endpoint:
    """An identity endpoint that counts what it gives."""

    def __init__(self, *answers: Answer) -> None:
        """Give *answers* first, then tokens that live for an hour of the clock, which begins at 0."""
        self.answers = list(answers)
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Answer:
        """Answer a request."""
        self.requests.append(request)
        if self.answers:
            return self.answers.pop(0)
        return json_answer(200, {"access_token": f"token-{len(self.requests)}", "expires_on": "3600"})


def test_a_token_is_requested_once_for_each_audience() -> None:
    """A token is kept until five minutes before it expires, and another audience gets a token of its own."""
    endpoint, now = Endpoint(), [0.0]
    with LoopbackServer(endpoint) as server:
        identity = ManagedIdentity(f"{server.url}/msi/token", "hunter2", "an-identity", clock=lambda: now[0])
        assert [identity.get_token(SCOPE).token for _ in range(2)] == ["token-1", "token-1"]
        assert identity.get_token("https://storage.azure.com/.default").token == "token-2"
        now[0] = 3600.0 - EARLY
        assert identity.get_token(SCOPE).token == "token-3"
        assert identity.get_token(SCOPE, claims="{}").token == "token-4"
        identity.close()
    first = endpoint.requests[0]
    assert parse_qs(urlsplit(first.path).query) == {
        "api-version": ["2019-08-01"],
        "resource": ["https://management.azure.com"],
        "client_id": ["an-identity"],
    }
    assert first.headers["x-identity-header"] == "hunter2"


def test_an_endpoint_that_starts_gets_another_request() -> None:
    """A response that shows that the endpoint is not ready yet is followed by another request."""
    endpoint = Endpoint(Answer(status=503))
    with LoopbackServer(endpoint) as server:
        assert ManagedIdentity(server.url, "hunter2").get_token(SCOPE).token == "token-2"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (json_answer(400, {"message": "No identity is assigned"}), "400 No identity is assigned"),
        (Answer(status=200, body=b"<html>"), "200, no token in it"),
        (json_answer(200, {"access_token": "t"}), "200, no token in it"),
    ],
)
def test_no_token_is_an_error_with_the_reason(answer: Answer, reason: str) -> None:
    """The error has the status and the message of the endpoint, and never the secret."""
    with LoopbackServer(Endpoint(answer)) as server:
        identity = ManagedIdentity(server.url, "hunter2")
        with pytest.raises(ClientAuthenticationError) as raised:
            identity.get_token(SCOPE)
    assert str(raised.value) == f"the managed identity gives no token for https://management.azure.com: {reason}"


def test_an_endpoint_that_is_away_is_an_error() -> None:
    """Nothing listens at port 1: the kind of the failure is named."""
    with pytest.raises(ClientAuthenticationError, match=r"gives no token .*: ConnectionRefusedError"):
        ManagedIdentity("http://127.0.0.1:1", "hunter2").get_token(SCOPE)


def test_another_kind_of_identity_is_left_to_azure_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the header of App Service, as on a machine of Azure Arc, azure-identity is used."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.delenv("IDENTITY_HEADER", raising=False)
    identity = make_identity(Access(managed_identity=True))
    assert type(identity).__module__.startswith("azure.identity")
    identity.close()


def test_a_bundle_without_an_identity_says_what_to_do() -> None:
    """azure-identity is not in the bundle, so an app without an identity and keys gets an error that names the cure."""
    program = (
        "import sys; sys.path[:0] = ['.', '.python_packages/lib/site-packages']\n"
        "from functions.azure.credentials import Access, make_identity\n"
        f"from shared.errors import {ConfigError.__name__}\n"
        "try: make_identity(Access())\n"
        "except ConfigError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        cwd=built_bundle("azure"),
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "assign a managed identity to the function app" in done.stdout
