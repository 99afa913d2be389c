"""Google Cloud as a stage: the built bundle under functions-framework, Google's emulators, a stand-in for Vertex AI."""

import base64
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from examples.demo.local_stage import http
from examples.demo.stage import MODELS, UNKNOWN_MODEL, Json, NotInstalledError, Stage, configuration, train_first
from shared.fields import format_time
from tests.emulators.framework import FrameworkFunction
from tests.emulators.google_emulators import firestore_emulator, missing, pubsub_emulator
from tests.emulators.pubsub import PubSub, push_body
from tests.emulators.vertex import Job, VertexStandIn
from tests.emulators.vertex.log_entries import sink_message

ROOT = Path(__file__).parents[2]
PIPELINE = ROOT / "examples" / "pipelines" / "demand.json"
# As the documentation of ML cube Platform shows it.
DOCUMENTED = ROOT / "tests" / "events" / "ml3cube" / "seed-pubsub.json"
PROJECT, TOPIC, LETTERS = "acme", "retraining", "dead-letters"
RETRY = {"minimumBackoff": "1s", "maximumBackoff": "10s"}


@dataclass(kw_only=True, eq=False)
class Bus:
    """The topic with its push subscription.

    Attributes:
        pubsub: Pub/Sub.
        receive: the function that the subscription pushes to.

    """

    pubsub: PubSub
    receive: FrameworkFunction
    _sent: dict[str, Json] = field(default_factory=dict)
    _letters: list[Json] = field(default_factory=list)

    def set_up(self) -> None:
        """Make topics and subscriptions: one that pushes, tries again and gives up, one that keeps the dead letters."""
        self.pubsub.make_topics(TOPIC, LETTERS, "undeliverable")
        self.pubsub.subscribe(LETTERS, LETTERS)
        self.pubsub.subscribe(
            "receive",
            TOPIC,
            pushConfig={"pushEndpoint": self.address},
            retryPolicy=RETRY,
            deadLetterPolicy={
                "deadLetterTopic": self.pubsub.topic("undeliverable"),
                "maxDeliveryAttempts": 20,
            },
        )

    @property
    def address(self) -> str:
        """Where messages are pushed to."""
        return f"{self.receive.url}/{self.pubsub.topic(TOPIC)}"

    def deliver(self, event: Json, times: int) -> str:
        """Publish *event* once; Pub/Sub, which promises at least once, delivers the message again."""
        content = json.dumps(event)
        if content not in self._sent:
            message = {"data": base64.b64encode(content.encode()).decode()}
            (message_id,) = self.pubsub.publish(TOPIC, [message])
            self._sent[content] = {**message, "messageId": message_id}
            times -= 1
        message = self._sent[content]
        for _ in range(times):
            http(self.address, "POST", push_body("projects/acme/subscriptions/receive", message))
        return f"ml3_platform:{message['messageId']}"

    def tell(self, entry: Json) -> None:
        """Publish a log entry of Vertex AI as the sink does, which may do it twice."""
        self.pubsub.publish(TOPIC, [sink_message(entry)] * 2)

    def dead_letters(self) -> list[Json]:
        """Return every dead letter so far."""
        self._letters += [json.loads(base64.b64decode(each["data"])) for each in self.pubsub.take(LETTERS)]
        return self._letters


@contextmanager
def gcp_stage(home: Path) -> Iterator[Stage]:
    """Run the project and both functions until the story is over.

    Raises:
        NotInstalledError: the emulators are not there, or the bundle is not built.

    """
    _check()
    train_first(home)
    shutil.copy(PIPELINE, home)
    (home / "retrain.toml").write_text(configuration({model_id: _target() for model_id in MODELS}))
    with ExitStack() as running:
        pubsub, firestore = (running.enter_context(run()) for run in (pubsub_emulator, firestore_emulator))
        vertex = running.enter_context(VertexStandIn(command=lambda job: _command(home, job)))
        environment = _environment(home, pubsub, firestore, vertex)
        emit, receive = (
            running.enter_context(
                FrameworkFunction(bundle=ROOT / "dist" / "gcp", target=target, environment=environment)
            )
            for target in ("emit", "receive")
        )
        bus = Bus(pubsub=PubSub(address=pubsub, project=PROJECT), receive=receive)
        bus.set_up()
        vertex.on_log = bus.tell
        yield _stage(home, bus, vertex, emit)
        (home / "functions.log").write_text(emit.logs() + receive.logs())


def _check() -> None:
    lacking = missing()
    if lacking is None and not (ROOT / "dist" / "gcp" / "main.py").exists():
        lacking = "The bundle is not built: run `make build-gcp`."
    if lacking:
        raise NotInstalledError(lacking)


def _target() -> str:
    place = f'project = "{PROJECT}", location = "europe-west4", root = "gs://acme-pipelines"'
    return f'gcp = {{ kind = "vertex", pipeline = "{PIPELINE.name}", {place} }}'


def _command(home: Path, job: Job) -> list[str]:
    """Return what stands for the pipeline's steps; of steps that are taken from an earlier run nothing is left."""
    if job.would_reuse_steps:
        return ["true"]
    return [sys.executable, "-m", "examples.demo.pipeline", str(home), job.labels["retrain-model"]]


def _environment(home: Path, pubsub: str, firestore: str, vertex: VertexStandIn) -> Mapping[str, str]:
    return {
        "PUBSUB_EMULATOR_HOST": pubsub,
        "FIRESTORE_EMULATOR_HOST": firestore,
        "RETRAIN_VERTEX_ENDPOINT": vertex.url,
        "RETRAIN_CONFIG": str(home / "retrain.toml"),
        "RETRAIN_BUS": f"projects/{PROJECT}/topics/{TOPIC}",
        "RETRAIN_LEDGER": f"projects/{PROJECT}/databases/(default)/documents/retraining",
        "RETRAIN_DEAD_LETTERS": f"projects/{PROJECT}/topics/{LETTERS}",
    }


def _stage(home: Path, bus: Bus, vertex: VertexStandIn, emit: FrameworkFunction) -> Stage:
    def request(method: str, path: str, body: Json | None) -> tuple[int, Json]:
        return http(f"{emit.url}{path}", method, body)

    def tick(at: datetime) -> None:
        http(f"{emit.url}/tick", "POST", None, {"X-CloudScheduler-ScheduleTime": format_time(at)})

    return Stage(
        title="The Google bundle under functions-framework; emulators of Pub/Sub and Firestore; a Vertex AI stand-in",
        home=home,
        request=request,
        deliver=bus.deliver,
        tick=tick,
        dead_letters=bus.dead_letters,
        services=vertex.all_calls,
        ml_cube_event=_event("demand"),
        mistaken_event=_event(UNKNOWN_MODEL),
    )


def _event(model_id: str) -> Json:
    """Return the event of ML cube Platform with its placeholders filled in."""
    documented: Json = json.loads(DOCUMENTED.read_text(encoding="utf-8"))
    return {**documented, "project_id": PROJECT, "topic_name": TOPIC, "payload": {"model_id": model_id}}
