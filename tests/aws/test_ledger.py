"""DynamoDB keeps one document for each model, and of many concurrent writers exactly one wins."""

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulators.ledger_table import create_ledger_table
from functions.aws.clients import Clients
from functions.aws.ledger import DynamoLedger
from shared.backoff import Backoff
from shared.errors import UnavailableError
from shared.ports import IndexEntry, Stored

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.fixture
def table(clients: Clients) -> str:
    """Return the name of an empty table."""
    name = f"retrain-{uuid.uuid4()}"
    create_ledger_table(clients.factory("dynamodb")(), name)
    return name


@pytest.fixture
def ledger(clients: Clients, table: str) -> DynamoLedger:
    """Return a ledger in an empty table."""
    return DynamoLedger(clients.factory("dynamodb"), table)


def test_a_model_that_was_never_written_has_no_document(ledger: DynamoLedger) -> None:
    """Nothing is found, and nothing is made by looking."""
    assert ledger.load("churn") == Stored(document=None)
    assert ledger.models(None, 10) == []


def test_what_was_saved_is_loaded(ledger: DynamoLedger) -> None:
    """A document comes back as it was, with a version that lets its reader replace it."""
    assert ledger.save("churn/ü \U0001f4c9", '{"text": "ü\U0001f4c9"}', None)
    first = ledger.load("churn/ü \U0001f4c9")
    assert first.document == '{"text": "ü\U0001f4c9"}'
    assert ledger.save("churn/ü \U0001f4c9", "second", first.version)
    assert ledger.load("churn/ü \U0001f4c9").document == "second"


def test_a_document_is_replaced_by_who_read_it_last_only(ledger: DynamoLedger) -> None:
    """A save with an outdated version, or as if there were no document, changes nothing."""
    ledger.save("churn", "first", None)
    first = ledger.load("churn")
    assert ledger.save("churn", "second", first.version)
    assert not ledger.save("churn", "outdated", first.version)
    assert not ledger.save("churn", "as if new", None)
    assert ledger.load("churn").document == "second"


def test_a_document_that_is_gone_is_not_replaced(ledger: DynamoLedger) -> None:
    """A version of an item that does not exist any more saves nothing."""
    assert not ledger.save("churn", "text", 3)
    assert ledger.load("churn").document is None


def test_models_do_not_touch_each_other(ledger: DynamoLedger) -> None:
    """Each model has its own document and its own version."""
    assert ledger.save("churn", "c", None)
    assert ledger.save("fraud", "f", None)
    assert (ledger.load("churn").document, ledger.load("fraud").document) == ("c", "f")


@pytest.mark.parametrize("known", [False, True])
def test_of_sixteen_writers_one_wins(clients: Clients, table: str, *, known: bool) -> None:
    """However many writers hold the same version, one of them saves, and its document is what stays."""
    for turn in range(5):
        ledger = DynamoLedger(clients.factory("dynamodb"), table)
        model_id = f"model-{turn}"
        if known:
            ledger.save(model_id, "before", None)
        version = ledger.load(model_id).version
        together = threading.Barrier(16)

        def write(number: int, model_id: str = model_id, version: object = version) -> bool:
            together.wait()  # noqa: B023 - all writers of this turn wait
            return ledger.save(model_id, f"writer {number}", version) is not None  # noqa: B023 - all write to this turn's ledger

        with ThreadPoolExecutor(16) as pool:
            saved = list(pool.map(write, range(16)))
        assert saved.count(True) == 1
        assert ledger.load(model_id).document == f"writer {saved.index(True)}"


def test_all_models_are_listed_page_by_page(ledger: DynamoLedger) -> None:
    """Every stored model is listed once, in pages of the requested size, then nothing."""
    names = {f"model-{number}" for number in range(7)}
    for name in names:
        ledger.save(name, "{}", None)
    pages = list(_pages(ledger, 3))
    assert [len(page) for page in pages] == [3, 3, 1]
    assert sorted(name for page in pages for name in page) == sorted(names)


def _pages(ledger: DynamoLedger, limit: int) -> Iterator[list[str]]:
    after = None
    while page := ledger.models(after, limit):
        yield page
        after = page[-1]


def test_a_table_without_the_index_has_no_answer(clients: Clients) -> None:
    """A table of the previous version is written as before, and says that its models must be gone through."""
    name = f"retrain-{uuid.uuid4()}"
    create_ledger_table(clients.factory("dynamodb")(), name, index=False)
    ledger = DynamoLedger(clients.factory("dynamodb"), name)
    assert ledger.save("churn", "{}", None, IndexEntry(attention=NOW))
    assert ledger.due(NOW, 10) is None


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationException", "Cannot read from backfilling global secondary index: attention"),
        ("AccessDeniedException", "no identity-based policy allows the dynamodb:Query action"),
    ],
)
def test_an_index_that_cannot_be_read_yet_has_no_answer(code: str, message: str) -> None:
    """While it is being built, or the role is still that of the previous version, a sweep does not fail."""

    class Building:
        """A client whose queries are refused."""

        def query(self, **_arguments: object) -> Any:
            """Refuse."""
            raise ClientError({"Error": {"Code": code, "Message": message}}, "Query")

    ledger = DynamoLedger(Building, "states")  # type: ignore[arg-type]
    assert ledger.due(NOW, 10) is None


def test_a_throttled_index_is_an_error() -> None:
    """The sweep is repeated then; going through all models would throttle the table even more."""

    class Throttled:
        """A client whose queries are throttled."""

        def query(self, **_arguments: object) -> Any:
            """Refuse."""
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "Query")

    ledger = DynamoLedger(Throttled, "states")  # type: ignore[arg-type]
    with pytest.raises(UnavailableError, match="list the due models in the table states"):
        ledger.due(NOW, 10)


class Batches:
    """A client whose answers to `batch_get_item` have at most two items each, or none at all.

    Attributes:
        requested: the keys of each request.

    """

    def __init__(self, most: int = 2) -> None:
        """Answer with *most* items."""
        self.requested: list[list[str]] = []
        self._most = most

    def batch_get_item(self, **arguments: Any) -> Any:
        """Return some of the items, and the keys of the others."""
        (request,) = arguments["RequestItems"].values()
        assert request["ConsistentRead"]
        names = [key["model_id"]["S"] for key in request["Keys"]]
        self.requested.append(names)
        items = [item_of(name) for name in names[: self._most]]
        left = {"states": {**request, "Keys": request["Keys"][self._most :]}} if len(names) > self._most else {}
        return {"Responses": {"states": items}, "UnprocessedKeys": left}


def item_of(name: str) -> dict[str, dict[str, str]]:
    """Return an item with its own name as document."""
    return {"model_id": {"S": name}, "version": {"N": "3"}, "document": {"S": name}}


def test_items_that_did_not_fit_into_an_answer_are_requested_again() -> None:
    """DynamoDB answers at most 16 MB; the rest is read by further requests."""
    client, waits = Batches(), list[float]()
    ledger = DynamoLedger(lambda: client, "states", Backoff(attempts=3, sleep=waits.append))  # type: ignore[arg-type,return-value]
    found = ledger.load_many(["a", "b", "c", "d", "e"])
    assert [(name, each.document, each.version) for name, each in found.items()] == [(n, n, 3) for n in "abcde"]
    assert (client.requested, len(waits)) == ([["a", "b", "c", "d", "e"], ["c", "d", "e"], ["e"]], 2)


def test_a_table_that_returns_no_item_is_unavailable() -> None:
    """A throttled table leaves all keys unprocessed; after a few attempts that is an error."""
    ledger = DynamoLedger(lambda: Batches(0), "states", Backoff(attempts=3, sleep=lambda _: None))  # type: ignore[arg-type,return-value]
    with pytest.raises(UnavailableError, match=r"read the states of 2 models from the table states: it leaves keys"):
        ledger.load_many(["a", "b"])


def test_a_role_without_the_right_to_batches_reads_one_by_one() -> None:
    """A role of the previous version may only read single items, which costs more calls and no answer."""

    class Older:
        """A client of such a role."""

        def batch_get_item(self, **_arguments: object) -> Any:
            """Refuse."""
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "BatchGetItem")

        def get_item(self, **arguments: Any) -> Any:
            """Return an item."""
            return {"Item": item_of(arguments["Key"]["model_id"]["S"])}

    ledger = DynamoLedger(Older, "states")  # type: ignore[arg-type]
    assert {name: each.document for name, each in ledger.load_many(["a", "b"]).items()} == {"a": "a", "b": "b"}
