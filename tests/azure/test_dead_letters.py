"""A container of blob storage keeps events that cannot be handled."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from emulators.loopback import Answer, LoopbackServer, Request
from functions.azure.addresses import Place
from functions.azure.clients import Clients
from functions.azure.dead_letters import BlobDeadLetters
from shared.errors import UnavailableError
from shared.ports import DeadLetter
from tests.azure.adapters import noting, refusing
from tests.contracts.adapters import Answering

AT = datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)


def letter(event: object = None) -> DeadLetter:
    """Return a letter about an event."""
    return DeadLetter(at=AT, cloud="azure", reason="rejected", error="model_id: is missing", event=event)


def at(url: str, clients: Clients, pauses: list[float]) -> BlobDeadLetters:
    """Return dead letters whose service is at *url*, which is tried three times."""
    place = Place(endpoint=f"{url}/devstoreaccount1", name="letters")
    return BlobDeadLetters(clients.container(place), "letters", persistence=noting(pauses))


@pytest.mark.xdist_group("azurite")
def test_a_letter_is_a_blob_of_json(account: Clients, container: Place) -> None:
    """The blob is named by time, its content is the letter, and two letters of one moment are two blobs."""
    letters = BlobDeadLetters(account.container(container), container.name)
    letters.put(letter({"id": "e-1", "data": "ü"}))
    letters.put(letter({"id": "e-1", "data": "ü"}))
    client: Any = account.container(container)()
    blobs = list(client.list_blobs())
    assert len(blobs) == 2
    assert all(re.fullmatch(r"2026/11/21/030405-[0-9a-f-]{36}\.json", blob.name) for blob in blobs)
    assert {blob.content_settings.content_type for blob in blobs} == {"application/json"}
    assert json.loads(client.download_blob(blobs[0].name).readall()) == {
        "at": "2026-11-21T03:04:05Z",
        "cloud": "azure",
        "reason": "rejected",
        "error": "model_id: is missing",
        "event": {"id": "e-1", "data": "ü"},
    }


@pytest.mark.xdist_group("azurite")
@pytest.mark.parametrize("event", ["x" * 2_000_000, "\U0001f4c9" * 1_000_000], ids=["2 MB", "12 MB as JSON"])
def test_a_large_event_is_kept_as_it_came(account: Clients, container: Place, event: str) -> None:
    """A letter larger than any delivery is whole."""
    BlobDeadLetters(account.container(container), container.name).put(letter(event))
    client: Any = account.container(container)()
    (blob,) = client.list_blobs()
    kept = json.loads(client.download_blob(blob.name).readall())
    assert kept["event"] == event
    assert "truncated" not in kept


@pytest.mark.xdist_group("azurite")
def test_a_missing_container_is_named(account: Clients, container: Place) -> None:
    """Who forgot to make the container reads its name; the event must not be acknowledged."""
    gone = Place(endpoint=container.endpoint, name="nowhere")
    with pytest.raises(UnavailableError, match="dead letter for the container nowhere: ContainerNotFound; try again"):
        BlobDeadLetters(account.container(gone), "nowhere").put(letter())


@pytest.mark.parametrize(
    ("status", "code", "tries"),
    [
        (503, "ServerBusy", 3),
        (500, "InternalError", 3),
        (429, "", 3),
        (403, "AuthorizationFailure", 1),
        (400, "Odd", 1),
    ],
)
def test_whatever_fails_the_letters_are_away(
    clients: Clients, pauses: list[float], status: int, code: str, tries: int
) -> None:
    """A letter that is not kept keeps its event from being acknowledged; the client itself repeats nothing."""
    with refusing(status, code) as (url, asked), pytest.raises(UnavailableError, match=code or "HTTP 429"):
        at(url, clients, pauses).put(letter({"password": "hunter2"}))
    assert len(asked) == tries


def test_a_letter_whose_answer_got_lost_is_one_blob(clients: Clients, pauses: list[float]) -> None:
    """The repeat has the same name, so it meets itself, and that is success."""
    names: list[str] = []

    def respond(request: Request) -> Answer | None:
        names.append(request.path)
        if len(names) == 1:
            return None
        return Answer(status=409, headers={"x-ms-error-code": "BlobAlreadyExists"})

    with LoopbackServer(respond) as server:
        at(server.url, clients, pauses).put(letter())
    assert len(names) == 2
    assert len(set(names)) == 1


def test_an_event_is_not_in_the_errors(clients: Clients, answering: Answering, pauses: list[float]) -> None:
    """No error quotes what a letter holds."""
    with pytest.raises(UnavailableError) as raised:
        at(answering(403), clients, pauses).put(letter({"password": "hunter2"}))
    assert "hunter2" not in str(raised.value)
