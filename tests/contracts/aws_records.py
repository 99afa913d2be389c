"""Lambda's record of an asynchronous invocation that failed, as a destination on failure gets it."""

from typing import Any, Final

FUNCTION: Final = "arn:aws:lambda:eu-west-3:123456789012:function"


def record(event: object, function: str = "receive") -> dict[str, Any]:
    """Return the record of *function* failing with *event* three times, in the form of the developer guide."""
    return {
        "version": "1.0",
        "timestamp": "2026-11-21T12:04:05.568Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
            "functionArn": f"{FUNCTION}:{function}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "DynamoDB could not load; try again", "errorType": "UnavailableError"},
    }
