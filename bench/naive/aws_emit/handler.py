"""The usual function that puts an event on EventBridge: its client is made at import, as AWS recommends."""

import json
import os
from typing import Any

import boto3

events = boto3.client("events")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Put the trigger on the bus."""
    entry = {
        "Source": "ml3_platform",
        "DetailType": "retrain_trigger",
        "Detail": json.dumps(event),
        "EventBusName": os.environ["RETRAIN_BUS"],
    }
    answer = events.put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise RuntimeError(answer["Entries"])
    return {"accepted": event["model_id"]}
