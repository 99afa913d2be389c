"""The answers of api.github.com, as its documentation and its users describe them."""

import json
from collections.abc import Mapping
from typing import Any

from emulators.loopback import Answer, json_answer

DOCUMENTATION = "https://docs.github.com/rest/repos/repos#create-a-repository-dispatch-event"
# REST documentation, "Create a repository dispatch event".
MOST_PROPERTIES = 10
LONGEST_EVENT_TYPE = 100
LARGEST_PAYLOAD = 65_535


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an error in GitHub's form, with the status in the body as well."""
    body = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
    return json_answer(status, body, headers, content_type="application/json; charset=utf-8")


def problem_of(body: bytes) -> Answer | None:
    """Return the refusal of a request; None if it is accepted."""
    try:
        content = json.loads(body)
    except ValueError:
        return error(400, "Problems parsing JSON")
    if not isinstance(content, dict) or not isinstance(content.get("event_type"), str):
        return error(422, 'Invalid request.\n\n"event_type" wasn\'t supplied.')
    if not 1 <= len(content["event_type"]) <= LONGEST_EVENT_TYPE:
        return error(422, "Invalid request.\n\nevent_type is too long (maximum is 100 characters)")
    return _payload_problem(content.get("client_payload", {}))


def _payload_problem(payload: Any) -> Answer | None:
    if not isinstance(payload, dict):
        return error(422, "Invalid request.\n\nFor 'properties/client_payload', payload is not an object.")
    if len(payload) > MOST_PROPERTIES:
        return error(422, f"Invalid request.\n\nNo more than 10 properties are allowed; {len(payload)} were supplied.")
    if len(json.dumps(payload, separators=(",", ":"), ensure_ascii=False)) > LARGEST_PAYLOAD:
        return error(422, "client_payload is too large.")
    return None
