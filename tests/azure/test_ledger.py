"""Azure Tables as ledger, against Microsoft's own emulator."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from azure.data.tables import TableClient, UpdateMode

from functions.azure.addresses import Place
from functions.azure.clients import Clients
from functions.azure.ledger import LONGEST_KEY, PARTITION, TableLedger, Version, row_key
from shared.errors import UnavailableError
from shared.ports import IndexEntry
from tests.azure.adapters import ONCE

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)

pytestmark = pytest.mark.xdist_group("azurite")

# The state of a model with as much in it as the core's limits allow.
LARGEST = 380_000


@pytest.fixture
def ledger(account: Clients, table: Place) -> TableLedger:
    """Return a ledger with nothing in it."""
    return TableLedger(account.table(table), table.name)


@pytest.mark.parametrize(
    "document",
    # The emulator counts the request, in which a character outside ASCII has six or twelve bytes; the service does not.
    ["x" * LARGEST, "ü" * 160_000, "\U0001f4c9" * 80_000, "ü\U0001f4c9x" * 50_000],
    ids=["letters", "umlauts", "signs", "mixed"],
)
def test_the_largest_document_is_kept_whole(ledger: TableLedger, document: str) -> None:
    """However many bytes its characters have, a document comes back as it was, also after it was replaced."""
    stored = ledger.save("churn", document, None)
    assert stored is not None
    assert ledger.load("churn") == stored
    assert ledger.save("churn", document[::-1], stored.version)
    assert ledger.load("churn").document == document[::-1]


def test_a_shorter_document_leaves_nothing_of_a_longer_one(ledger: TableLedger) -> None:
    """The whole entity is replaced, the pieces of the document before are gone."""
    long = ledger.save("churn", "x" * 100_000, None)
    assert long is not None
    assert ledger.save("churn", "short", long.version)
    assert ledger.load("churn").document == "short"


def test_an_entity_can_be_read_by_people(ledger: TableLedger, official: TableClient) -> None:
    """The key begins with the id, the id and the document stand beside it in plain text."""
    ledger.save("team/churn", '{"a": 1}', None)
    (entity,) = official.list_entities()
    assert dict(entity) == {
        "PartitionKey": PARTITION,
        "RowKey": "team=2Fchurn",
        "model_id": "team/churn",
        "document_00": '{"a": 1}',
        "indexed": False,
    }


def test_keys_are_legal_and_distinguish_ids() -> None:
    """Whatever ids there are, their keys are short plain ASCII, and two ids never have the same key."""
    ids = ["a/b", "a=2Fb", "a%2Fb", "a\\b", "a#b?c", "ä", "a b", "A B", "..", "'", "\U0001f4c9" * 256, "ä" * 256]
    ids += ["ä" * 255 + "z", "!", "x" * 256, row_key("ä" * 256)[:256]]
    keys = [row_key(model_id) for model_id in ids]
    assert len(set(keys)) == len(ids)
    assert all(len(key) <= LONGEST_KEY and key.isascii() and not set(key) & set("/\\#?%'") for key in keys)


def test_of_many_writers_one_wins(ledger: TableLedger) -> None:
    """Of eight threads that save on the same version one succeeds, also with the first save."""
    version: object = None
    for _ in range(3):
        seen = version

        def save(number: int, seen: object = seen) -> object:
            return ledger.save("churn", f"by {number}", seen)

        with ThreadPoolExecutor(8) as pool:
            saved = [stored for stored in pool.map(save, range(8)) if stored]
        assert len(saved) == 1
        version = ledger.load("churn").version


@pytest.mark.parametrize("etag", ["W/\"datetime'2020-01-01T00%3A00%3A00Z'\"", 'W/"x"'])
def test_a_version_that_never_was_saves_nothing(ledger: TableLedger, etag: str) -> None:
    """Whether the model has a document or not, a version that never existed loses."""
    version = Version(etag=etag)
    assert ledger.save("churn", "x", version) is None
    ledger.save("churn", "first", None)
    assert ledger.save("churn", "x", version) is None
    assert ledger.load("churn").document == "first"


def test_more_models_than_a_page_are_listed(ledger: TableLedger) -> None:
    """Listing goes on behind any id, whether that one is still there or not."""
    names = [f"m-{number:02}" for number in range(12)]
    for name in names:
        ledger.save(name, "{}", None)
    assert ledger.models(None, 5) == names[:5]
    assert ledger.models("m-04", 5) == names[5:10]
    assert ledger.models("m-045", 5) == names[5:10]
    assert ledger.models("m-11", 5) == []


def test_a_missing_table_is_named(account: Clients, table: Place) -> None:
    """Who forgot to make the table, or to name it, reads its name; it is never taken for an empty one."""
    gone = TableLedger(account.table(Place(endpoint=table.endpoint, name="nowhere")), "nowhere", persistence=ONCE)
    for work in (
        lambda: gone.load("churn"),
        lambda: gone.save("churn", "x", None),
        lambda: gone.save("churn", "x", 'W/"x"'),
        lambda: gone.models(None, 10),
    ):
        with pytest.raises(
            UnavailableError, match=r"the table nowhere: TableNotFound.*; create the table, or correct RETRAIN_LEDGER"
        ):
            work()


def test_an_entry_of_the_previous_version_is_removed(ledger: TableLedger, official: TableClient) -> None:
    """After a roll-back the entity of the model does not say that it is indexed: two saves later it is not."""
    assert ledger.save("churn", "{}", None, IndexEntry(attention=NOW))
    old = {"PartitionKey": PARTITION, "RowKey": "churn", "model_id": "churn", "document_00": "old"}
    official.update_entity(old, UpdateMode.REPLACE)
    assert ledger.due(NOW, 10) == ["churn"]
    for _ in range(2):
        assert ledger.save("churn", "{}", ledger.load("churn").version)
        assert ledger.due(NOW, 10) == []
    assert [dict(entity)["RowKey"] for entity in official.list_entities()] == ["churn"]


def test_models_that_are_far_apart_are_read_one_by_one(ledger: TableLedger) -> None:
    """Between the first and the last of them are more other models than three pages hold."""
    for number in range(12):
        assert ledger.save(f"m-{number:02}", f"{number}", None)
    found = ledger.load_many(["m-11", "m-00", "unknown"])
    assert {name: each.document for name, each in found.items()} == {"m-11": "11", "m-00": "0", "unknown": None}
    assert ledger.save("m-11", "second", found["m-11"].version)
