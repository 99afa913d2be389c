"""Emulators and stand-ins are called without credentials, Google itself never."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from functions.gcp.errors import CredentialsError
from functions.gcp.sessions import Session, Sessions
from tests.gcp.conftest import Serving
from tests.gcp.services import Service, said

TOKEN = said({"access_token": "secret", "expires_in": 3600})


class Open:
    """Keeps sessions, to close them all."""

    def __init__(self) -> None:
        """Make none yet."""
        self._made: list[Session] = []

    def keep(self, session: Session) -> Session:
        """Close *session* at the end."""
        self._made.append(session)
        return session

    def close(self) -> None:
        """Close all."""
        for session in self._made:
            session.close()


@pytest.fixture
def opened() -> Iterator[Open]:
    """Return an object that closes sessions at the end."""
    opened = Open()
    yield opened
    opened.close()


def authorization(opened: Open, session: Session, url: str, service: Service) -> str | None:
    """Return the authorization header of a call."""
    opened.keep(session).get(url)
    return service.requests[-1].headers.get("authorization")


def test_an_emulator_gets_no_credentials(serving: Serving, opened: Open) -> None:
    """Wherever it runs, and whatever credentials there are, none are searched for."""
    url, service = serving(said({}))
    variables = {"FIRESTORE_EMULATOR_HOST": url.removeprefix("http://"), "GOOGLE_APPLICATION_CREDENTIALS": "/none"}
    session, base = Sessions(variables).emulated("FIRESTORE_EMULATOR_HOST")
    assert base == url
    assert authorization(opened, session, base, service) is None
    assert Sessions({"PUBSUB_EMULATOR_HOST": "pubsub:8085"}).emulated("PUBSUB_EMULATOR_HOST")[1] == "http://pubsub:8085"


def test_a_stand_in_on_this_machine_gets_credentials_only_if_they_are_named(serving: Serving, opened: Open) -> None:
    """None are searched for, but those that the environment names are sent."""
    url, service = serving(said({}))
    metadata, _ = serving(TOKEN)
    assert authorization(opened, Sessions({}).at(url), url, service) is None
    named = Sessions({"GCE_METADATA_HOST": metadata.removeprefix("http://")})
    assert authorization(opened, named.at(url), url, service) == "Bearer secret"


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.0.0.1", "http://127.9.9.9:8080/x", "http://[::1]:1"])
def test_every_loopback_address_is_this_machine(url: str) -> None:
    """By name or by number."""
    sessions = Sessions({})
    assert sessions.at(url) is sessions.at("http://127.0.0.1")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://europe-west4-aiplatform.googleapis.com",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
    ],
)
def test_any_other_address_is_google(serving: Serving, url: str) -> None:
    """Sovereign clouds and proxies need credentials like the public service; all of them share a session."""
    metadata, _ = serving(TOKEN)
    sessions = Sessions({"GCE_METADATA_HOST": metadata.removeprefix("http://")})
    session, base = sessions.emulated("FIRESTORE_EMULATOR_HOST")
    assert base == ""
    assert sessions.at(url) is session


@pytest.mark.parametrize("place", ["CLOUDSDK_CONFIG", "HOME", "GOOGLE_APPLICATION_CREDENTIALS"])
def test_a_file_with_credentials_comes_first(
    serving: Serving, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """The named file counts, else gcloud's own; the metadata server is not called then."""
    metadata, service = serving(TOKEN)
    folder = tmp_path / ".config" / "gcloud"
    folder.mkdir(parents=True)
    file = folder / "application_default_credentials.json"
    file.write_text("{}", encoding="utf-8")
    named: Mapping[str, str] = {"CLOUDSDK_CONFIG": str(folder), "HOME": str(tmp_path)}
    value = {**named, "GOOGLE_APPLICATION_CREDENTIALS": str(file)}[place]
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    variables = {"GCE_METADATA_HOST": metadata.removeprefix("http://"), place: value}
    with pytest.raises(CredentialsError, match="could not be used"):
        opened.keep(Sessions(variables).at("https://example.com")).get(metadata)
    assert service.requests == []
