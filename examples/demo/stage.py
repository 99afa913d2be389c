"""What the story needs of a cloud."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from emulators.github import Dispatched
from examples.demo.outside import Message

Json = dict[str, Any]

# As the documentation of ML cube Platform shows it for Amazon EventBridge: no model, no id but the bus's own.
ML_CUBE_EVENT: Json = {
    "version": "0",
    "id": "fcdd87c7-f56e-c722-4f85-4cb6ba85a00a",
    "detail-type": "retrain_trigger",
    "source": "ml3_platform",
    "account": "123456789",
    "time": "2023-11-02T14:16:23Z",
    "region": "eu-west-3",
    "resources": [],
    "detail": {"first_param": "hi", "second_param": "bye"},
}
UNKNOWN_MODEL = "churm"
MISTAKEN_EVENT: Json = {**ML_CUBE_EVENT, "id": "with-a-mistake", "detail": {"model_id": UNKNOWN_MODEL}}


class NotInstalledError(Exception):
    """A stage needs what this machine does not have; says what, and how to get it, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A cloud on this machine.

    Attributes:
        title: what runs, in one line.
        home: where everything is written.
        request: sends an HTTP request (method, path, body) and returns status and JSON body.
        deliver: lets the bus deliver an event so many times (more), and returns the id of the trigger in it.
        tick: lets the schedule come due, for the time given.
        new_file: lets a file arrive in the bucket that `demand-reviewed` waits for; its event is delivered twice.
        signal: how the configuration names that event.
        messages: returns what people were told, oldest first.
        told_by: how they were told.
        dispatched: returns what GitHub got, oldest first.
        settle: waits until the news of every training's end, which comes more than once, was taken each time.
        dead_letters: returns what lies in the dead letters.
        services: how often each service was called, where the cloud can tell.
        ml_cube_event: asks for `demand`, in the form that the documentation of ML cube Platform has for this bus.
        mistaken_event: the same, but for `UNKNOWN_MODEL`.

    """

    title: str
    home: Path
    request: Callable[[str, str, Json | None], tuple[int, Json]]
    deliver: Callable[[Json, int], str]
    tick: Callable[[datetime], None]
    new_file: Callable[[], None]
    signal: str
    messages: Callable[[], list[Message]]
    told_by: str
    dispatched: Callable[[], list[Dispatched]]
    settle: Callable[[], None]
    dead_letters: Callable[[], list[Json]]
    services: Callable[[], Mapping[str, int]] = dict
    ml_cube_event: Json = field(default_factory=lambda: ML_CUBE_EVENT)
    mistaken_event: Json = field(default_factory=lambda: MISTAKEN_EVENT)

    def model(self, model_id: str) -> Json:
        """Return what `GET /models/{model_id}` says."""
        return self.request("GET", f"/models/{model_id}", None)[1]

    def is_free(self, model_id: str) -> bool:
        """Whether the model has trained, and nothing of it runs or is queued."""
        model = self.model(model_id)
        return model["running"] is None and model["queued"] is None and bool(model["runs"])

    def trainings(self) -> list[Json]:
        """Return the metrics of every training, oldest first."""
        files = sorted(self.home.glob("runs/*/metrics.json"), key=lambda path: path.stat().st_mtime)
        return [json.loads(path.read_text()) for path in files]
