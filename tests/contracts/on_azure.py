"""Azure for the suite: the function app of the built bundle, invoked as the Functions host does it."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Final

import pytest

from emulators.arm import ArmStandIn, Component, FaultKind
from emulators.event_grid import Subscription
from emulators.event_grid.standin import TOPIC as TOPIC_ID
from emulators.event_grid.webhook import posted
from emulators.functions_host.process import Invocation
from emulators.loopback import Answer
from shared.trigger import run_name
from tests.contracts.azure_account import BEARER, CALLER, COMPONENT, EXPERIMENT, Subscribed, need_azurite
from tests.contracts.azure_deliveries import delivered, delivery, lines, timer
from tests.contracts.azure_gate import ARM, THROTTLED
from tests.contracts.azure_ports import AzurePorts
from tests.contracts.clouds import Cloud
from tests.contracts.gate import body_with
from tests.contracts.messages import Delivery, HttpRequest, Json, Reply
from tests.contracts.socket_client import send_request
from tests.contracts.together import together
from tests.contracts.training_folder import until
from tests.contracts.triggers import a_trigger

# The suite's names for the parts of an envelope, and those of Event Grid.
_WORDS: Final = {"source": "subject", "detail-type": "eventType", "time": "eventTime"}


class Azure(AzurePorts, Cloud):
    """The function app over an empty subscription."""

    caller: ClassVar[str] = CALLER
    content_field: ClassVar[str] = "data"
    experiment: ClassVar[str] = EXPERIMENT
    launch_calls: ClassVar[Sequence[str]] = ("GetEntity", "InsertEntity", "PUT job", "UpdateEntity")
    duplicate_calls: ClassVar[Sequence[str]] = ("GetEntity",)

    def event(self, content: object, **envelope: object) -> Json:
        """See the base."""
        made = {
            "id": "e-1",
            "topic": TOPIC_ID,
            "subject": "ml3_platform",
            "eventType": "retrain_trigger",
            "eventTime": "2026-11-21T12:00:00.1234567Z",
            "data": content,
            "dataVersion": "1.0",
            "metadataVersion": "1",
        }
        return made | {_WORDS.get(name, name): value for name, value in envelope.items()}

    def fields(self, event: object) -> Json:
        """See the base."""
        assert isinstance(event, dict)
        data: Json = event["data"]
        return data

    def unreadable(self) -> object:
        """Return what stands where an event must be."""
        return "no object"

    def deliver(self, event: object) -> Delivery:
        """Deliver objects by the Event Grid trigger, whose host takes nothing else; all else comes by HTTP."""
        host = self.account.host
        if isinstance(event, dict):
            return delivered(host, self.account.subscription.deliver(event))
        return delivered(host, self.delivered_by_webhook([event]))

    def delivered_by_webhook(self, body: object) -> Answer:
        """Deliver to the HTTP function, as a subscription of the kind webhook does."""
        host = self.account.host
        headers = {"authorization": f"Bearer {BEARER}", "aeg-event-type": "Notification"}
        return posted(f"{host.url}/events?code={host.keys.function}", body, headers)

    def deliver_concurrently(self, events: Sequence[object]) -> list[Delivery]:
        """See the base: to as many instances as there are, which have several at work at the same time."""
        self.account.host.warm()
        return together(self.deliver, events)

    def round(self, events: Sequence[object]) -> list[bool]:
        """Deliver each event in a request of its own, which is how subscriptions do it by default."""
        return [self.deliver(event).acknowledged for event in events]

    def deliver_together(self, *events: object) -> int:
        """Deliver some events once, in one request, and return the status of the answer."""
        return self.account.subscription.deliver(*(event for event in events if isinstance(event, dict))).status

    def put(self, event: object) -> None:
        """See the base."""
        assert isinstance(event, dict)
        self.account.subscription.put(event)

    def drain(self, seconds: float = 20) -> None:
        """See the base."""
        self.account.subscription.drain(seconds)

    def crash(self, event: object, *, started: bool) -> None:
        """Kill an app that waits for the answer of Azure ML."""
        self.arm.add_fault(FaultKind.LOST_ANSWER if started else FaultKind.HANG, seconds=60)
        with self.account.app() as host, ThreadPoolExecutor(1) as pool:
            dying = pool.submit(host.invoke, "retrain_receive", event)
            until(lambda: self.arm.calls("PUT job"))
            until(lambda: len(self.arm.jobs()) == int(started))
            host.kill()
            assert dying.result(10).error.startswith("WorkerProcessExitException: ")

    def marks(self, trigger_id: str) -> str:
        """See the base."""
        return next(str(job.tags) for job in self.arm.jobs() if job.tags["retrain-trigger-id"] == trigger_id)

    def sweep(self) -> Delivery:
        """See the base."""
        swept = self.account.host.invoke("retrain_sweep", timer(None, None))
        return delivery(swept, acknowledged=not swept.error)

    def send(self, request: HttpRequest) -> Reply:
        """See the base."""
        host = self.account.host
        proof = {"authorization": f"Bearer {BEARER}", "x-functions-key": host.keys.function}
        return send_request(int(host.url.rpartition(":")[2]), replace(request, headers={**proof, **request.headers}))

    def tick(self, at: str) -> list[Json]:
        """Let the timer come due."""
        return self._emitted(self.account.host.invoke("retrain_schedule", timer(None, at)))

    def evaluate_schedules(self) -> list[Json]:
        """Let the other timer come due."""
        return self._emitted(self.account.host.invoke("retrain_schedules", timer(None, None)))

    def _emitted(self, invocation: Invocation) -> list[Json]:
        assert not invocation.error, invocation.error
        return [
            {name: line[name] for name in ("model_id", "trigger_id")} for line in lines(invocation, "retrain.emitted")
        ]

    def logs(self) -> str:
        """See the base: what functions log goes to the host, all else to the process's own output."""
        host = self.account.host
        logged = [str(line) for invocation in host.invocations.values() for line in invocation.logs]
        return "\n".join([*logged, host.logs()])

    def turned_away(self, trigger_id: str) -> AbstractContextManager[None]:
        """Throttle the start of one job."""
        return self.account.gate.failing("PUT job", THROTTLED, body_with(run_name(a_trigger(trigger_id).token)))

    def deliver_without_dead_letters(self, event: object) -> Delivery:
        """See the base."""
        return self._delivered_with(event, RETRAIN_DEAD_LETTERS="")

    def deliver_misconfigured(self, event: object) -> Delivery:
        """See the base."""
        return self._delivered_with(event, RETRAIN_LEDGER="")

    def _delivered_with(self, event: object, **settings: str) -> Delivery:
        assert isinstance(event, dict)
        with self.account.app(settings) as host:
            return delivered(host, Subscription(url=host.event_grid_url("retrain_receive")).deliver(event))


@contextmanager
def microsoft(folder: Path) -> Iterator[Callable[[Path], AbstractContextManager[Azure]]]:
    """Open a subscription; the result empties it for a test, and points the environment at it."""
    need_azurite()
    with Subscribed(folder) as account:

        @contextmanager
        def emptied(_folder: Path) -> Iterator[Azure]:
            account.empty()
            components = {COMPONENT: Component(inputs=("epochs", "note"))}
            with (
                ArmStandIn(components=components, identity=account.identity) as arm,
                pytest.MonkeyPatch.context() as environment,
            ):
                account.gate.services[ARM] = arm.url
                for name, value in account.variables.items():
                    environment.setenv(name, value)
                yield Azure(account, arm)

        yield emptied
