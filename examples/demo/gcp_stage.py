"""Google Cloud as a stage: the built bundle under functions-framework, Google's emulators, a stand-in for Vertex AI."""

import base64
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from emulators.framework import FrameworkFunction
from emulators.google_emulators import firestore_emulator, missing, pubsub_emulator
from emulators.pubsub import PubSub
from emulators.vertex import Job, VertexStandIn
from examples.demo.gcp_bus import LETTERS, TOPIC, Bus
from examples.demo.local_stage import http
from examples.demo.models import MODELS, configuration, signal_of, train_first
from examples.demo.outside import Outside, outside
from examples.demo.stage import UNKNOWN_MODEL, Json, NotInstalledError, Stage
from examples.demo.waiting import wait
from shared.fields import format_time

ROOT = Path(__file__).parents[2]
PIPELINE = ROOT / "examples" / "pipelines" / "demand.json"
# The event in the documentation of ML cube Platform.
DOCUMENTED = Path(__file__).parent / "events" / "retrain-trigger-pubsub.json"
PROJECT = "acme"
SIGNAL = signal_of("gcs-object")
# The caller, as Cloud Run passes it on: a token that it has verified, without the signature.
CLAIMS = base64.urlsafe_b64encode(b'{"email": "ada@acme.example"}').decode().rstrip("=")
CALLER = {"Authorization": f"Bearer e30.{CLAIMS}.SIGNATURE_REMOVED_BY_GOOGLE"}


@contextmanager
def gcp_stage(home: Path) -> Iterator[Stage]:
    """Run the project and both functions until the story ends.

    Raises:
        NotInstalledError: the emulators are not installed, or the bundle is not built.

    """
    _check()
    train_first(home)
    shutil.copy(PIPELINE, home)
    with ExitStack() as running:
        around = running.enter_context(outside())
        targets = {model_id: _target() for model_id in MODELS}
        (home / "retrain.toml").write_text(configuration(targets, signal=SIGNAL, channel=around.channel))
        pubsub, firestore = (running.enter_context(run()) for run in (pubsub_emulator, firestore_emulator))
        vertex = running.enter_context(VertexStandIn(command=lambda job: _command(home, job)))
        environment = {**around.variables(), **_environment(home, pubsub, firestore, vertex)}
        emit, receive = (
            running.enter_context(
                FrameworkFunction(bundle=ROOT / "dist" / "gcp", target=target, environment=environment)
            )
            for target in ("emit", "receive")
        )
        bus = Bus(pubsub=PubSub(address=pubsub, project=PROJECT), receive=receive)
        running.enter_context(bus.pushes)
        bus.set_up()
        vertex.on_log = bus.report
        yield _stage(home, bus, vertex, around, emit)
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
    """Return the command that replaces the pipeline's steps; steps whose results are reused run nothing."""
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


def _stage(home: Path, bus: Bus, vertex: VertexStandIn, around: Outside, emit: FrameworkFunction) -> Stage:
    def request(method: str, path: str, body: Json | None) -> tuple[int, Json]:
        return http(f"{emit.url}{path}", method, body, CALLER)

    def tick(at: datetime) -> None:
        http(f"{emit.url}/tick", "POST", None, {"X-CloudScheduler-ScheduleTime": format_time(at)})

    return Stage(
        title="The Google bundle on functions-framework; emulators of Pub/Sub, Firestore; a Vertex AI stand-in",
        home=home,
        request=request,
        deliver=bus.deliver,
        tick=tick,
        new_file=bus.announce_file,
        signal=SIGNAL,
        messages=lambda: list(around.messages),
        notified_by="by Apprise",
        dispatched=around.github.dispatched,
        settle=lambda: wait(bus.ends_are_taken),
        dead_letters=bus.dead_letters,
        services=vertex.all_calls,
        ml_cube_event=_event("demand"),
        mistaken_event=_event(UNKNOWN_MODEL),
    )


def _event(model_id: str) -> Json:
    """Return the event of ML cube Platform with its placeholders filled in."""
    documented: Json = json.loads(DOCUMENTED.read_text(encoding="utf-8"))
    return {**documented, "project_id": PROJECT, "topic_name": TOPIC, "payload": {"model_id": model_id}}
