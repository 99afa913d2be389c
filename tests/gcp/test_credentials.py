"""Tokens of the metadata server and of a key file, renewed in time, without the libraries that cost a cold start."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from emulators.loopback import Answer
from functions.gcp.credentials import FileCredentials, MetadataCredentials, metadata_session, token_session
from functions.gcp.errors import SIGN_IN, CredentialsError
from functions.http_session import CallLimits, HttpAnswer, HttpSession
from tests.gcp.conftest import Serving
from tests.gcp.services import IMPATIENT, said


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        """Begin at some time."""
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def metadata() -> Iterator[HttpSession]:
    """Return a session for a metadata server that gives up a silent one soon."""
    session = metadata_session(IMPATIENT)
    yield session
    session.close()


@pytest.fixture
def issuer() -> Iterator[HttpSession]:
    """Return a session for the service that issues tokens for a key."""
    session = token_session(CallLimits(read_timeout=5))
    yield session
    session.close()


def token(name: str, seconds: object = 3600) -> Answer:
    """Return the metadata server's answer."""
    return said({"access_token": name, "expires_in": seconds, "token_type": "Bearer"})


def host(url: str) -> str:
    """Return host and port of a URL."""
    return url.removeprefix("http://")


def shown(name: str) -> Mapping[str, str]:
    """Return the headers that show a token."""
    return {"authorization": f"Bearer {name}"}


def test_the_metadata_server_gets_its_header(metadata: HttpSession, serving: Serving) -> None:
    """The request has the required header, and one token serves many calls."""
    url, service = serving(token("first"))
    credentials = MetadataCredentials(host(url), session=metadata)
    assert [credentials.headers() for _ in range(3)] == [shown("first")] * 3
    assert service.calls == ["GET /computeMetadata/v1/instance/service-accounts/default/token"]
    assert service.requests[0].headers["metadata-flavor"] == "Google"


def test_a_token_is_renewed_before_it_expires(metadata: HttpSession, serving: Serving) -> None:
    """It is renewed 225 s before it expires, not earlier; one that is about to expire is used once."""
    url, service = serving(token("first"), token("second", 100), token("third"))
    clock = Clock()
    credentials = MetadataCredentials(host(url), session=metadata, monotonic=clock)
    assert credentials.headers() == shown("first")
    clock.now += 3600 - 226
    assert credentials.headers() == shown("first")
    clock.now += 2
    assert credentials.headers() == shown("second")
    assert credentials.headers() == shown("third")
    assert len(service.requests) == 3


def test_a_refused_token_is_renewed(metadata: HttpSession, serving: Serving) -> None:
    """A renewal costs one request."""
    url, _ = serving(token("first"), token("second"))
    credentials = MetadataCredentials(host(url), session=metadata)
    credentials.headers()
    assert credentials.renew(HttpAnswer(status=401, headers={}, data=b""))
    assert credentials.headers() == shown("second")


def test_a_metadata_server_that_is_starting_is_waited_for(metadata: HttpSession, serving: Serving) -> None:
    """It answers 503 for a moment when an instance starts."""
    url, service = serving(Answer(status=503), token("first"))
    assert MetadataCredentials(host(url), session=metadata).headers() == shown("first")
    assert len(service.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=404, body=b"no service account"),
        Answer(status=200, body=b"<html>"),
        said({"access_token": "x"}),
        said([]),
        token("x", "soon"),
        None,
    ],
    ids=["none", "page", "no time", "list", "odd time", "cut"],
)
def test_without_a_token_there_are_no_credentials(
    metadata: HttpSession, serving: Serving, answer: Answer | None
) -> None:
    """The error says where credentials were searched for, and quotes nothing of the answer."""
    url, _ = serving(answer)
    with pytest.raises(
        CredentialsError, match=r"^there are no Google credentials: the metadata server returned no token"
    ):
        MetadataCredentials(host(url), session=metadata).headers()


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where a service account's key is, as the environment names it."""
    path = tmp_path / "key.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    return path


def write_key(path: Path, token_uri: str) -> None:
    """Write a key that is not used anywhere."""
    key = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    content = {
        "type": "service_account",
        "project_id": "acme",
        "private_key_id": "1",
        "private_key": key.decode(),
        "client_email": "trainer@acme.iam.gserviceaccount.com",
        "token_uri": token_uri,
    }
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_key_file_gives_tokens(issuer: HttpSession, serving: Serving, key_file: Path) -> None:
    """A signed claim is exchanged for a token, once, and again after the token was refused."""
    url, service = serving(token("first"), token("second"))
    write_key(key_file, f"{url}/token")
    credentials = FileCredentials(issuer)
    assert credentials.headers() == credentials.headers() == shown("first")
    assert "assertion" in parse_qs(service.requests[0].body.decode())
    assert credentials.renew(HttpAnswer(status=401, headers={}, data=b""))
    assert credentials.headers() == shown("second")
    assert service.calls == ["POST /token"] * 2


@pytest.mark.parametrize("text", ["", "{", "{}", '{"type": "service_account", "private_key": "hunter2"}'])
def test_a_file_that_is_not_a_key_is_never_quoted(issuer: HttpSession, key_file: Path, text: str) -> None:
    """A broken key file may hold a key all the same."""
    key_file.write_text(text, encoding="utf-8")
    with pytest.raises(CredentialsError, match=rf"^the Google credentials could not be used: [A-Za-z]+(: {SIGN_IN})?$"):
        FileCredentials(issuer).headers()


def test_a_missing_file_gives_no_credentials(issuer: HttpSession, key_file: Path) -> None:
    """The environment names it, and it is not there."""
    assert not key_file.exists()
    with pytest.raises(CredentialsError, match=f"DefaultCredentialsError: {SIGN_IN}$"):
        FileCredentials(issuer).headers()


def test_a_refused_key_gives_no_credentials(issuer: HttpSession, serving: Serving, key_file: Path) -> None:
    """The account may be disabled."""
    url, _ = serving(said({"error": "invalid_grant"}, 400))
    write_key(key_file, f"{url}/token")
    with pytest.raises(CredentialsError, match=r"RefreshError$"):
        FileCredentials(issuer).headers()
