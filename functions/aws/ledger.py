"""DynamoDB as ledger: one item for each model, replaced if its version is unchanged."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from zlib import crc32

from functions.aws.errors import MISSING_RIGHT, RefusalError, translated
from shared.backoff import Backoff
from shared.errors import UnavailableError
from shared.ports import NOT_INDEXED, IndexEntry, Stored

LOST: Final = frozenset({"ConditionalCheckFailedException"})
# A table without the index, or one whose index is still being built; a role of the previous version may not read it.
NO_INDEX: Final = frozenset({"ValidationException", "ResourceNotFoundException", *MISSING_RIGHT})
# The global secondary index, its partition key and its sort key. Items without these attributes are not in it.
INDEX: Final = "attention"
PARTITION: Final = "attention_partition"
TIME: Final = "attention_at"
# A partition takes 1000 writes a second, and an index that is slower slows the table down. A sweep queries each one.
PARTITIONS: Final = 4
# A hundred items of 400 KB come in three answers of 16 MB; the other attempts are for a table that is throttled.
UNPROCESSED: Final = Backoff(attempts=8, base=0.05, longest=2.0)


class DynamoDbClient(Protocol):
    """The operations of botocore's `dynamodb` client that are used."""

    def get_item(self, **arguments: object) -> Mapping[str, Any]:
        """Read an item."""

    def batch_get_item(self, **arguments: object) -> Mapping[str, Any]:
        """Read up to a hundred items, and return the keys of those that did not fit or were throttled."""

    def put_item(self, **arguments: object) -> Mapping[str, Any]:
        """Write an item."""

    def query(self, **arguments: object) -> Mapping[str, Any]:
        """Read a page of items with the same partition key."""

    def scan(self, **arguments: object) -> Mapping[str, Any]:
        """Read a page of items."""


class DynamoLedger:
    """A `shared.ports.Ledger` in a table whose partition key is the string `model_id`.

    Args:
        client: returns the `dynamodb` client.
        table: the name or ARN of the table.
        unprocessed: how often items that DynamoDB did not return are requested, and the waits.

    """

    def __init__(self, client: Callable[[], DynamoDbClient], table: str, unprocessed: Backoff = UNPROCESSED) -> None:
        """Keep the arguments."""
        self._client = client
        self._table = table
        self._unprocessed = unprocessed

    def load(self, model_id: str) -> Stored:
        """Return the newest document of *model_id*; see the port."""
        with translated("DynamoDB", f"read the state of {model_id!r} from the table {self._table}"):
            answer = self._client().get_item(
                TableName=self._table, Key={"model_id": {"S": model_id}}, ConsistentRead=True
            )
        return _stored(answer.get("Item", {}))

    def load_many(self, model_ids: Sequence[str]) -> Mapping[str, Stored]:
        """Return the newest document of each model, a hundred or 16 MB in a call; see the port."""
        stored = dict.fromkeys(model_ids, Stored(document=None))
        keys = [{"model_id": {"S": model_id}} for model_id in model_ids]
        left: Mapping[str, object] = {self._table: {"Keys": keys, "ConsistentRead": True}} if keys else {}
        action, attempt = f"read the states of {len(keys)} models from the table {self._table}", 0
        while left:
            if attempt == self._unprocessed.attempts:
                raise UnavailableError("DynamoDB", action, "it leaves keys unprocessed")
            self._unprocessed.pause(attempt)
            try:
                with translated("DynamoDB", action, MISSING_RIGHT):
                    answer = self._client().batch_get_item(RequestItems=left)
            except RefusalError:
                # A role of the previous version may read items one by one only.
                return {model_id: self.load(model_id) for model_id in model_ids}
            items = [item for table in answer["Responses"].values() for item in table]
            stored |= {item["model_id"]["S"]: _stored(item) for item in items}
            left, attempt = answer.get("UnprocessedKeys", {}), attempt + 1
        return stored

    def save(self, model_id: str, document: str, version: object, entry: IndexEntry = NOT_INDEXED) -> Stored | None:
        """Replace the document if it still has *version*; see the port."""
        current = version if isinstance(version, int) else 0
        item = {
            "model_id": {"S": model_id},
            "version": {"N": str(current + 1)},
            "document": {"S": document},
            **_indexed(model_id, entry),
        }
        try:
            with translated("DynamoDB", f"save the state of {model_id!r} to the table {self._table}", LOST):
                self._client().put_item(TableName=self._table, Item=item, **_condition(current))
        except RefusalError:
            return None
        return Stored(document=document, version=current + 1)

    def models(self, after: str | None, limit: int) -> list[str]:
        """Return up to *limit* ids after *after*, in the order of the table's hashes; see the port."""
        found: list[str] = []
        start = {"model_id": {"S": after}} if after is not None else None
        # A page may be empty although more follow: only a missing LastEvaluatedKey means the end.
        while len(found) < limit:
            page = self._page(start, limit - len(found))
            found += [item["model_id"]["S"] for item in page["Items"]]
            start = page.get("LastEvaluatedKey")
            if start is None:
                break
        return found

    def due(self, until: datetime, limit: int) -> list[str] | None:
        """Return the ids of up to *limit* models that need attention at *until*; see the port."""
        found: list[str] = []
        for partition in range(PARTITIONS):
            start: Mapping[str, object] | None = None
            while len(found) < limit:
                try:
                    page = self._due_page(str(partition), _sortable(until), start, limit - len(found))
                except RefusalError:
                    return None
                found += [item["model_id"]["S"] for item in page["Items"]]
                start = page.get("LastEvaluatedKey")
                if start is None:
                    break
        return found

    def model_of_run(self, name: str) -> str | None:  # noqa: ARG002 - as the port
        """Return None: the events of SageMaker name the model, and a table builds its indexes one by one."""
        return None

    def _due_page(
        self, partition: str, until: str, start: Mapping[str, object] | None, limit: int
    ) -> Mapping[str, Any]:
        position = {"ExclusiveStartKey": start} if start is not None else {}
        with translated("DynamoDB", f"list the due models in the table {self._table}", NO_INDEX):
            return self._client().query(
                TableName=self._table,
                IndexName=INDEX,
                KeyConditionExpression="#partition = :partition AND #time <= :until",
                ExpressionAttributeNames={"#partition": PARTITION, "#time": TIME},
                ExpressionAttributeValues={":partition": {"S": partition}, ":until": {"S": until}},
                Limit=limit,
                **position,
            )

    def _page(self, start: Mapping[str, object] | None, limit: int) -> Mapping[str, Any]:
        position = {"ExclusiveStartKey": start} if start is not None else {}
        with translated("DynamoDB", f"list the models in the table {self._table}"):
            return self._client().scan(TableName=self._table, ProjectionExpression="model_id", Limit=limit, **position)


def _stored(item: Mapping[str, Any]) -> Stored:
    """Return an item as the port has it."""
    if "document" not in item:
        return Stored(document=None)
    return Stored(document=item["document"]["S"], version=int(item["version"]["N"]))


def _indexed(model_id: str, entry: IndexEntry) -> dict[str, dict[str, str]]:
    """Return the attributes of an item that put it into the index."""
    if entry.attention is None:
        return {}
    partition = crc32(model_id.encode("utf-8", "surrogatepass")) % PARTITIONS
    return {PARTITION: {"S": str(partition)}, TIME: {"S": _sortable(entry.attention)}}


def _sortable(moment: datetime) -> str:
    """Return *moment* as text of a fixed width, which sorts by time."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _condition(current: int) -> dict[str, object]:
    """Return the condition that an item still has the version *current*; 0 means that there is no item."""
    # Attribute names are given as placeholders, since DynamoDB reserves hundreds of words.
    names = {"ExpressionAttributeNames": {"#version": "version"}}
    if not current:
        return {"ConditionExpression": "attribute_not_exists(#version)", **names}
    return {
        "ConditionExpression": "#version = :current",
        "ExpressionAttributeValues": {":current": {"N": str(current)}},
        **names,
    }
