"""A Google Cloud project on loopback for a whole session: Google's emulators, the gates before them, the functions."""

import http.client
import json
import os
import shutil
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pytest

from emulators.framework import FrameworkFunction
from emulators.google_emulators import firestore_emulator, missing, pubsub_emulator
from emulators.pubsub import PubSub
from emulators.vertex import SPECIFICATION
from emulators.wire_gate import WireGate
from functions.gcp.bus import publisher
from functions.gcp.sessions import Session
from tests.contracts.bundles import built_bundle
from tests.contracts.configuration import configuration
from tests.contracts.google_gate import GoogleGate, PushGate
from tests.contracts.outlets import Outlets

PROJECT: Final = "contracts"
LOCATION: Final = "europe-west4"
TOPIC: Final = f"projects/{PROJECT}/topics/triggers"
LETTERS: Final = f"projects/{PROJECT}/topics/dead-letters"
DATABASE: Final = f"projects/{PROJECT}/databases/(default)/documents"
COLLECTION: Final = f"{DATABASE}/retraining"
# The push subscription; `COPIES` receives a copy of each message on the topic, `KEPT` the dead letters.
RECEIVE, COPIES, KEPT = "receive", "copies", "letters"
SUBSCRIPTION: Final = f"projects/{PROJECT}/subscriptions/{RECEIVE}"
# As deployed, but shorter: the emulator counts whole seconds.
RETRY: Final = {"minimumBackoff": "0.1s", "maximumBackoff": "0.2s"}
PROCESSES: Final = 4


def emulators_needed() -> None:
    """Skip the test where the machine has no emulators; in CI that is a failure."""
    lacking = missing()
    if lacking and os.environ.get("CI") == "true":
        pytest.fail(lacking)
    if lacking:
        pytest.skip(lacking)


class Project:
    """The services of the project, which live as long as the session.

    Attributes:
        gate: between the functions and what they call over REST.
        wire: between emitters and Pub/Sub.
        pushes: between the push subscription and `receive`.
        outlets: where what follows a training goes.
        pubsub: Pub/Sub, past the gates.
        session: what the adapters call services with, against emulators.
        variables: the environment of the functions.
        emit, receive: the functions, in processes that stay warm.

    """

    def __init__(self, folder: Path) -> None:
        """Use *folder* for the configuration; nothing runs yet."""
        self._folder = folder
        self._open = ExitStack()
        self.session = Session()

    def __enter__(self) -> Self:
        """Start everything."""
        self._bundle = built_bundle("gcp")
        pubsub, self._firestore = (self._open.enter_context(run()) for run in (pubsub_emulator, firestore_emulator))
        self.pubsub = PubSub(address=pubsub, project=PROJECT)
        self.gate = self._open.enter_context(GoogleGate(firestore=self._firestore, pubsub=pubsub))
        self.wire = self._open.enter_context(WireGate(pubsub))
        self.pushes = self._open.enter_context(PushGate())
        self.outlets = self._open.enter_context(Outlets())
        self._set_up()
        self.variables = self.outlets.variables | {
            "FIRESTORE_EMULATOR_HOST": self.gate.address,
            "PUBSUB_EMULATOR_HOST": self.gate.address,
            "RETRAIN_VERTEX_ENDPOINT": self.gate.url,
            "RETRAIN_CONFIG": str(self._configured()),
            "RETRAIN_BUS": TOPIC,
            "RETRAIN_LEDGER": COLLECTION,
            "RETRAIN_DEAD_LETTERS": LETTERS,
        }
        self.emit = self._open.enter_context(self.function("emit", PUBSUB_EMULATOR_HOST=self.wire.address))
        self.receive = self._open.enter_context(self.function("receive", workers=PROCESSES))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        self.session.close()
        if "publisher" in vars(self):
            self.publisher.stop()
            self.publisher.transport.close()
        self._open.close()

    @cached_property
    def publisher(self) -> Any:
        """The client that `emit` publishes with, through the gate; made once, it takes half a second."""
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("PUBSUB_EMULATOR_HOST", self.wire.address)
            return publisher()

    def function(self, target: str, *, workers: int = 1, **variables: str) -> FrameworkFunction:
        """Return a function of the bundle that is not started yet, with other *variables*; empty ones are left out."""
        environment = {name: value for name, value in (self.variables | variables).items() if value}
        return FrameworkFunction(bundle=self._bundle, target=target, environment=environment, workers=workers)

    def empty(self) -> None:
        """Leave nothing of the test before."""
        self.pubsub.discard((RECEIVE, COPIES, KEPT))
        connection = http.client.HTTPConnection(self._firestore, timeout=30)
        connection.request("DELETE", f"/emulator/v1/{DATABASE}")
        assert connection.getresponse().read() is not None
        connection.close()
        self.gate.reset()
        self.outlets.empty()
        self.wire.connections = 0

    def push(self, *, on: bool) -> None:
        """Let the push subscription push, or wait."""
        # The framework takes the topic out of the path, so that a raw push has the same source as an Eventarc event.
        self.pubsub.push(RECEIVE, f"{self.pushes.url}/{TOPIC}" if on else "")

    def _set_up(self) -> None:
        self.pubsub.make_topics("triggers", "dead-letters", "undeliverable")
        given_up = {"deadLetterTopic": self.pubsub.topic("undeliverable"), "maxDeliveryAttempts": 20}
        self.pubsub.subscribe(RECEIVE, "triggers", retryPolicy=RETRY, deadLetterPolicy=given_up)
        self.pubsub.subscribe(COPIES, "triggers")
        self.pubsub.subscribe(KEPT, "dead-letters")

    def _configured(self) -> Path:
        place = f'project = "{PROJECT}", location = "{LOCATION}", root = "gs://contracts"'
        unknown = f"https://{LOCATION}-kfp.pkg.dev/{PROJECT}/pipelines/no-such-pipeline/latest"
        text = configuration(
            "gcp",
            works=f'{{ kind = "vertex", pipeline = "{SPECIFICATION.name}", {place} }}',
            broken=f'{{ kind = "vertex", pipeline = "{unknown}", {place} }}',
            channel=self.outlets.channel,
        )
        shutil.copy(SPECIFICATION, self._folder)
        path = self._folder / "retrain.toml"
        path.write_text(text, encoding="utf-8")
        return path


def pipeline_specification() -> dict[str, Any]:
    """Return the specification of the pipeline that trains."""
    content: dict[str, Any] = json.loads(SPECIFICATION.read_text(encoding="utf-8"))
    return content
