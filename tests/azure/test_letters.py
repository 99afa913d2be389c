"""The command reads the blobs of the receiver and those of Event Grid."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from emulators.storage import Storage
from functions.azure import wiring
from functions.azure.addresses import Place
from functions.azure.clients import Clients
from functions.azure.letters import BlobLetters, boxes, decode
from shared.errors import ConfigError
from shared.training.letters import REJECTED, UNDELIVERED
from shared.wire.incoming import TriggerEvent
from tests.fakes.warm import cold

pytestmark = pytest.mark.xdist_group("azurite")

SOURCE: Final = "ml3_platform"
# Documentation, "Set dead-letter location and retry policy": the event, and what Event Grid adds to it.
GIVEN_UP: Final = {
    "id": "e-1",
    "topic": "/t",
    "subject": SOURCE,
    "eventType": "retrain_trigger",
    "eventTime": "2026-11-21T02:00:00Z",
    "data": {"model_id": "churn"},
    "dataVersion": "1.0",
    "deadLetterReason": "MaxDeliveryAttemptsExceeded",
    "deliveryAttempts": 30,
    "lastDeliveryOutcome": "GenericError",
    "publishTime": "2026-11-21T02:00:00Z",
    "lastDeliveryAttemptTime": "2026-11-21T03:00:00Z",
}


def test_a_blob_of_event_grid_holds_several_events(account: Clients, container: Place) -> None:
    """They are one letter, with reason and time of the last attempt; the ids are those of the first delivery."""
    client: Any = account.container(container)()
    name = "RETRAIN/RECEIVE/2026/11/21/3/0d1b0f0e.json"
    client.upload_blob(name, json.dumps([GIVEN_UP, GIVEN_UP | {"id": "e-2"}]))
    client.upload_blob("other.json", b"\xff")
    box = BlobLetters(account.container(container), container.name, UNDELIVERED)
    letter, other = box.read()
    assert (letter.letter_id, letter.error) == (f"undelivered/{name}", "MaxDeliveryAttemptsExceeded: GenericError")
    assert letter.at == datetime(2026, 11, 21, 3, tzinfo=UTC)
    read = [decode(event, SOURCE) for event in letter.events]
    assert [each.trigger_id for each in read if isinstance(each, TriggerEvent)] == [
        f"/t:{SOURCE}:retrain_trigger:e-{number}" for number in (1, 2)
    ]
    assert other.events == ("\ufffd",)
    assert list(box.read(letter.letter_id)) == [letter]
    for _ in range(2):
        box.delete(letter)
    assert list(box.read(letter.letter_id)) == []
    assert [each.letter_id for each in box.read()] == ["undelivered/other.json"]


def test_the_places_of_a_deployment(
    storage: Storage, account: Clients, container: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables name two containers, or one of them; a name of another form is an error."""
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", storage.connection_string)
    url = f"{container.endpoint}/{container.name}"
    account.container(container)().upload_blob("a.json", json.dumps([GIVEN_UP]))
    with cold(wiring):
        undelivered = boxes({"RETRAIN_UNDELIVERED": url})
        assert [box.kinds for box in undelivered] == [(UNDELIVERED,)]
        assert [letter.letter_id for letter in undelivered[0].read()] == ["undelivered/a.json"]
        both = boxes({"RETRAIN_UNDELIVERED": url, "RETRAIN_DEAD_LETTERS": url})
        assert [box.kinds for box in both] == [(REJECTED,), (UNDELIVERED,)]
        assert boxes({"RETRAIN_UNDELIVERED": ""}) == []
        with pytest.raises(ConfigError, match="RETRAIN_UNDELIVERED: must be a URL"):
            boxes({"RETRAIN_UNDELIVERED": "letters"})
        wiring.clients().close()
