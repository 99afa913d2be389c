"""The requests that Event Grid sends to an endpoint: to validate it, and to deliver events."""

import http.client
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from emulators.loopback import Answer

# Documentation, "Event Grid message delivery and retry": seconds in which an endpoint must answer.
ANSWER_TIME_LIMIT: Final = 30


def shake_hands(url: str) -> None:
    """Check that an endpoint wants events.

    Raises:
        PermissionError: the endpoint does not return the code that it was sent.

    """
    code = secrets.token_hex(16)
    event = {
        "id": secrets.token_hex(8),
        "topic": "",
        "subject": "",
        "data": {"validationCode": code, "validationUrl": f"{url}#validate"},
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": datetime.now(UTC).isoformat(),
        "metadataVersion": "1",
        "dataVersion": "1",
    }
    answer = posted(url, [event], {"aeg-event-type": "SubscriptionValidation"})
    # 202 is not enough: the status must be 200, and the body must contain the code.
    if answer.status != 200 or json.loads(answer.body) != {"validationResponse": code}:
        raise PermissionError(f"{url.partition('?')[0]} did not prove that it wants events: {answer.status}")


def posted(url: str, body: object, headers: Mapping[str, str]) -> Answer:
    """Send JSON and return the answer, with header names in lower case; status 0 if there is none."""
    request = urllib.request.Request(  # noqa: S310 - our own server
        url, json.dumps(body).encode(), {"Content-Type": "application/json; charset=utf-8", **headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_TIME_LIMIT) as answer:  # noqa: S310 - our own server
            return _read(answer.status, answer)
    except urllib.error.HTTPError as error:
        with error:
            return _read(error.code, error)
    except (OSError, http.client.HTTPException):
        return Answer(status=0)


def _read(status: int, answer: Any) -> Answer:
    named = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(status=status, body=answer.read(), headers=named)
