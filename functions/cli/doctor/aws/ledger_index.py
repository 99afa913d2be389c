"""The index of the DynamoDB table: without it nothing fails, but each sweep reads every model."""

from collections.abc import Callable
from typing import Any, Final

from functions.aws.errors import translated
from functions.aws.ledger import INDEX, PARTITION, TIME
from functions.cli.doctor.aws.errors import explain
from functions.cli.doctor.check import Check, CheckSkippedError, CheckWarnedError, Setting

_COST: Final = "each sweep and GET /models?waiting=true read all models instead of those that need attention"
_UNREADABLE: Final = CheckSkippedError("not checked: the table does not exist")
_KEYS: Final = {(PARTITION, "HASH"), (TIME, "RANGE")}


def index_check(client: Callable[[], Any], setting: Setting) -> Check:
    """Return the check that the table has the index and that it is built; *client* returns the `dynamodb` client."""

    def run() -> None:
        table = setting.needed("RETRAIN_LEDGER")
        with (
            explain(_UNREADABLE, "ResourceNotFoundException", permission="dynamodb:DescribeTable"),
            translated("DynamoDB", f"look up the table {table}"),
        ):
            found = client().describe_table(TableName=table)["Table"]
        index = next((each for each in found.get("GlobalSecondaryIndexes", ()) if each["IndexName"] == INDEX), None)
        if index is None or {(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]} != _KEYS:
            what = f"no global secondary index {INDEX!r}" if index is None else f"an index {INDEX!r} with other keys"
            raise CheckWarnedError(
                f"the table {table} has {what}, so {_COST}; deploy the stack, which adds it, or add it to a"
                f" table of your own by `aws dynamodb update-table`, with the partition key {PARTITION} and the sort"
                f" key {TIME}, both strings, and the projection KEYS_ONLY"
            )
        if index.get("IndexStatus", "ACTIVE") != "ACTIVE":
            raise CheckWarnedError(
                f"the index {INDEX!r} of the table {table} is {index['IndexStatus']}, and until it is ACTIVE {_COST};"
                " wait until it is built"
            )

    return Check(name="ledger, index", about="the table has the index of the models that need attention", run=run)
