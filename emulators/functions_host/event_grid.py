"""The webhook of the Event Grid extension: the only way for events to reach a function with an Event Grid trigger."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from emulators.functions_host.http import Call
from emulators.functions_host.keys import Keys
from emulators.loopback import Answer

# This header of an answer names the invocations that the request caused.
INVOCATIONS: Final = "x-ms-invocation-id"


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Answers requests as the extension does.

    Attributes:
        keys: the keys of the app; the webhook needs the system key.
        functions: returns the functions of the app.
        invoke: invokes a function and returns the id of the invocation, and its error, empty if it succeeded.

    """

    keys: Keys
    functions: Callable[[], Mapping[str, Any]]
    invoke: Callable[[str, object], tuple[str, str]]

    def respond(self, call: Call) -> Answer:
        """Answer a request from Event Grid."""
        if call.query.get("code") != self.keys.event_grid:
            return Answer(status=401)
        function = call.query.get("functionName", "")
        if not self._is_subscriber(function):
            return Answer(status=404, body=f"cannot find function: '{function}'".encode())
        kind = call.headers.get("aeg-event-type", "").lower()
        if kind == "subscriptionvalidation":
            code = json.loads(call.body)[0]["data"]["validationCode"]
            return Answer(status=200, body=json.dumps({"validationResponse": code}).encode())
        if kind == "notification":
            return self._notify(function, call.body)
        return Answer(status=202 if kind == "unsubscribe" else 400)

    def _is_subscriber(self, function: str) -> bool:
        bindings = self.functions().get(function, {"bindings": ()})["bindings"]
        return any(binding["type"] == "eventGridTrigger" for binding in bindings)

    def _notify(self, function: str, body: bytes) -> Answer:
        """Invoke the function once for each event, all at the same time: 202 if all succeeded, else 500."""
        try:
            content = json.loads(body)
        except ValueError:
            return Answer(status=500)
        events = content if isinstance(content, list) else [content]
        if not all(isinstance(event, dict) for event in events):
            return Answer(status=500)
        with ThreadPoolExecutor(len(events) or 1) as pool:
            ended = list(pool.map(lambda event: self.invoke(function, event), events))
        errors = [error for _, error in ended if error]
        headers = {INVOCATIONS: ",".join(identifier for identifier, _ in ended)}
        return Answer(status=500 if errors else 202, body=errors[0].encode() if errors else b"", headers=headers)
