"""The topic itself: an HTTP server that takes events and hands them to its subscriptions."""

import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from emulators.arm.identity import Identity
from emulators.event_grid.schema import Json, RefusedError, read
from emulators.event_grid.subscription import Subscription
from emulators.loopback import Answer, LoopbackServer, Request

KEY: Final = "bm8gc2VjcmV0LCBmb3IgdGVzdHMgb25seQ=="
RESOURCE: Final = "https://eventgrid.azure.net"
TOPIC: Final = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/retraining"
    "/providers/Microsoft.EventGrid/topics/retraining"
)
PATH: Final = "/api/events"
API_VERSION: Final = "2018-01-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFault:
    """An order to fail requests; nothing is taken, unless it says so.

    Attributes:
        status: the status of the answer; 0: stay silent for `seconds`, then close the connection.
        headers: such as `Retry-After`.
        seconds: how long the silence lasts.
        times: how many requests it hits; a client's own attempts count one by one.
        taken: whether the events are taken all the same.

    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    times: int = 1
    taken: bool = False


@dataclass(kw_only=True, eq=False)
class EventGridStandIn:
    """A custom topic for events of the Event Grid schema.

    Attributes:
        key: what publishers must send as `aeg-sas-key`; none: keys are disabled.
        identity: whose tokens are taken as well.
        topic: the resource id.
        subscriptions: who gets the events.
        events: what was taken, in the order of its arrival.
        requests: how many requests there were, by status; 0 for those that got no answer.

    """

    key: str | None = KEY
    identity: Identity | None = None
    topic: str = TOPIC
    subscriptions: list[Subscription] = field(default_factory=list)
    events: list[Json] = field(init=False, default_factory=list)
    requests: Counter[int] = field(init=False, default_factory=Counter)

    def __post_init__(self) -> None:
        """Bind a free port; nothing is answered before the context is entered."""
        self._lock = threading.Lock()
        self._faults: list[TopicFault] = []
        self._closing = threading.Event()
        self._server = LoopbackServer(self._respond)

    @property
    def endpoint(self) -> str:
        """The topic's endpoint, for `RETRAIN_BUS`."""
        return self._server.url + PATH

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wake what hangs, and stop answering."""
        self._closing.set()
        self._server.close()

    def fail(self, fault: TopicFault) -> None:
        """Fail the next requests."""
        with self._lock:
            self._faults += [fault] * fault.times

    def _respond(self, request: Request) -> Answer | None:
        with self._lock:
            fault = self._faults.pop(0) if self._faults else None
        answer = self._ordered(fault, request) if fault else self._work(request)
        with self._lock:
            self.requests[answer.status if answer else 0] += 1
        return answer

    def _ordered(self, fault: TopicFault, request: Request) -> Answer | None:
        if fault.taken:
            self._work(request)
        if fault.status:
            refusal = _refused(RefusedError(fault.status, "OrderedByATest", "ordered by a test"))
            return Answer(status=refusal.status, body=refusal.body, headers={**refusal.headers, **fault.headers})
        self._closing.wait(fault.seconds)
        return None

    def _work(self, request: Request) -> Answer:
        try:
            self._check(request)
            events = read(request.body, self.topic)
        except RefusedError as error:
            return _refused(error)
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


def _refused(error: RefusedError) -> Answer:
    body = {"error": {"code": error.code, "message": str(error), "details": [{"code": error.code}]}}
    return Answer(status=error.status, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
