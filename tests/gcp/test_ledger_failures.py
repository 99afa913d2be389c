"""Firestore's answer decides between lost, unavailable and saved."""

import pytest

from emulators.loopback import Answer
from functions.gcp.ledger import FirestoreLedger
from functions.gcp.sessions import Session
from shared.errors import UnavailableError
from shared.ports import Stored
from tests.gcp.conftest import Serving
from tests.gcp.services import refused, said

COLLECTION = "projects/acme/databases/(default)/documents/models"
FOUND = {
    "name": f"{COLLECTION}/churn",
    "fields": {
        "model_id": {"stringValue": "churn"},
        "version": {"integerValue": "4"},
        "document": {"stringValue": "{}"},
    },
    "updateTime": "2026-11-21T03:00:00.000001Z",
}
SAVED = {"writeResults": [{"updateTime": "2026-11-21T03:00:00.000002Z"}], "commitTime": "2026-11-21T03:00:00.000003Z"}


def test_a_document_is_read_by_name(session: Session, serving: Serving) -> None:
    """The encoded name of the model follows the name of the collection."""
    url, service = serving(said(FOUND))
    assert FirestoreLedger(session, COLLECTION, url).load("a/b ü").document == "{}"
    assert service.calls == ["GET /v1/projects/acme/databases/%28default%29/documents/models/a~2Fb~20~C3~BC"]


def test_a_save_has_a_condition_and_a_number(session: Session, serving: Serving) -> None:
    """The first save requires no document, a later one the version that was read; the number always grows."""
    url, service = serving(said(SAVED), said(FOUND), said(SAVED))
    ledger = FirestoreLedger(session, COLLECTION, url)
    assert ledger.save("churn", "first", None)
    (first,) = service.content()["writes"]
    assert first["currentDocument"] == {"exists": False}
    assert first["update"]["fields"]["version"] == {"integerValue": "1"}
    assert ledger.save("churn", "next", ledger.load("churn").version)
    (write,) = service.content()["writes"]
    assert write["currentDocument"] == {"updateTime": "2026-11-21T03:00:00.000001Z"}
    assert write["update"] == {
        "name": f"{COLLECTION}/churn",
        "fields": {
            "model_id": {"stringValue": "churn"},
            "version": {"integerValue": "5"},
            "document": {"stringValue": "next"},
        },
    }
    assert service.calls[-1] == "POST /v1/projects/acme/databases/(default)/documents:commit"


@pytest.mark.parametrize(
    "answer",
    [refused(409, "ALREADY_EXISTS"), refused(400, "FAILED_PRECONDITION"), refused(409, "ABORTED")],
    ids=["exists", "changed", "contended"],
)
def test_the_slower_writer_loses(session: Session, serving: Serving, answer: Answer) -> None:
    """Whatever code the service returns when another writer was faster, nothing was saved."""
    url, service = serving(said(FOUND), answer)
    ledger = FirestoreLedger(session, COLLECTION, url)
    assert ledger.save("churn", "x", ledger.load("churn").version) is None
    assert ledger.save("churn", "x", None) is None
    assert len(service.requests) == 3


def test_a_document_that_was_removed_is_lost(session: Session, serving: Serving) -> None:
    """A version of a deleted document saves nothing: the model must be read again."""
    url, _ = serving(said(FOUND), refused(404, "NOT_FOUND", "No document to update"))
    ledger = FirestoreLedger(session, COLLECTION, url)
    assert ledger.save("churn", "x", ledger.load("churn").version) is None


def test_a_database_that_is_not_there_is_an_outage(session: Session, serving: Serving) -> None:
    """It reads as no document; the first save then reports the missing database, and nothing is decided."""
    url, _ = serving(refused(404, "NOT_FOUND", "The database (default) does not exist for project acme"))
    ledger = FirestoreLedger(session, COLLECTION, url)
    assert ledger.load("churn") == Stored(document=None)
    with pytest.raises(UnavailableError, match=r"^Firestore could not save the state of 'churn' to .*does not exist"):
        ledger.save("churn", "x", None)


@pytest.mark.parametrize(
    "answer",
    [
        refused(403, "PERMISSION_DENIED"),
        refused(401, "UNAUTHENTICATED"),
        refused(429, "RESOURCE_EXHAUSTED"),
        refused(400, "INVALID_ARGUMENT"),
        refused(503, "UNAVAILABLE"),
        Answer(status=404, body=b"<html>"),
        Answer(status=200, body=b"<html>"),
        None,
    ],
    ids=["right", "credentials", "quota", "request", "away", "page", "page with 200", "cut"],
)
def test_everything_else_is_an_outage(session: Session, serving: Serving, answer: Answer | None) -> None:
    """Time or an operator repairs it, and no event is lost."""
    url, _ = serving(answer)
    ledger = FirestoreLedger(session, COLLECTION, url)
    with pytest.raises(UnavailableError, match=r"^Firestore could not read .*; try again$"):
        ledger.load("churn")
    with pytest.raises(UnavailableError, match=r"^Firestore could not save .*; try again$"):
        ledger.save("churn", "x", None)
    with pytest.raises(UnavailableError, match=r"^Firestore could not list .*; try again$"):
        ledger.models(None, 10)


def test_a_document_without_fields_can_be_replaced(session: Session, serving: Serving) -> None:
    """A document without a state, made by hand, is a model without a history."""
    empty = {"name": f"{COLLECTION}/churn", "updateTime": "2026-11-21T03:00:00Z"}
    url, service = serving(said(empty), said(SAVED))
    ledger = FirestoreLedger(session, COLLECTION, url)
    stored = ledger.load("churn")
    assert stored.document is None
    assert ledger.save("churn", "x", stored.version)
    assert service.content()["writes"][0]["currentDocument"] == {"updateTime": "2026-11-21T03:00:00Z"}


def test_a_list_begins_behind_a_document(session: Session, serving: Serving) -> None:
    """The query names the last document seen; rows without one, or without a model, are left out."""
    rows = [{"readTime": "x"}, {"document": {"name": "x"}}, {"document": FOUND}]
    url, service = serving(said(rows))
    ledger = FirestoreLedger(session, f"{COLLECTION}/prod/states", url)
    assert ledger.models("a/b", 7) == ["churn"]
    query = service.content()["structuredQuery"]
    assert query["startAt"] == {"values": [{"referenceValue": f"{COLLECTION}/prod/states/a~2Fb"}], "before": False}
    assert (query["limit"], query["from"]) == (7, [{"collectionId": "states"}])
    assert service.calls == ["POST /v1/projects/acme/databases/%28default%29/documents/models/prod:runQuery"]
    assert ledger.models(None, 0) == []
    assert len(service.requests) == 1
