"""Pub/Sub over REST, past all gates: creates topics and subscriptions, publishes and pulls messages."""

import http.client
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_MOST: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PubSub:
    """A project on a Pub/Sub emulator.

    Attributes:
        address: host and port.
        project: the project's id.

    """

    address: str
    project: str

    def topic(self, name: str) -> str:
        """Return the full name of a topic."""
        return f"projects/{self.project}/topics/{name}"

    def make_topics(self, *names: str) -> None:
        """Create topics."""
        for name in names:
            self._call("PUT", self.topic(name), {})

    def subscribe(self, name: str, topic: str, **settings: object) -> None:
        """Create a subscription to a topic; *settings* are fields of its REST resource."""
        self._call("PUT", self._subscription(name), {"topic": self.topic(topic), "ackDeadlineSeconds": 60, **settings})

    def remove(self, *names: str) -> None:
        """Delete subscriptions."""
        for name in names:
            self._call("DELETE", self._subscription(name), {})

    def push(self, subscription: str, url: str) -> None:
        """Make a subscription push to *url* from now on; if *url* is empty, make it wait to be pulled."""
        config = {"pushEndpoint": url} if url else {}
        self._call("POST", f"{self._subscription(subscription)}:modifyPushConfig", {"pushConfig": config})

    def publish(self, topic: str, messages: Sequence[Mapping[str, object]]) -> list[str]:
        """Publish messages, their data in base64, and return their ids."""
        ids: list[str] = self._call("POST", f"{self.topic(topic)}:publish", {"messages": list(messages)})["messageIds"]
        return ids

    def take(self, subscription: str) -> list[Json]:
        """Pull and acknowledge all messages of a subscription; return them as published, in order of arrival."""
        taken: list[Json] = []
        while received := self._pull(subscription):
            self._call(
                "POST",
                f"{self._subscription(subscription)}:acknowledge",
                {"ackIds": [each["ackId"] for each in received]},
            )
            taken += [each["message"] for each in received]
        return taken

    def discard(self, subscriptions: Iterable[str]) -> None:
        """Drop all messages of subscriptions, including those that were delivered and would be redelivered."""
        for name in subscriptions:
            self._call("POST", f"{self._subscription(name)}:seek", {"time": "2100-01-01T00:00:00Z"})

    def _pull(self, subscription: str) -> list[Json]:
        content = {"maxMessages": _MOST, "returnImmediately": True}
        answer = self._call("POST", f"{self._subscription(subscription)}:pull", content)
        received: list[Json] = answer.get("receivedMessages", [])
        return received

    def _subscription(self, name: str) -> str:
        return f"projects/{self.project}/subscriptions/{name}"

    def _call(self, method: str, path: str, content: object) -> Json:
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.request(method, f"/v1/{path}", json.dumps(content), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body: Json = json.loads(answer.read() or b"{}")
        finally:
            connection.close()
        if answer.status not in range(200, 300):
            raise RuntimeError(f"Pub/Sub: {method} {path}: {body}")
        return body


def push_body(subscription: str, message: Mapping[str, object]) -> Json:
    """Return the body of a push request for a message, wrapped, which is the default."""
    return {"subscription": subscription, "message": dict(message)}
