"""The local cloud as a stage: its real HTTP server, bus and trainings."""

import json
import os
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from examples.demo.arrivals import s3_event
from examples.demo.models import MODELS, TRAIN, configuration, production_of, signal_of, train_first
from examples.demo.outside import Outside, outside
from examples.demo.stage import Json, Stage
from examples.demo.waiting import wait
from functions.local.server import serve
from functions.local.wiring import LocalCloud, local_cloud
from shared.emit import emit_scheduled
from shared.http.parts import EmitterParts
from shared.log import log_to

# The local bus reads events in the form of EventBridge.
SIGNAL = signal_of("s3-object")


@contextmanager
def local_stage(home: Path) -> Iterator[Stage]:
    """Run the local cloud on a free port until the story ends."""
    train_first(home)
    targets = {model_id: _target(home, model_id) for model_id in MODELS}
    with outside() as around, (home / "log.jsonl").open("w") as log:
        (home / "retrain.toml").write_text(configuration(targets, signal=SIGNAL, channel=around.channel))
        log_to(log)
        cloud = local_cloud({**os.environ, **around.variables(), "RETRAIN_CONFIG": str(home / "retrain.toml")})
        cloud.consumer.start()
        try:
            with serving(cloud.emitter) as url:
                yield _stage(cloud, home, url, around)
        finally:
            cloud.consumer.stop()
            log_to(sys.stderr)


@contextmanager
def serving(emitter: EmitterParts) -> Iterator[str]:
    """Serve the HTTP API on a free port, and give its address."""
    server = serve(emitter, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.stop()
        thread.join(5)


def _target(home: Path, model_id: str) -> str:
    command = [sys.executable, str(TRAIN), "--production", str(production_of(home, model_id))]
    return f'local = {{ kind = "command", command = {json.dumps(command)} }}'


def _stage(cloud: LocalCloud, home: Path, url: str, around: Outside) -> Stage:
    def deliver(event: Json, times: int) -> str:
        for _ in range(times):
            cloud.bus.put(event)
        return f"ml3_platform:{event['id']}"

    def request(method: str, path: str, body: Json | None) -> tuple[int, Json]:
        return http(f"{url}{path}", method, body)

    def ticked(at: datetime) -> None:
        emit_scheduled(cloud.emitter, at)

    def new_file() -> None:
        for _ in range(2):
            cloud.bus.put(s3_event())

    return Stage(
        title=f"The local cloud, at {url}",
        home=home / ".local",
        request=request,
        deliver=deliver,
        tick=ticked,
        new_file=new_file,
        signal=SIGNAL,
        messages=lambda: list(around.messages),
        notified_by="by Apprise",
        dispatched=around.github.dispatched,
        settle=lambda: wait(lambda: cloud.bus.size() == 0),
        dead_letters=lambda: [json.loads(path.read_text()) for path in home.glob(".local/dead-letters/*.json")],
    )


def http(url: str, method: str, body: Json | None, headers: Mapping[str, str] | None = None) -> tuple[int, Json]:
    """Send a request and return status and JSON body."""
    data = None if body is None else json.dumps(body).encode()
    named = {"content-type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, data=data, method=method, headers=named)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
