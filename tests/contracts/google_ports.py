"""The adapters of Google Cloud for the suite, each on Google's own emulators, through the gates."""

import base64
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import grpc
import pytest

from emulators.publisher import refusing_publisher
from emulators.pubsub import push_body
from emulators.vertex import SPECIFICATION, FaultKind, VertexStandIn
from emulators.vertex.jobs import CANCELLED, FAILED, SUCCEEDED
from emulators.vertex.log_entries import sink_message
from functions.gcp.bus import PubSubBus
from functions.gcp.dead_letters import PubSubDeadLetters
from functions.gcp.launcher import VertexLauncher
from functions.gcp.ledger import FirestoreLedger
from functions.gcp.letters import PubSubLetters
from functions.gcp.sessions import Session
from shared.backoff import Backoff
from shared.config.targets import VertexTarget
from shared.errors import UnavailableError
from shared.ports import LaunchRequest
from shared.training.letters import REJECTED
from shared.trigger import run_name
from shared.wire.incoming import Incoming
from shared.wire.pubsub import decode
from tests.contracts.gate import body_with
from tests.contracts.google_gate import refused
from tests.contracts.google_project import (
    COLLECTION,
    COPIES,
    KEPT,
    LETTERS,
    LOCATION,
    PROJECT,
    RECEIVE,
    SUBSCRIPTION,
    TOPIC,
    Project,
)
from tests.contracts.messages import Json
from tests.contracts.ports import Ports
from tests.contracts.programs import won_by_processes
from tests.contracts.training_folder import until
from tests.contracts.triggers import WHY

SOURCE: Final = "ml3_platform"
NO_TEMPLATE: Final = f"https://{LOCATION}-kfp.pkg.dev/{PROJECT}/pipelines/no-such-pipeline/latest"


class GooglePorts(Ports):
    """A project with nothing in it, and a training service of its own."""

    name: ClassVar[str] = "gcp"

    def __init__(self, project: Project, vertex: VertexStandIn, entries: list[Json]) -> None:
        """Use a *project*, and a *vertex* that writes its log to *entries*."""
        self.project = project
        self.outlets = project.outlets
        self.vertex = vertex
        self._entries = entries
        url = project.gate.url
        self.ledger = FirestoreLedger(project.session, COLLECTION, url)
        self.bus = PubSubBus(lambda: project.publisher, TOPIC, SOURCE)
        self.launcher = self._launcher(SPECIFICATION.name)
        self.refused = self._launcher(NO_TEMPLATE)
        self.dead_letters = PubSubDeadLetters(project.session, LETTERS, url)
        kept = f"projects/{PROJECT}/subscriptions/{KEPT}"
        self.letter_box = PubSubLetters(project.session, kept, REJECTED, f"http://{project.pubsub.address}")

    def race(self, rounds: int) -> int:
        """See the base."""
        return won_by_processes(self.project.variables, "gcp", rounds)

    def traffic(self) -> list[str]:
        """Return the operations that were called over REST, and that something was published over gRPC."""
        return [*["publish"] * self.project.wire.connections, *self.project.gate.calls]

    def decode(self, event: object) -> Incoming:
        """See the base."""
        return decode(event, SOURCE)

    def arrived(self) -> list[object]:
        """See the base."""
        self.project.pubsub.discard([RECEIVE])
        return [push_body(SUBSCRIPTION, message) for message in self.project.pubsub.take(COPIES)]

    def letters(self) -> list[str]:
        """See the base."""
        return [base64.b64decode(message["data"]).decode() for message in self.project.pubsub.take(KEPT)]

    def trainings(self) -> list[str]:
        """See the base."""
        return [job.display_name for job in self.vertex.jobs()]

    def end(self, trigger_id: str, *, well: bool = True) -> object:
        """See the base."""
        named = [job.job_id for job in self.vertex.jobs() if job.display_name == trigger_id]
        self.vertex.end(named[-1], SUCCEEDED if well else FAILED, "" if well else WHY)
        message = {**sink_message(self._entries[-1]), "messageId": f"end-{trigger_id}"}
        return push_body(SUBSCRIPTION, message)

    def stopped(self, trigger_id: str) -> object:
        """See the base."""
        until(lambda: [job.state for job in self.vertex.jobs() if job.display_name == trigger_id] == [CANCELLED])
        until(self._cancelled)
        return push_body(SUBSCRIPTION, {**sink_message(self._cancelled()[-1]), "messageId": f"end-{trigger_id}"})

    def _cancelled(self) -> list[Json]:
        """Return the log entries about cancelled jobs; the next job may have entries already."""
        return [entry for entry in self._entries if entry["jsonPayload"]["state"] == CANCELLED]

    def forget_tokens(self) -> None:
        """Do nothing: a job keeps its id as long as it is there."""

    def lose_answer(self, request: LaunchRequest) -> None:
        """Cut the connection when the work is done, and let no client retry."""
        self.vertex.add_fault(FaultKind.LOST_ANSWER)
        once = Session(backoff=Backoff(attempts=1))
        with pytest.raises(UnavailableError):
            self._launcher(SPECIFICATION.name, once).start(request, again=False)
        once.close()
        assert run_name(request.token) == self.vertex.jobs()[-1].job_id

    @contextmanager
    def training_away(self) -> Iterator[None]:
        """Let the quota be used up, and GitHub be unavailable."""
        with self.project.gate.failing("vertex.", refused(429)), self.outlets.github_away():
            yield

    def ledger_away(self) -> AbstractContextManager[None]:
        """Close every connection."""
        return self.project.gate.failing("firestore.", None)

    def bus_away(self) -> AbstractContextManager[None]:
        """Let an operator have taken the right to publish: a bus that is unreachable is waited for half a minute."""
        return self._publishing(grpc.StatusCode.PERMISSION_DENIED)

    def bus_refuses(self) -> AbstractContextManager[None]:
        """Find fault with every message."""
        return self._publishing(grpc.StatusCode.INVALID_ARGUMENT)

    def dead_letters_away(self) -> AbstractContextManager[None]:
        """Refuse every letter, in a way that is not worth another attempt."""
        return self.project.gate.failing("topics.publish", refused(403), body_with(f"/{LETTERS}:publish"))

    def contended(self) -> AbstractContextManager[None]:
        """Fail every precondition."""
        return self.project.gate.failing("documents.commit", refused(409))

    @contextmanager
    def _publishing(self, code: grpc.StatusCode) -> Iterator[None]:
        with refusing_publisher(code) as address, self.project.wire.leading_to(address):
            yield

    def _launcher(self, pipeline: str, session: Session | None = None) -> VertexLauncher:
        target = VertexTarget(pipeline=pipeline, project=PROJECT, location=LOCATION, root="gs://contracts")
        folder = Path(SPECIFICATION).parent
        return VertexLauncher(session or self.project.session, target, folder, self.project.gate.url)


def data_of(event: Any) -> Any:
    """Return the JSON in a message that was delivered, or in the letter about one, which has it as text."""
    data = event["message"]["data"]
    return json.loads(data if data.startswith("{") else base64.b64decode(data))
