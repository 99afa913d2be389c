"""The topic: an HTTP server that accepts events and passes them to its subscriptions."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlsplit

from emulators.arm.identity import Identity
from emulators.event_grid.schema import Json, RefusedError, read
from emulators.event_grid.subscription import Subscription
from emulators.faults import Order
from emulators.loopback import Answer, Request
from emulators.standin import FaultyStandIn

KEY: Final = "bm8gc2VjcmV0LCBmb3IgdGVzdHMgb25seQ=="
RESOURCE: Final = "https://eventgrid.azure.net"
TOPIC: Final = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/retraining"
    "/providers/Microsoft.EventGrid/topics/retraining"
)
PATH: Final = "/api/events"
API_VERSION: Final = "2018-01-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFault(Order):
    """An order to fail requests; nothing is accepted, unless `taken` is set.

    Attributes:
        status: the status of the answer; 0: stay silent for `seconds`, then close the connection.
        headers: headers of the answer, such as `Retry-After`.
        taken: whether the events are accepted nevertheless.

    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    taken: bool = False

    @property
    def works_first(self) -> bool:
        """Whether the events are accepted before the request fails."""
        return self.taken

    def refusal(self) -> Answer | None:
        """Return the error answer; None for status 0."""
        if not self.status:
            return None
        return RefusedError(self.status, "OrderedByATest", "ordered by a test").answer(self.headers)


@dataclass(kw_only=True, eq=False)
class EventGridStandIn(FaultyStandIn[TopicFault]):
    """A custom topic for events of the Event Grid schema.

    Attributes:
        key: the key that publishers must send as `aeg-sas-key`; None: keys are disabled.
        identity: issues tokens that are accepted as well.
        topic: the resource id.
        subscriptions: the subscriptions that get the events.
        events: the events that were accepted, in the order of their arrival.
        requests: the number of requests by status; 0 for those that got no answer.

    """

    key: str | None = KEY
    identity: Identity | None = None
    topic: str = TOPIC
    subscriptions: list[Subscription] = field(default_factory=list)
    events: list[Json] = field(init=False, default_factory=list)
    requests: Counter[int] = field(init=False, default_factory=Counter)

    @property
    def endpoint(self) -> str:
        """The topic's endpoint, for `RETRAIN_BUS`."""
        return self.url + PATH

    def fail(self, fault: TopicFault) -> None:
        """Order a fault for the next requests."""
        self.faults.add(fault)

    def _respond(self, request: Request) -> Answer | None:
        answer = self._answer("publish", lambda: self._work(request))
        with self._lock:
            self.requests[answer.status if answer else 0] += 1
        return answer

    def _work(self, request: Request) -> Answer:
        try:
            self._check(request)
            events = read(request.body, self.topic)
        except RefusedError as error:
            return error.answer()
        with self._lock:
            self.events += events
        for subscription in self.subscriptions:
            for event in events:
                subscription.put(event)
        return Answer(status=200)

    def _check(self, request: Request) -> None:
        address = urlsplit(request.path)
        if (request.method, address.path) != ("POST", PATH):
            raise RefusedError(404, "NotFound", f"{request.method} {address.path} is not served here.")
        if parse_qs(address.query).get("api-version") != [API_VERSION]:
            raise RefusedError(400, "BadRequest", "The api-version query parameter is missing or not supported.")
        if not self._is_allowed(request):
            raise RefusedError(401, "Unauthorized", "The request authorization key is not authorized for this topic.")

    def _is_allowed(self, request: Request) -> bool:
        key = request.headers.get("aeg-sas-key")
        if key is not None:
            return key == self.key
        authorization = request.headers.get("authorization", "")
        return self.identity is not None and self.identity.allows(authorization, RESOURCE)
