"""A Google Cloud project on loopback: emulators and a Vertex AI stand-in behind a gate that has permissions."""

import json
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from emulators.loopback import Answer, Request
from emulators.pubsub import PubSub
from emulators.standin import Served
from emulators.vertex import SPECIFICATION
from emulators.vertex.errors import error_answer
from functions.gcp.sessions import Session
from tests.contracts.gate import passed_on

LOCATION: Final = "europe-west4"
_numbers = count(1)

CONFIGURATION: Final = """
[models."churn"]
[models."churn".parameters]
epochs = 8
note = "$trigger_id"
[models."churn".target.gcp]
kind = "vertex"
pipeline = "google_pipeline.json"
project = "{project}"
location = "europe-west4"
root = "gs://acme"

[models."fraud"]
[models."fraud".target.gcp]
kind = "vertex"
pipeline = "https://europe-west4-kfp.pkg.dev/acme/pipelines/fraud/latest"
project = "{project}"
location = "europe-west4"
root = "gs://acme"
"""
PUSHING: Final[dict[str, Any]] = {
    "pushConfig": {"pushEndpoint": "http://127.0.0.1:9/"},
    "retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "600s"},
    "expirationPolicy": {},
    "ackDeadlineSeconds": 60,
}


class GoogleGate(Served):
    """Forwards calls by their paths, except queries of permissions, which no emulator answers.

    Attributes:
        lacking: the permissions that callers lack, or the resources on which they lack all.
        answers: the status of calls that fail, by the end of their path.

    """

    def __init__(self, *, pubsub: str, firestore: str, vertex: str) -> None:
        """Bind a free port; the context starts the server."""
        self._pubsub, self._firestore, self._vertex = f"http://{pubsub}", f"http://{firestore}", vertex
        self.lacking: set[str] = set()
        self.answers: dict[str, int] = {}
        super().__init__()

    def reset(self) -> None:
        """Remove all denials."""
        self.lacking.clear()
        self.answers.clear()

    def _respond(self, request: Request) -> Answer | None:
        path = urlsplit(request.path).path
        for end, status in self.answers.items():
            if path.endswith(end):
                return error_answer(status, "ordered by a test")
        if path.endswith(":testIamPermissions"):
            return self._permissions(
                path.removeprefix("/v1/").partition(":")[0], json.loads(request.body)["permissions"]
            )
        service = self._vertex if "/locations/" in path else self._pubsub
        return passed_on(self._firestore if "/databases/" in path else service, request)

    def _permissions(self, resource: str, requested: list[str]) -> Answer:
        has = [each for each in requested if not self.lacking & {each, resource}]
        body = json.dumps({"permissions": has} if has else {}).encode()
        return Answer(status=200, body=body, headers={"Content-Type": "application/json"})


@dataclass(kw_only=True, eq=False)
class Deployment:
    """A complete deployment in its own project.

    Attributes:
        gate: the gate between `doctor` and the services.
        pubsub: host and port of the emulator.
        folder: the folder of the configuration.
        project: the project's id.

    """

    gate: GoogleGate
    pubsub: str
    folder: Path
    project: str = field(default_factory=lambda: f"doctor-{next(_numbers)}")

    def __post_init__(self) -> None:
        """Create all resources."""
        self.topics = PubSub(address=self.pubsub, project=self.project)
        self.topics.make_topics("triggers", "rejected", "undelivered")
        self.topics.subscribe("rejected", "rejected")
        self.subscribe()
        specification = json.loads(SPECIFICATION.read_text(encoding="utf-8"))
        # One of the two parameters has no default.
        specification["root"]["inputDefinitions"]["parameters"]["note"] = {"parameterType": "STRING"}
        (self.folder / SPECIFICATION.name).write_text(json.dumps(specification), encoding="utf-8")
        self.configure(CONFIGURATION)

    @property
    def topic(self) -> str:
        """The topic of the triggers."""
        return self.topics.topic("triggers")

    @property
    def letters(self) -> str:
        """The topic of the rejected events."""
        return self.topics.topic("rejected")

    @property
    def ledger(self) -> str:
        """The collection of the ledger."""
        return f"projects/{self.project}/databases/(default)/documents/retrain"

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of this deployment."""
        return {
            "PUBSUB_EMULATOR_HOST": self.gate.address,
            "FIRESTORE_EMULATOR_HOST": self.gate.address,
            "RETRAIN_VERTEX_ENDPOINT": f"http://{self.gate.address}",
            "RETRAIN_CONFIG": str(self.folder / "retrain.toml"),
            "RETRAIN_BUS": self.topic,
            "RETRAIN_LEDGER": self.ledger,
            "RETRAIN_DEAD_LETTERS": self.letters,
        }

    def documents(self) -> list[Any]:
        """Return what is in the ledger."""
        session = Session()
        found: list[Any] = session.get(f"http://{self.gate.address}/v1/{self.ledger}").get("documents", [])
        session.close()
        return found

    def configure(self, text: str) -> None:
        """Write the configuration with the project filled in."""
        (self.folder / "retrain.toml").write_text(text.format(project=self.project), encoding="utf-8")

    def subscribe(self, **other: object) -> None:
        """Create the subscription as deployed, with *other* settings; those that are None are left out."""
        given_up = {"deadLetterTopic": self.topics.topic("undelivered"), "maxDeliveryAttempts": 20}
        settings = PUSHING | {"deadLetterPolicy": given_up} | other
        self.topics.subscribe(
            "receive", "triggers", **{name: each for name, each in settings.items() if each is not None}
        )

    def resubscribe(self, **other: object) -> None:
        """Replace the subscription."""
        self.topics.remove("receive")
        self.subscribe(**other)
