"""Azure Tables as ledger: one entity for each model, replaced if its ETag is unchanged."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, Final, Protocol
from urllib.parse import quote

from functions.azure.errors import STANDARD, Persistence, RefusalError, call
from shared.ports import Stored

# One partition, so that the models can be listed in order; it serves 2000 operations a second, far more than needed.
PARTITION: Final = "models"
# Data model of the table service: a key has at most 1 KiB of UTF-16, and no / \ # ? or control character.
LONGEST_KEY: Final = 512
# Data model: a string has at most 64 KiB of UTF-16, an entity 1 MiB. A character takes two or four bytes, so this many
# always fit into a property; a document of at most 380 KB of UTF-8 takes at most 760 KB.
PIECE: Final = 16_384

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

    def query_entities(self, query_filter: str, **options: Any) -> Iterable[Mapping[str, Any]]:  # noqa: ANN401
        """Read the entities that match, page by page."""


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
        return Stored(document=_joined(entity), version=entity.metadata["etag"])

    def save(self, model_id: str, document: str, version: object) -> Stored | None:
        """Replace the document if it still has *version*; see the port."""
        entity = {"PartitionKey": PARTITION, "RowKey": row_key(model_id), "model_id": model_id, **_split(document)}
        action = f"save the state of {model_id!r} to the table {self._table}"
        try:
            if isinstance(version, str):
                answer = self._call(lambda: self._replace(entity, version), action, LOST)
            else:
                answer = self._call(lambda: self._client().create_entity(entity), action, EXISTS)
        except RefusalError:
            return None
        return Stored(document=document, version=answer["etag"])

    def models(self, after: str | None, limit: int) -> list[str]:
        """Return up to *limit* ids after *after*, in the order of their keys; see the port."""
        position = "PartitionKey eq @partition and RowKey gt @after"
        parameters = {"partition": PARTITION, "after": row_key(after) if after is not None else ""}

        def read() -> list[str]:
            found = self._client().query_entities(
                position, parameters=parameters, select=["model_id"], results_per_page=min(limit, 1000)
            )
            return [str(entity["model_id"]) for entity in islice(found, limit)]

        action = f"list the models in the table {self._table}"
        return call(read, service="Azure Tables", action=action, persistence=self._persistence)

    def _replace(self, entity: Mapping[str, Any], version: str) -> Mapping[str, Any]:
        from azure.core import MatchConditions
        from azure.data.tables import UpdateMode

        return self._client().update_entity(
            entity, UpdateMode.REPLACE, etag=version, match_condition=MatchConditions.IfNotModified
        )

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


def _split(document: str) -> dict[str, str]:
    starts = range(0, len(document), PIECE)
    return {f"document_{number:02}": document[start : start + PIECE] for number, start in enumerate(starts)}


def _joined(entity: Mapping[str, Any]) -> str:
    return "".join(entity[name] for name in sorted(entity) if name.startswith("document_"))
