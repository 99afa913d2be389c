"""A Google Cloud project on loopback: the emulators and a stand-in for Vertex AI behind one gate that knows rights."""

import json
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from emulators.loopback import Answer, LoopbackServer, Request
from emulators.pubsub import PubSub
from emulators.vertex.errors import error_answer
from functions.gcp.rest import Session
from tests.contracts.gate import passed_on

LOCATION: Final = "europe-west4"
SPECIFICATION: Final = Path(__file__).parents[1] / "contracts" / "google_pipeline.json"
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


class GoogleGate:
    """Passes calls on by their paths, but for the questions about rights, which no emulator answers.

    Attributes:
        lacking: the rights that callers lack, or the resources on which they lack them.
        answers: what calls are answered with instead, by the end of their path: a status.

    """

    def __init__(self, *, pubsub: str, firestore: str, vertex: str) -> None:
        """Bind a free port; nothing is answered before the context is entered."""
        self._pubsub, self._firestore, self._vertex = f"http://{pubsub}", f"http://{firestore}", vertex
        self.lacking: set[str] = set()
        self.answers: dict[str, int] = {}
        self._server = LoopbackServer(self._respond)

    @property
    def address(self) -> str:
        """Host and port."""
        return self._server.address

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop answering."""
        self._server.close()

    def reset(self) -> None:
        """Answer everything."""
        self.lacking.clear()
        self.answers.clear()

    def _respond(self, request: Request) -> Answer | None:
        path = urlsplit(request.path).path
        for end, status in self.answers.items():
            if path.endswith(end):
                return error_answer(status, "ordered by a test")
        if path.endswith(":testIamPermissions"):
            return self._rights(path.removeprefix("/v1/").partition(":")[0], json.loads(request.body)["permissions"])
        service = self._vertex if "/locations/" in path else self._pubsub
        return passed_on(self._firestore if "/databases/" in path else service, request)

    def _rights(self, resource: str, asked: list[str]) -> Answer:
        has = [right for right in asked if not self.lacking & {right, resource}]
        body = json.dumps({"permissions": has} if has else {}).encode()
        return Answer(status=200, body=body, headers={"Content-Type": "application/json"})


@dataclass(kw_only=True, eq=False)
class Deployment:
    """Everything that must be there, in a project of its own.

    Attributes:
        gate: between `doctor` and the services.
        pubsub: host and port of the emulator.
        folder: where the configuration is.
        project: the project's id.

    """

    gate: GoogleGate
    pubsub: str
    folder: Path
    project: str = field(default_factory=lambda: f"doctor-{next(_numbers)}")

    def __post_init__(self) -> None:
        """Make it all."""
        self.topics = PubSub(address=self.pubsub, project=self.project)
        self.topics.make_topics("triggers", "rejected", "undelivered")
        self.topics.subscribe("rejected", "rejected")
        self.subscribe()
        specification = json.loads(SPECIFICATION.read_text(encoding="utf-8"))
        # The one of the two parameters without a default.
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
        """The environment variables that lead there."""
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
        """Write the configuration, with the project filled in."""
        (self.folder / "retrain.toml").write_text(text.format(project=self.project), encoding="utf-8")

    def subscribe(self, **other: object) -> None:
        """Subscribe as deployed, but for *other* settings, of which none are left out."""
        given_up = {"deadLetterTopic": self.topics.topic("undelivered"), "maxDeliveryAttempts": 20}
        settings = PUSHING | {"deadLetterPolicy": given_up} | other
        self.topics.subscribe(
            "receive", "triggers", **{name: each for name, each in settings.items() if each is not None}
        )

    def resubscribe(self, **other: object) -> None:
        """Subscribe anew."""
        self.topics.remove("receive")
        self.subscribe(**other)
