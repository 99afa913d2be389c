"""Azure's bus: a topic of Event Grid with its two subscriptions."""

from dataclasses import dataclass, field
from typing import Any

from azure.core.credentials import AzureKeyCredential
from azure.eventgrid import EventGridEvent, EventGridPublisherClient

from emulators.event_grid import EventGridStandIn, Subscription
from emulators.event_grid.standin import KEY
from examples.demo.stage import UNKNOWN_MODEL
from shared.trigger import derived_id

Json = dict[str, Any]


@dataclass(kw_only=True, eq=False)
class Bus:
    """The topic with its two subscriptions.

    Attributes:
        topic: the Event Grid topic.
        trigger: delivers to the function with the Event Grid trigger.
        webhook: delivers events in snake case, whose fields the library of the trigger drops.

    """

    topic: EventGridStandIn
    trigger: Subscription
    webhook: Subscription
    _sent: dict[str, Json] = field(default_factory=dict)

    def deliver(self, event: Json, times: int) -> str:
        """Publish *event* once, with the SDK; then deliver it again, since Event Grid delivers at least once."""
        model_id = event["data"]["model_id"]
        if model_id == UNKNOWN_MODEL:
            # This event is delivered unchanged, in snake case, to the webhook.
            self.webhook.deliver(*[event] * times)
            return ""
        if model_id not in self._sent:
            with EventGridPublisherClient(self.topic.endpoint, AzureKeyCredential(KEY)) as publisher:
                publisher.send(EventGridEvent(**event))
            self._sent[model_id] = self.topic.events[-1]
            times -= 1
        sent = self._sent[model_id]
        for _ in range(times):
            self.trigger.put(sent)
        return derived_id(*(sent[name] for name in ("topic", "subject", "eventType", "id")))

    def report(self, event: Json) -> None:
        """Deliver an event of Azure ML or of a storage account, twice, as a system topic may."""
        for _ in range(2):
            self.trigger.put(event)
