"""Google's bus: a topic that pushes to `receive`, and a topic for dead letters."""

import base64
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from emulators.framework import FrameworkFunction
from emulators.loopback import Answer, LoopbackServer, Request
from emulators.pubsub import PubSub, push_body
from emulators.vertex.log_entries import sink_message
from examples.demo.arrivals import gcs_message
from examples.demo.local_stage import http

Json = dict[str, Any]

TOPIC, LETTERS = "retraining", "dead-letters"
RETRY = {"minimumBackoff": "1s", "maximumBackoff": "10s"}


@dataclass(kw_only=True, eq=False)
class Bus:
    """The topic with its push subscription.

    Attributes:
        pubsub: Pub/Sub.
        receive: the function that the subscription pushes to.
        pushes: the server between the two, which records the messages that the function acknowledges.

    """

    pubsub: PubSub
    receive: FrameworkFunction
    pushes: LoopbackServer = field(init=False)
    _taken: set[str] = field(default_factory=set)
    _ends: set[str] = field(default_factory=set)
    _sent: dict[str, Json] = field(default_factory=dict)
    _letters: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pushes = LoopbackServer(self._push)

    def set_up(self) -> None:
        """Create topics and subscriptions: one that pushes, retries and gives up, one that keeps the dead letters."""
        self.pubsub.make_topics(TOPIC, LETTERS, "undeliverable")
        self.pubsub.subscribe(LETTERS, LETTERS)
        self.pubsub.subscribe(
            "receive",
            TOPIC,
            pushConfig={"pushEndpoint": self.pushes.url},
            retryPolicy=RETRY,
            deadLetterPolicy={
                "deadLetterTopic": self.pubsub.topic("undeliverable"),
                "maxDeliveryAttempts": 20,
            },
        )

    @property
    def address(self) -> str:
        """The address at which the function receives messages."""
        return f"{self.receive.url}/{self.pubsub.topic(TOPIC)}"

    def deliver(self, event: Json, times: int) -> str:
        """Publish *event* once; then deliver its message again, since Pub/Sub delivers at least once."""
        content = json.dumps(event)
        if content not in self._sent:
            message = {"data": base64.b64encode(content.encode()).decode()}
            (message_id,) = self.pubsub.publish(TOPIC, [message])
            self._sent[content] = {**message, "messageId": message_id}
            times -= 1
        message = self._sent[content]
        for _ in range(times):
            http(self.address, "POST", push_body("projects/acme/subscriptions/receive", message))
        return f"ml3_platform:{message['messageId']}"

    def announce_file(self) -> None:
        """Publish the bucket's notification of the file in the story, twice, as a bucket may."""
        self.pubsub.publish(TOPIC, [gcs_message()] * 2)

    def report(self, entry: Json) -> None:
        """Publish a log entry of Vertex AI, twice, as the sink may."""
        self._ends.update(self.pubsub.publish(TOPIC, [sink_message(entry)] * 2))

    def ends_are_taken(self) -> bool:
        """Whether the function acknowledged every log entry that was published."""
        return self._ends <= self._taken

    def dead_letters(self) -> list[Json]:
        """Return every dead letter so far."""
        self._letters += [json.loads(base64.b64decode(each["data"])) for each in self.pubsub.take(LETTERS)]
        return self._letters

    def _push(self, request: Request) -> Answer:
        content = json.loads(request.body)
        status, _ = http(self.address, "POST", content)
        if status == HTTPStatus.OK:
            self._taken.add(content["message"]["messageId"])
        return Answer(status=status)
