"""Creates the table of the ledger in an emulated DynamoDB, as `template.yaml` creates it."""

from typing import Any

from functions.aws.ledger import INDEX, PARTITION, TIME


def create_ledger_table(dynamodb: Any, name: str, *, index: bool = True) -> None:
    """Create a table with the name *name* by the client *dynamodb*, with the *index* or as the previous version did."""
    keys = ["model_id", PARTITION, TIME] if index else ["model_id"]
    schema = [{"AttributeName": PARTITION, "KeyType": "HASH"}, {"AttributeName": TIME, "KeyType": "RANGE"}]
    indexes = [{"IndexName": INDEX, "KeySchema": schema, "Projection": {"ProjectionType": "KEYS_ONLY"}}]
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "model_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
        **({"GlobalSecondaryIndexes": indexes} if index else {}),
    )
