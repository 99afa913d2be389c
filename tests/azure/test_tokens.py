"""Tokens of the managed identity and of a service principal, without azure-identity."""

import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest

from emulators.loopback import Answer, LoopbackServer, Request, json_answer
from functions.azure.credentials import Access, make_identity
from functions.azure.failures import CredentialsError
from functions.azure.tokens import EARLY, managed_identity, service_principal
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
        identity = managed_identity(f"{server.url}/msi/token", "hunter2", "an-identity", clock=lambda: now[0])
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
        assert managed_identity(server.url, "hunter2").get_token(SCOPE).token == "token-2"


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
        identity = managed_identity(server.url, "hunter2")
        with pytest.raises(CredentialsError) as raised:
            identity.get_token(SCOPE)
    assert str(raised.value) == f"the managed identity gives no token for https://management.azure.com: {reason}"


def test_an_endpoint_that_is_away_is_an_error() -> None:
    """Nothing listens at port 1: the kind of the failure is named."""
    with pytest.raises(CredentialsError, match=r"gives no token .*: ConnectionRefusedError"):
        managed_identity("http://127.0.0.1:1", "hunter2").get_token(SCOPE)


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


def test_a_service_principal_of_the_environment_gets_its_tokens() -> None:
    """The client credentials flow, with the lifetime that the answer names; no secret is in a message."""
    endpoint = Endpoint(json_answer(200, {"access_token": "first", "expires_in": 3600}))
    endpoint.answers.append(json_answer(401, {"error": "invalid_client", "error_description": "hunter2"}))
    with LoopbackServer(endpoint) as server:
        variables = {"AZURE_TENANT_ID": "acme", "AZURE_CLIENT_ID": "app", "AZURE_CLIENT_SECRET": "hunter2"}
        principal = service_principal(variables | {"AZURE_AUTHORITY_HOST": server.url}, clock=lambda: 0.0)
        assert principal is not None
        token = principal.get_token(SCOPE)
        assert (token.token, token.expires_on) == ("first", 3600)
        with pytest.raises(CredentialsError) as caught:
            principal.get_token(SCOPE, claims="{}")
        principal.close()
    assert "401 invalid_client" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    request = endpoint.requests[0]
    assert (request.method, request.path) == ("POST", "/acme/oauth2/v2.0/token")
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["app"],
        "client_secret": ["hunter2"],
        "scope": [SCOPE],
    }


@pytest.mark.parametrize("missing", ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"])
def test_a_service_principal_needs_all_three_variables(missing: str) -> None:
    """Without one of them the environment names no service principal."""
    variables = {"AZURE_TENANT_ID": "acme", "AZURE_CLIENT_ID": "app", "AZURE_CLIENT_SECRET": "hunter2"}
    del variables[missing]
    assert service_principal(variables) is None
