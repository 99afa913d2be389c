"""Azurite is there or says what is missing, and keeps what the adapters rely on."""

from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.data.tables import UpdateMode

from emulators.storage import missing
from functions.azure.addresses import Place
from functions.azure.clients import Clients


def test_what_is_missing_is_one_sentence() -> None:
    """Who has no Node is told to install it, in one sentence."""
    told = missing(path="/nowhere")
    assert told is not None
    assert told.startswith("Azure storage runs in Azurite, which needs Node.js 20 with npm: ")
    assert told.count(".") == 2


def test_of_two_writers_of_one_version_one_wins(table: Place, account: Clients) -> None:
    """An entity is made once, and replaced only by who has read its newest version."""
    client: Any = account.table(table)()
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
