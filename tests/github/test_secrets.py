"""A token is read from each cloud's own secret store, and errors never show the secret."""

import base64
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from emulators.loopback import Answer, LoopbackServer, Request
from functions.aws.clients import Clients
from functions.aws.secrets import read_secret as read_on_aws
from functions.azure.clients import Clients as AzureClients
from functions.azure.errors import Persistence
from functions.azure.secrets import audience_of
from functions.azure.secrets import read_secret as read_on_azure
from functions.gcp.secrets import read_secret as read_on_gcp
from functions.gcp.sessions import Session
from shared.backoff import Backoff
from shared.errors import UnavailableError
from tests.contracts.moto_clients import clients_of
from tests.github.given import TOKEN

NAME = "projects/acme/secrets/github/versions/latest"
ONCE = Backoff(attempts=1)


@contextmanager
def answering(status: int, body: Mapping[str, Any]) -> Iterator[tuple[str, list[Request]]]:
    """Run a service with one answer to every request; yield its URL and the requests."""
    asked: list[Request] = []

    def respond(request: Request) -> Answer:
        asked.append(request)
        return Answer(
            status=status, body=json.dumps(body).encode(), headers={"Content-Type": "application/json; charset=utf-8"}
        )

    with LoopbackServer(respond) as server:
        yield server.url, asked


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch, moto: str) -> Clients:
    """Return clients whose calls go to moto and are tried once."""
    return clients_of(moto, monkeypatch)


@pytest.fixture
def session() -> Iterator[Session]:
    """Return a session without an identity, whose calls are tried once."""
    one = Session(backoff=ONCE)
    yield one
    one.close()


@pytest.fixture
def azure() -> Iterator[AzureClients]:
    """Return clients without an identity."""
    made = AzureClients()
    yield made
    made.close()


def test_secrets_manager_gives_the_token(clients: Clients) -> None:
    """By the secret's ARN."""
    made = clients.factory("secretsmanager")().create_secret(Name=f"github-{uuid.uuid4()}", SecretString=TOKEN)
    assert read_on_aws(clients.factory("secretsmanager"), made["ARN"]) == TOKEN


def test_a_secret_of_secrets_manager_that_is_not_text_is_an_error(clients: Clients) -> None:
    """A binary secret is an error."""
    made = clients.factory("secretsmanager")().create_secret(Name=f"github-{uuid.uuid4()}", SecretBinary=b"\xff\x00")
    with pytest.raises(UnavailableError, match=r"could not give the secret .*: it is not a string"):
        read_on_aws(clients.factory("secretsmanager"), made["ARN"])


def test_a_secret_that_is_not_in_secrets_manager_is_an_operators_matter(clients: Clients) -> None:
    """The event is kept, as for missing rights and tables."""
    arn = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:gone-AbCdEf"
    with pytest.raises(UnavailableError, match=f"give the secret {arn}: ResourceNotFoundException"):
        read_on_aws(clients.factory("secretsmanager"), arn)


def test_secret_manager_gives_the_token(session: Session) -> None:
    """By the version's name; the text comes in base64."""
    body = {"name": NAME, "payload": {"data": base64.b64encode(TOKEN.encode()).decode(), "dataCrc32c": "1"}}
    with answering(200, body) as (url, asked):
        assert read_on_gcp(session, NAME, url) == TOKEN
    assert (asked[0].method, asked[0].path) == ("GET", f"/v1/{NAME}:access")


@pytest.mark.parametrize(
    "body", [{}, {"payload": {}}, {"payload": {"data": "?"}}, {"payload": {"data": "/w=="}}, {"payload": {"data": 3}}]
)
def test_a_secret_of_secret_manager_that_is_not_text_is_an_error(session: Session, body: Mapping[str, Any]) -> None:
    """Neither the message nor the cause shows its content."""
    with answering(200, body) as (url, _), pytest.raises(UnavailableError, match="it is not a string") as caught:
        read_on_gcp(session, NAME, url)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(("status", "code"), [(403, "PERMISSION_DENIED"), (404, "NOT_FOUND"), (503, "UNAVAILABLE")])
def test_a_secret_that_secret_manager_does_not_give_is_an_operators_matter(
    session: Session, status: int, code: str
) -> None:
    """Missing right, missing secret, or unavailable: the event is kept."""
    body = {"error": {"code": status, "message": "no", "status": code}}
    with answering(status, body) as (url, _), pytest.raises(UnavailableError, match=f"Secret Manager could .*{code}"):
        read_on_gcp(session, NAME, url)


def test_key_vault_gives_the_token(azure: AzureClients) -> None:
    """The secret is read by its URL: the newest version, or the named one."""
    with answering(200, {"value": TOKEN, "id": "x", "attributes": {"enabled": True}}) as (url, asked):
        for path in ("/secrets/github", "/secrets/github/", "/secrets/github/4387e9f3"):
            assert read_on_azure(azure.rest(url, audience_of(url)), f"{url}{path}") == TOKEN
    assert [request.path for request in asked] == [
        "/secrets/github?api-version=7.4",
        "/secrets/github?api-version=7.4",
        "/secrets/github/4387e9f3?api-version=7.4",
    ]


@pytest.mark.parametrize(("status", "code"), [(403, "Forbidden"), (404, "SecretNotFound"), (429, "Throttled")])
def test_a_secret_that_key_vault_does_not_give_is_an_operators_matter(
    azure: AzureClients, status: int, code: str
) -> None:
    """Missing right, missing secret, or throttled: the event is kept."""
    body = {"error": {"code": code, "message": "no"}}
    once = Persistence(backoff=ONCE)
    with answering(status, body) as (url, _), pytest.raises(UnavailableError, match=f"Key Vault could .*{code}"):
        read_on_azure(azure.rest(url, url), f"{url}/secrets/github", persistence=once)


def test_a_secret_of_key_vault_without_a_value_is_an_error(azure: AzureClients) -> None:
    """A key or a certificate is an error."""
    with answering(200, {"key": {}}) as (url, _), pytest.raises(UnavailableError, match="it is not a string"):
        read_on_azure(azure.rest(url, url), f"{url}/secrets/github")


@pytest.mark.parametrize(
    ("url", "audience"),
    [
        ("https://acme.vault.azure.net/secrets/github", "https://vault.azure.net"),
        ("https://acme.vault.azure.cn/secrets/github", "https://vault.azure.cn"),
        ("https://acme.vault.usgovcloudapi.net/secrets/github/1", "https://vault.usgovcloudapi.net"),
    ],
)
def test_a_vault_takes_the_tokens_of_its_cloud(url: str, audience: str) -> None:
    """Sovereign clouds have their own audience."""
    assert audience_of(url) == audience
