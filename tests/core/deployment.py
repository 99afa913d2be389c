"""A whole deployment in memory, with an HTTP API, an event bus that delivers, and a clock that a test moves."""

import itertools
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from shared.api import respond
from shared.decision.state import Decided, ModelState
from shared.http.messages import Request, Response
from shared.http.parts import EmitterParts
from shared.ledger.document import read_state
from shared.ports import EventBus, RunResult
from shared.receive import receive
from shared.training.arrivals import Outcome
from shared.training.parts import ReceiverParts
from shared.trigger import RetrainTrigger, run_name
from shared.wire import eventbridge
from shared.wire.incoming import Incoming
from tests.core.samples import NOW, configured, model_text
from tests.fakes.faults import Gate, perform
from tests.fakes.memory import IMMEDIATELY, MemoryBus, MemoryDeadLetters, MemoryLedger
from tests.fakes.outlets import Channels, MemoryDispatcher, MemoryNotifier, Repositories
from tests.fakes.training import MemoryLauncher, TrainingService

SOURCE = "ml3_platform"
STATUSES = {RunResult.SUCCEEDED: "Succeeded", RunResult.FAILED: "Failed", RunResult.STOPPED: "Stopped"}


def decode(event: object) -> Incoming:
    """Read what EventBridge delivers."""
    return eventbridge.decode(event, SOURCE)


def event(detail: object, event_id: str | None = "e-1", **envelope: object) -> dict[str, Any]:
    """Return a trigger event with *detail* as EventBridge delivers it."""
    named = {} if event_id is None else {"id": event_id}
    sent = {"source": SOURCE, "detail-type": "retrain_trigger", "time": "2026-11-21T02:59:58Z", "detail": detail}
    return {**named, **sent, **envelope}


def trigger_event(name: str = "t-1", **fields: object) -> dict[str, object]:
    """Return the event that requests a training of `churn` under the id *name*."""
    return event({"model_id": "churn", "trigger_id": name} | fields, f"e-{name}")


class Deployment:
    """A configuration, its parts and what they share.

    Attributes:
        now: the time.
        ledger: where the state is.
        bus: where triggers go.
        dead_letters: where rejected events go.
        service: where trainings run.
        observed: every decision that was observed, with its model.
        channels: the notices to people.
        repositories: what GitHub was sent.
        emitter: the parts that emit.
        receiver: the parts that decide.

    """

    def __init__(
        self,
        text: str = "",
        *,
        dead_letters: bool = True,
        bus: EventBus | None = None,
        gate: Gate = perform,
        launcher_gate: Gate = perform,
        letter_gate: Gate = perform,
        outlet_gate: Gate = perform,
    ) -> None:
        """Run the configuration *text*; the model `churn` alone where there is none.

        Another *bus* carries nothing. The emitter reaches the ledger through *gate*, the receiver the
        training service through *launcher_gate*, the dead letters through *letter_gate*, people and GitHub through
        *outlet_gate*.
        """
        self.now: datetime = NOW
        self.ledger = MemoryLedger()
        self.bus = MemoryBus()
        self.dead_letters = MemoryDeadLetters(letter_gate)
        self.service = TrainingService(self.clock)
        self.observed: list[tuple[str, Decided]] = []
        self.channels, self.repositories = Channels(), Repositories()
        self._ids = itertools.count(1)
        config = configured(text or model_text())
        self.emitter = EmitterParts(
            cloud="local",
            config=config,
            ledger=self.ledger.through(gate),
            bus=bus or self.bus,
            clock=self.clock,
            new_id=self.new_id,
            observe=self.observe,
            contention=IMMEDIATELY,
        )
        self.receiver = ReceiverParts(
            cloud="local",
            source=SOURCE,
            config=config,
            ledger=self.ledger,
            launcher=lambda _: MemoryLauncher(self.service, launcher_gate),
            dead_letters=self.dead_letters if dead_letters else None,
            clock=self.clock,
            new_id=self.new_id,
            observe=self.observe,
            notifier=lambda channel: MemoryNotifier(self.channels, channel, outlet_gate),
            dispatcher=MemoryDispatcher(self.repositories, outlet_gate),
            contention=IMMEDIATELY,
        )

    def clock(self) -> datetime:
        """Return the time."""
        return self.now

    def new_id(self) -> str:
        """Make an id."""
        return f"id-{next(self._ids)}"

    def observe(self, model_id: str, decided: Decided) -> None:
        """Remember a decision."""
        self.observed.append((model_id, decided))

    def wait(self, duration: timedelta) -> None:
        """Let time pass."""
        self.now += duration

    def state(self, model_id: str = "churn") -> ModelState:
        """Return what the ledger knows of a model."""
        return read_state(self.ledger.peek(model_id).document)

    def reasons(self, model_id: str = "churn") -> list[str]:
        """Return the reasons of a model's decisions, oldest first."""
        return [decided.reason for decided in reversed(self.state(model_id).decisions)]

    def receive(self, delivered: object) -> Outcome:
        """Deliver one event."""
        return receive(self.receiver, delivered, decode)

    def carry(self) -> list[Outcome]:
        """Deliver everything that is on the bus."""
        taken = [self.bus.published.pop(0) for _ in list(self.bus.published)]
        events = [event(requested.to_fields(), f"e-{requested.trigger_id}") for requested in taken]
        sweeps = [self.bus.sweeps.pop(0) for _ in list(self.bus.sweeps)]
        events += [event({"model_id": model_id}, **{"detail-type": "retrain_sweep"}) for model_id in sweeps]
        return [self.receive(delivered) for delivered in events]

    def emit(self, name: str, model_id: str = "churn", **fields: object) -> None:
        """Request a training under the id *name*, and deliver the trigger."""
        response = self.call("POST", "/retrain", {"model_id": model_id, "trigger_id": name} | fields)
        assert response.status == HTTPStatus.ACCEPTED, response
        self.carry()

    def end(
        self, started: RetrainTrigger, run_id: str, result: RunResult = RunResult.SUCCEEDED, error: str = ""
    ) -> Outcome:
        """Let the training of *started* end, and deliver the news; only the service knows the *error*."""
        self.service.end(run_id, result, error)
        detail = {
            "pipelineExecutionArn": run_id,
            "pipelineExecutionDisplayName": run_name(started.token),
            "currentPipelineExecutionStatus": STATUSES[result],
            "executionEndTime": self.now.isoformat(),
        }
        source, kind = eventbridge.STATUS_CHANGE
        return self.receive({"source": source, "detail-type": kind, "id": "end", "detail": detail})

    def call(self, method: str, path: str, body: object = None, **more: Any) -> Response:
        """Send an HTTP request; a *body* other than bytes is sent as JSON. *more* are fields of the request."""
        headers: Mapping[str, str] = more.pop("headers", {})
        if body is not None and not isinstance(body, bytes):
            body, headers = json.dumps(body).encode(), {"content-type": "application/json", **headers}
        sent = body if isinstance(body, bytes) else b""
        return respond(self.emitter, Request(method=method, path=path, body=sent, headers=headers, **more))

    def get(self, path: str, **query: str) -> Any:
        """Return the JSON that a good GET answers."""
        response = self.call("GET", path, query=query)
        assert (response.status, response.headers) == (200, {"content-type": "application/json"}), response
        return json.loads(response.body)


def problem(response: Response, status: int, title: str) -> str:
    """Check that *response* is a problem document of *status*; return its detail."""
    content = json.loads(response.body)
    assert response.status == status, content
    assert response.headers["content-type"] == "application/problem+json"
    assert content == {"type": "about:blank", "title": title, "status": status, "detail": content["detail"]}
    return str(content["detail"])
