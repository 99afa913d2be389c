"""Google Cloud for the suite: the functions of the built bundle under functions-framework."""

import http.client
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from emulators.vertex import FaultKind, VertexStandIn
from shared.trigger import run_name
from tests.contracts.clouds import Cloud
from tests.contracts.gate import body_with
from tests.contracts.google_gate import refused
from tests.contracts.google_ports import SOURCE, GooglePorts, data_of
from tests.contracts.google_project import COPIES, PROJECT, Project, emulators_needed
from tests.contracts.google_requests import CALLER, a_push, delivered, identity_token
from tests.contracts.messages import Delivery, HttpRequest, Json, Reply
from tests.contracts.socket_client import send_request
from tests.contracts.together import together
from tests.contracts.training_folder import until
from tests.contracts.triggers import a_trigger


class Google(GooglePorts, Cloud):
    """The two functions over an empty project."""

    caller: ClassVar[str] = CALLER
    content_field: ClassVar[str] = "payload"
    launch_calls: ClassVar[Sequence[str]] = (
        "documents.get",
        "documents.commit",
        "pipelineJobs.create",
        "documents.commit",
    )
    duplicate_calls: ClassVar[Sequence[str]] = ("documents.get",)

    def __init__(self, project: Project, vertex: VertexStandIn, entries: list[Json]) -> None:
        """See the base; nothing waits to be delivered."""
        super().__init__(project, vertex, entries)
        self._waiting: set[str] = set()

    def event(self, content: object, **envelope: object) -> Json:
        """See the base; a raw push, with the whole body as ML cube Platform sends it."""
        body = {
            "project_id": PROJECT,
            "topic_name": "triggers",
            "source": envelope.get("source", SOURCE),
            "event_type": envelope.get("detail-type", "retrain_trigger"),
            "payload": content,
        }
        return a_push(json.dumps(body).encode(), message_id=str(envelope.get("id", "e-1")))

    def fields(self, event: object) -> Json:
        """See the base."""
        payload: Json = data_of(event)["payload"]
        return payload

    def unreadable(self) -> object:
        """Return a message of ours whose data is neither JSON nor UTF-8."""
        return a_push(b'\xff{"payload": ', attributes={"source": SOURCE, "event_type": "retrain_trigger"})

    def deliver(self, event: object) -> Delivery:
        """See the base."""
        return delivered(self.project.receive, event)

    def deliver_concurrently(self, events: Sequence[object]) -> list[Delivery]:
        """See the base; what takes the requests is several processes with many threads each, as instances are."""
        return together(self.deliver, events)

    def round(self, events: Sequence[object]) -> list[bool]:
        """See the base."""
        pushes = self.project.pushes
        with pushes.passing_on(self.project.receive.url, once=True):
            self.project.push(on=True)
            identifiers = [self._publish(event) for event in events]
            until(lambda: all(pushes.statuses(identifier) for identifier in identifiers))
            self.project.push(on=False)
        self.arrived()
        return [pushes.is_acknowledged(identifier) for identifier in identifiers]

    def put(self, event: object) -> None:
        """See the base."""
        self._publish(event)

    def drain(self, seconds: float = 20) -> None:
        """See the base."""
        self._waiting |= {message["messageId"] for message in self.project.pubsub.take(COPIES)}
        pushes, limit = self.project.pushes, time.monotonic() + seconds
        with pushes.passing_on(self.project.receive.url):
            self.project.push(on=True)
            while left := {identifier for identifier in self._waiting if not pushes.is_acknowledged(identifier)}:
                if time.monotonic() > limit:
                    break
                time.sleep(0.005)
            self.project.push(on=False)
        self._waiting = left
        if left:
            raise TimeoutError(f"{len(left)} messages are left after {seconds:g} seconds")

    def crash(self, event: object, *, started: bool) -> None:
        """Kill a function that waits for Vertex AI's answer."""
        kind = FaultKind.LOST_ANSWER if started else FaultKind.HANG
        self.vertex.add_fault(kind, seconds=60)
        with self.project.function("receive") as function, ThreadPoolExecutor(1) as pool:
            dying = pool.submit(delivered, function, event)
            until(lambda: self.vertex.calls("pipelineJobs.create"))
            until(lambda: len(self.vertex.jobs()) == int(started))
            function.kill()
            assert isinstance(dying.exception(10), http.client.HTTPException | OSError)

    def marks(self, trigger_id: str) -> str:
        """See the base."""
        return next(str(job.labels) for job in self.vertex.jobs() if job.display_name == trigger_id)

    def sweep(self) -> Delivery:
        """See the base; the schedule publishes a message with an attribute only."""
        return self.deliver(a_push(b"", attributes={"event_type": "retrain_sweep"}))

    def send(self, request: HttpRequest) -> Reply:
        """See the base; Cloud Run has checked the token and taken its signature off."""
        identified = {"Authorization": identity_token({"email": CALLER, "sub": "1"}), **request.headers}
        return send_request(self.project.emit.port, replace(request, headers=identified))

    def tick(self, at: str) -> list[Json]:
        """See the base."""
        headers = {"X-CloudScheduler": "true", "X-CloudScheduler-ScheduleTime": at}
        reply = self.send(HttpRequest(method="POST", path="/tick", headers=headers))
        assert reply.status == 202, reply
        accepted: list[Json] = reply.body["accepted"]
        return accepted

    def evaluate_schedules(self) -> list[Json]:
        """See the base."""
        reply = self.send(HttpRequest(method="POST", path="/schedules"))
        assert reply.status == 202, reply
        accepted: list[Json] = reply.body["accepted"]
        return accepted

    def logs(self) -> str:
        """See the base."""
        return self.project.receive.logs()

    def turned_away(self, trigger_id: str) -> AbstractContextManager[None]:
        """Let the quota be used up for one job."""
        name = body_with(f"pipelineJobId={run_name(a_trigger(trigger_id).token)}")
        return self.project.gate.failing("pipelineJobs.create", refused(429), name)

    def deliver_without_dead_letters(self, event: object) -> Delivery:
        """See the base."""
        with self.project.function("receive", RETRAIN_DEAD_LETTERS="") as function:
            return delivered(function, event)

    def deliver_misconfigured(self, event: object) -> Delivery:
        """See the base."""
        with self.project.function("receive", RETRAIN_LEDGER="") as function:
            return delivered(function, event)

    def _publish(self, event: Any) -> str:
        message = {name: event["message"][name] for name in ("data", "attributes") if event["message"].get(name)}
        (identifier,) = self.project.pubsub.publish("triggers", [message])
        return identifier


@contextmanager
def google(folder: Path) -> Iterator[Callable[[Path], AbstractContextManager[Google]]]:
    """Open a project; the result empties it for a test."""
    emulators_needed()
    with Project(folder) as project:

        @contextmanager
        def emptied(_folder: Path) -> Iterator[Google]:
            project.empty()
            entries: list[Json] = []
            with VertexStandIn(on_log=entries.append) as vertex:
                project.gate.vertex = vertex.url
                yield Google(project, vertex, entries)

        yield emptied
