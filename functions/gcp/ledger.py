"""Firestore as ledger: one document for each model, replaced only if it has not changed since it was read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from functions.gcp.document_ids import document_id
from functions.gcp.errors import RefusalError, translated
from functions.gcp.sessions import Session
from shared.fields import format_time
from shared.frozen import dataclass
from shared.ports import NOT_INDEXED, IndexEntry, Stored

ENDPOINT: Final = "https://firestore.googleapis.com"
MISSING: Final = frozenset({"NOT_FOUND"})
# The precondition failed, or another writer was at the document just then.
LOST: Final = frozenset({"ALREADY_EXISTS", "FAILED_PRECONDITION", "ABORTED"})
# So many of the largest documents, 256 KB each, are half of the largest answer that a session reads.
_TOGETHER: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    """The version of a document when it was read.

    A write that changes nothing keeps the old time, and then two writers would win: so there is a number, too.
    """

    updated_at: str
    number: int


class FirestoreLedger:
    """A `shared.ports.Ledger`. Each document has the model's id, a version number, and the state as one string.

    Firestore indexes each field by itself: `attention`, and `runs`, a list of names.

    Args:
        session: calls Firestore.
        collection: `projects/P/databases/D/documents/COLLECTION`.
        endpoint: base URL of Firestore.

    """

    def __init__(self, session: Session, collection: str, endpoint: str = ENDPOINT) -> None:
        self._session = session
        self._collection = collection
        self._parent, _, self._name = collection.rpartition("/")
        self._database = collection.partition("/documents/")[0]
        self._base = f"{endpoint}/v1"

    def load(self, model_id: str) -> Stored:
        """Return the newest document of *model_id*; see the port. Firestore's reads are consistent."""
        try:
            with translated("Firestore", f"read the state of {model_id!r} from {self._collection}", MISSING):
                found = self._session.get(f"{self._base}/{quote(self._document(model_id))}")
        except RefusalError:
            # A missing database gets the same answer; the save that follows distinguishes them.
            return Stored(document=None)
        return _stored(found)

    def load_many(self, model_ids: Sequence[str]) -> Mapping[str, Stored]:
        """Return the newest document of each model, fifty in a call; see the port."""
        stored = dict.fromkeys(model_ids, Stored(document=None))
        for start in range(0, len(model_ids), _TOGETHER):
            names = {self._document(model_id): model_id for model_id in model_ids[start : start + _TOGETHER]}
            with translated("Firestore", f"read the states of {len(names)} models from {self._collection}"):
                rows = self._session.post(
                    f"{self._base}/{self._database}/documents:batchGet", {"documents": list(names)}
                )
            stored |= {names[row["found"]["name"]]: _stored(row["found"]) for row in rows if "found" in row}
        return stored

    def save(self, model_id: str, document: str, version: object, entry: IndexEntry = NOT_INDEXED) -> Stored | None:
        """Replace the document if it still has *version*; see the port."""
        current = version if isinstance(version, _Version) else None
        number = current.number + 1 if current else 1
        fields: dict[str, object] = {
            "model_id": {"stringValue": model_id},
            "version": {"integerValue": str(number)},
            "document": {"stringValue": document},
        }
        if entry.attention is not None:
            fields["attention"] = {"timestampValue": format_time(entry.attention)}
        if entry.runs:
            fields["runs"] = {"arrayValue": {"values": [{"stringValue": name} for name in entry.runs]}}
        condition = {"updateTime": current.updated_at} if current else {"exists": False}
        write = {"update": {"name": self._document(model_id), "fields": fields}, "currentDocument": condition}
        # NOT_FOUND means that the document was removed, or, where there was none before, that there is no database.
        lost = LOST | MISSING if current else LOST
        try:
            with translated("Firestore", f"save the state of {model_id!r} to {self._collection}", lost):
                answer = self._session.post(f"{self._base}/{self._database}/documents:commit", {"writes": [write]})
        except RefusalError:
            return None
        updated_at = answer["writeResults"][0]["updateTime"]
        return Stored(document=document, version=_Version(updated_at=updated_at, number=number))

    def models(self, after: str | None, limit: int) -> list[str]:
        """Return up to *limit* ids after *after*, in the order of the documents' names; see the port."""
        if limit < 1:
            return []
        query: dict[str, object] = {"orderBy": [{"field": {"fieldPath": "__name__"}}]}
        if after is not None:
            query["startAt"] = {"values": [{"referenceValue": self._document(after)}], "before": False}
        return self._query("list the models", query, limit)

    def due(self, until: datetime, limit: int) -> list[str] | None:
        """Return the ids of up to *limit* models that need attention at *until*, the longest due first."""
        where = _where("attention", "LESS_THAN_OR_EQUAL", {"timestampValue": format_time(until)})
        query = {"where": where, "orderBy": [{"field": {"fieldPath": "attention"}}]}
        return self._query("list the due models", query, limit)

    def model_of_run(self, name: str) -> str | None:
        """Return the id of the model of the run *name*; see the port."""
        query = {"where": _where("runs", "ARRAY_CONTAINS", {"stringValue": name})}
        return next(iter(self._query(f"find the model of {name}", query, 1)), None)

    def _query(self, action: str, query: Mapping[str, object], limit: int) -> list[str]:
        """Return the ids of up to *limit* models that *query* finds."""
        whole = {
            "from": [{"collectionId": self._name}],
            "select": {"fields": [{"fieldPath": "model_id"}]},
            "limit": limit,
            **query,
        }
        with translated("Firestore", f"{action} in {self._collection}"):
            rows = self._session.post(f"{self._base}/{quote(self._parent)}:runQuery", {"structuredQuery": whole})
        return [model_id for row in rows if (model_id := _model_id(row))]

    def _document(self, model_id: str) -> str:
        return f"{self._collection}/{document_id(model_id)}"


def _stored(found: Mapping[str, Any]) -> Stored:
    """Return a document of Firestore as the port has it."""
    fields = found.get("fields", {})
    number = int(fields.get("version", {}).get("integerValue", 0))
    document = fields.get("document", {}).get("stringValue")
    return Stored(document=document, version=_Version(updated_at=found["updateTime"], number=number))


def _where(field: str, operator: str, value: Mapping[str, str]) -> dict[str, object]:
    return {"fieldFilter": {"field": {"fieldPath": field}, "op": operator, "value": value}}


def _model_id(row: Mapping[str, Any]) -> str:
    # Without any documents the answer is one row without a document.
    fields = row.get("document", {}).get("fields", {})
    return str(fields.get("model_id", {}).get("stringValue", ""))
