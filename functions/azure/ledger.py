"""Azure Tables as ledger: one entity for each model, replaced if its ETag is unchanged.

A model that needs attention has a second entity in the same partition, changed in the same transaction. Its key begins
with `!`, which no key of a model does, so these entities, and only these, are read to find what is due.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, Protocol
from urllib.parse import quote

from functions.azure.errors import STANDARD, Persistence, RefusalError, call
from shared.frozen import dataclass
from shared.ports import NOT_INDEXED, IndexEntry, Stored

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

EXISTS: Final = frozenset({"EntityAlreadyExists"})
MISSING: Final = frozenset({"ResourceNotFound", "EntityNotFound"})
LOST: Final = MISSING | {"UpdateConditionNotSatisfied", "ConditionNotMet"}


class Table(Protocol):
    """The methods of `azure.data.tables.TableClient` that are used."""

    def get_entity(self, partition_key: str, row_key: str) -> Any:  # noqa: ANN401 - a mapping with `metadata`
        """Read an entity."""

    def create_entity(self, entity: Mapping[str, Any]) -> Mapping[str, Any]:
        """Create an entity that must not exist."""

    def update_entity(self, entity: Mapping[str, Any], mode: Any, **options: Any) -> Mapping[str, Any]:  # noqa: ANN401
        """Replace an entity that must exist."""

    def submit_transaction(self, operations: Iterable[Any]) -> list[Mapping[str, Any]]:
        """Change several entities of one partition, all or none of them."""

    def query_entities(self, query_filter: str, **options: Any) -> Iterable[Mapping[str, Any]]:  # noqa: ANN401
        """Read the entities that match, page by page."""


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

    def __init__(self, client: Callable[[], Table], table: str, *, persistence: Persistence = STANDARD) -> None:
        """Keep the arguments."""
        self._client = client
        self._table = table
        self._persistence = persistence

    def load(self, model_id: str) -> Stored:
        """Return the newest document of *model_id*; see the port. Reads of a table are consistent."""
        action = f"read the state of {model_id!r} from the table {self._table}"
        try:
            entity = self._call(lambda: self._client().get_entity(PARTITION, row_key(model_id)), action, MISSING)
        except RefusalError:
            return Stored(document=None)
        return Stored(
            document=_joined(entity), version=Version(etag=entity.metadata["etag"], indexed=entity.get("indexed"))
        )

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
        beside: list[tuple[object, ...]] = []
        if attention is not None:
            beside.append(("upsert", {**indexing, "attention": attention}, {"mode": "replace"}))
        elif current is not None and current.indexed:
            beside.append(("delete", indexing))
        action = f"save the state of {model_id!r} to the table {self._table}"
        try:
            etag = self._call(lambda: self._write(entity, current, beside), action, LOST if current else EXISTS)
        except RefusalError:
            return None
        return Stored(document=document, version=Version(etag=etag, indexed=attention is not None))

    def models(self, after: str | None, limit: int) -> list[str]:
        """Return up to *limit* ids after *after*, in the order of their keys; see the port."""
        position = "PartitionKey eq @partition and RowKey gt @after"
        parameters = {"partition": PARTITION, "after": row_key(after) if after is not None else INDEX_END}
        return self._query(position, parameters, limit, f"list the models in the table {self._table}")

    def due(self, until: datetime, limit: int) -> list[str] | None:
        """Return the ids of up to *limit* models that need attention at *until*; see the port."""
        position = "PartitionKey eq @partition and RowKey gt @start and RowKey lt @end and attention le @until"
        parameters = {"partition": PARTITION, "start": INDEX_START, "end": INDEX_END, "until": _sortable(until)}
        return self._query(position, parameters, limit, f"list the due models in the table {self._table}")

    def model_of_run(self, name: str) -> str | None:  # noqa: ARG002 - as the port
        """Return None: the events of Azure Machine Learning name the model."""
        return None

    def _query(self, position: str, parameters: Mapping[str, str], limit: int, action: str) -> list[str]:
        def read() -> list[str]:
            found = self._client().query_entities(
                position, parameters=parameters, select=["model_id"], results_per_page=min(limit, 1000)
            )
            return [str(entity["model_id"]) for entity in islice(found, limit)]

        return call(read, service="Azure Tables", action=action, persistence=self._persistence)

    def _write(self, entity: Mapping[str, Any], current: Version | None, beside: list[tuple[object, ...]]) -> str:
        """Create or replace *entity*, together with the operations *beside* it, and return its new ETag."""
        from azure.core import MatchConditions
        from azure.data.tables import UpdateMode

        condition = {"etag": current.etag, "match_condition": MatchConditions.IfNotModified} if current else {}
        client = self._client()
        if beside:
            replace = ("update", entity, {"mode": UpdateMode.REPLACE, **condition})
            answers = client.submit_transaction([replace if current else ("create", entity), *beside])
            return str(answers[0]["etag"])
        if current:
            return str(client.update_entity(entity, UpdateMode.REPLACE, **condition)["etag"])
        return str(client.create_entity(entity)["etag"])

    def _call(self, work: Callable[[], Any], action: str, judged: frozenset[str]) -> Any:  # noqa: ANN401 - as the SDK
        return call(work, service="Azure Tables", action=action, judged=judged, persistence=self._persistence)


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


def _split(document: str) -> dict[str, str]:
    starts = range(0, len(document), PIECE)
    return {f"document_{number:02}": document[start : start + PIECE] for number, start in enumerate(starts)}


def _joined(entity: Mapping[str, Any]) -> str:
    return "".join(entity[name] for name in sorted(entity) if name.startswith("document_"))
