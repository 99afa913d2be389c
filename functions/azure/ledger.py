"""Azure Tables as ledger: one entity for each model, replaced if its ETag is unchanged.

A model that needs attention has a second entity in the same partition, changed in the same transaction. Its key begins
with `!`, which no key of a model does, so these entities, and only these, are read to find what is due.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote

from functions.azure.errors import STANDARD, Persistence, RefusalError, call
from functions.azure.tables import BEGINNING, ETAG, Page, Position, delete, insert, literal, put, replace
from shared.frozen import dataclass
from shared.ports import NOT_INDEXED, IndexEntry, Stored

if TYPE_CHECKING:
    from functions.azure.tables import TableClient

T = TypeVar("T")

# One partition, so that the models can be listed in order; it serves 2000 operations a second, far more than needed.
PARTITION: Final = "models"
# Data model of the table service: a key has at most 1 KiB of UTF-16, and no / \ # ? or control character.
LONGEST_KEY: Final = 512
# Data model: a string has at most 64 KiB of UTF-16, an entity 1 MiB. A character takes two or four bytes, so this many
# always fit into a property; a document of at most 380 KB of UTF-8 takes at most 760 KB.
PIECE: Final = 16_384

# The keys of the index are between these two.
INDEX_START: Final = "!"
INDEX_END: Final = '"'
# Entities of the index that the previous version may have left, see `Version`.
NEVER: Final = "9999-12-31"
# So many pages are read of a range in which other models are, too.
_MOST_PAGES: Final = 3

EXISTS: Final = frozenset({"EntityAlreadyExists"})
MISSING: Final = frozenset({"ResourceNotFound", "EntityNotFound"})
LOST: Final = MISSING | {"UpdateConditionNotSatisfied", "ConditionNotMet"}

_REMEDIES: Final = {
    "TableNotFound": "create the table, or correct RETRAIN_LEDGER",
    "AuthorizationPermissionMismatch": "grant the role Storage Table Data Contributor, or wait until it takes effect",
    "AuthenticationFailed": "correct AZURE_STORAGE_CONNECTION_STRING, or remove it to use the identity",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The version of the entity of a model.

    Attributes:
        etag: its ETag.
        indexed: whether the model has an entity in the index; None if this is unknown, because a version of this
            project without an index wrote the entity of the model.

    """

    etag: str
    indexed: bool | None = None


class TableLedger:
    """A `shared.ports.Ledger`.

    Args:
        client: returns the client of the table.
        table: the name of the table, for messages.
        persistence: how to repeat a request.

    """

    def __init__(self, client: Callable[[], "TableClient"], table: str, *, persistence: Persistence = STANDARD) -> None:
        """Keep the arguments."""
        self._client = client
        self._table = table
        self._persistence = persistence

    def load(self, model_id: str) -> Stored:
        """Return the newest document of *model_id*; see the port. Reads of a table are consistent."""
        action = f"read the state of {model_id!r} from the table {self._table}"
        try:
            entity = self._call(lambda: self._client().get(PARTITION, row_key(model_id)), action, MISSING)
        except RefusalError:
            return Stored(document=None)
        return _stored(entity.properties, entity.etag)

    def load_many(self, model_ids: Sequence[str]) -> Mapping[str, Stored]:
        """Return the newest document of each model; see the port.

        Table storage has no read of several keys, but reads a range of them, and the models of a page of the list
        follow one another. If too many other models are between them, the rest is read one by one.
        """
        names = {row_key(model_id): model_id for model_id in model_ids}
        if not names:
            return {}
        found = dict.fromkeys(model_ids, Stored(document=None))
        condition = f"RowKey ge {literal(min(names))} and RowKey le {literal(max(names))}"
        action = f"read the states of {len(names)} models from the table {self._table}"
        reached, after = "", BEGINNING
        for _ in range(_MOST_PAGES):
            page = self._page(condition, (), len(names), after, action)
            for entity in page.entities:
                reached = entity["RowKey"]
                if reached in names:
                    found[names[reached]] = _stored(entity, entity[ETAG])
            after = page.after
            if not after:
                return found
        return found | {model_id: self.load(model_id) for key, model_id in names.items() if key > reached}

    def save(self, model_id: str, document: str, version: object, entry: IndexEntry = NOT_INDEXED) -> Stored | None:
        """Replace the document if it still has *version*; see the port."""
        current = version if isinstance(version, Version) else None
        attention = None if entry.attention is None else _sortable(entry.attention)
        if attention is None and current is not None and current.indexed is None:
            # There may be an entity, but removing one that is missing fails. The next save removes it.
            attention = NEVER
        key = {"PartitionKey": PARTITION, "RowKey": row_key(model_id), "model_id": model_id}
        entity = {**key, **_split(document), "indexed": attention is not None}
        indexing = {"PartitionKey": PARTITION, "RowKey": _index_key(model_id), "model_id": model_id}
        writes = [replace(entity, current.etag) if current else insert(entity)]
        if attention is not None:
            writes.append(put({**indexing, "attention": attention}))
        elif current is not None and current.indexed:
            writes.append(delete(indexing))
        action = f"save the state of {model_id!r} to the table {self._table}"
        try:
            etag = self._call(lambda: self._client().write(writes), action, LOST if current else EXISTS)
        except RefusalError:
            return None
        return Stored(document=document, version=Version(etag=etag, indexed=attention is not None))

    def models(self, after: str | None, limit: int) -> list[str]:
        """Return up to *limit* ids after *after*, in the order of their keys; see the port."""
        position = literal(row_key(after) if after is not None else INDEX_END)
        return self._query(f"RowKey gt {position}", limit, f"list the models in the table {self._table}")

    def due(self, until: datetime, limit: int) -> list[str] | None:
        """Return the ids of up to *limit* models that need attention at *until*; see the port."""
        index = f"RowKey gt {literal(INDEX_START)} and RowKey lt {literal(INDEX_END)}"
        condition = f"{index} and attention le {literal(_sortable(until))}"
        return self._query(condition, limit, f"list the due models in the table {self._table}")

    def model_of_run(self, name: str) -> str | None:  # noqa: ARG002 - as the port
        """Return None: the events of Azure Machine Learning name the model."""
        return None

    def _query(self, condition: str, limit: int, action: str) -> list[str]:
        """Return the ids of up to *limit* models that match; each page is a call of its own."""
        found: list[str] = []
        after: Position | None = BEGINNING
        while after is not None and len(found) < limit:
            page = self._page(condition, ["model_id"], limit, after, action)
            found += [str(entity["model_id"]) for entity in page.entities]
            after = page.after or None
        return found[:limit]

    def _page(self, condition: str, select: Sequence[str], limit: int, after: Position, action: str) -> Page:
        whole = f"PartitionKey eq {literal(PARTITION)} and {condition}"
        return self._call(lambda: self._client().query(whole, select, limit, after), action)

    def _call(self, work: Callable[[], T], action: str, judged: Collection[str] = ()) -> T:
        return call(
            work,
            service="Azure Tables",
            action=action,
            judged=judged,
            remedies=_REMEDIES,
            persistence=self._persistence,
        )


def row_key(model_id: str) -> str:
    """Return the key of a model's entity: its id, with escapes such as `=E2` for characters that a key may not have.

    The usual escape is a percent sign, but the table service handles that badly in keys. A key that would be too long
    ends in `!` and a hash; no other key has a `!`.
    """
    key = quote(model_id, safe="").replace("%", "=")
    if len(key) <= LONGEST_KEY:
        return key
    digest = hashlib.sha256(model_id.encode()).hexdigest()
    return f"{key[: LONGEST_KEY - len(digest) - 1]}!{digest}"


def _index_key(model_id: str) -> str:
    return f"{INDEX_START}{hashlib.sha256(model_id.encode()).hexdigest()}"


def _sortable(moment: datetime) -> str:
    """Return *moment* as text of a fixed width, which sorts by time."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _stored(properties: Mapping[str, Any], etag: str) -> Stored:
    """Return an entity as the port has it."""
    return Stored(document=_joined(properties), version=Version(etag=etag, indexed=properties.get("indexed")))


def _split(document: str) -> dict[str, str]:
    starts = range(0, len(document), PIECE)
    return {f"document_{number:02}": document[start : start + PIECE] for number, start in enumerate(starts)}


def _joined(entity: Mapping[str, Any]) -> str:
    return "".join(entity[name] for name in sorted(entity) if name.startswith("document_"))
