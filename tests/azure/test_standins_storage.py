"""Azurite runs or the message says what is missing, and it behaves as the adapters need."""

from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.data.tables import TableClient, UpdateMode

from emulators.storage import missing


def test_the_message_about_missing_programs_is_one_sentence() -> None:
    """Without Node, the message says in one sentence that it must be installed."""
    message = missing(path="/nowhere")
    assert message is not None
    assert message.startswith("Azure storage runs in Azurite, which needs Node.js 20 with npm: ")
    assert message.count(".") == 2


def test_of_two_writers_of_one_version_one_wins(official: TableClient) -> None:
    """An entity is created once, and replaced only by a writer that has read its newest version."""
    client: Any = official
    entity = {"PartitionKey": "p", "RowKey": "r", "x": "1"}
    first = client.create_entity(entity)
    with pytest.raises(ResourceExistsError):
        client.create_entity(entity)
    condition = {"etag": first["etag"], "match_condition": MatchConditions.IfNotModified}
    client.update_entity(entity | {"x": "2"}, UpdateMode.REPLACE, **condition)
    with pytest.raises(HttpResponseError) as raised:
        client.update_entity(entity | {"x": "3"}, UpdateMode.REPLACE, **condition)
    assert raised.value.status_code == 412
    assert client.get_entity("p", "r")["x"] == "2"
