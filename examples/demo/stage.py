"""The interface of a cloud that the story needs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from emulators.github import Dispatched
from examples.demo.outside import Message

Json = dict[str, Any]

# The event in the documentation of ML cube Platform for Amazon EventBridge: no model, and no id but that of the bus.
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
    """Something is not installed; the message says in one sentence what it is and how to install it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A cloud on this machine.

    Attributes:
        title: the programs that run, in one line.
        home: the folder of all files.
        request: sends an HTTP request (method, path, body) and returns status and JSON body.
        deliver: delivers an event the given number of (further) times, and returns the id of its trigger.
        tick: makes the schedule due at the given time.
        new_file: puts a file into the bucket that is a signal for `demand-reviewed`; its event is delivered twice.
        signal: that event in the configuration.
        messages: returns the messages to people, oldest first.
        notified_by: the service that sends them.
        dispatched: returns the events that GitHub received, oldest first.
        settle: waits until every event about the end of a training, each of which comes repeatedly, was acknowledged.
        dead_letters: returns the dead letters.
        services: returns the number of calls of each operation, if the cloud counts them.
        ml_cube_event: triggers `demand`, in the form that the documentation of ML cube Platform has for this bus.
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
    notified_by: str
    dispatched: Callable[[], list[Dispatched]]
    settle: Callable[[], None]
    dead_letters: Callable[[], list[Json]]
    services: Callable[[], Mapping[str, int]] = dict
    ml_cube_event: Json = field(default_factory=lambda: ML_CUBE_EVENT)
    mistaken_event: Json = field(default_factory=lambda: MISTAKEN_EVENT)

    def model(self, model_id: str) -> Json:
        """Return the answer of `GET /models/{model_id}`."""
        return self.request("GET", f"/models/{model_id}", None)[1]

    def is_free(self, model_id: str) -> bool:
        """Whether the model has trained, and no training of it runs or is queued."""
        model = self.model(model_id)
        return model["running"] is None and model["queued"] is None and bool(model["runs"])

    def trainings(self) -> list[Json]:
        """Return the metrics of every training, oldest first."""
        files = sorted(self.home.glob("runs/*/metrics.json"), key=lambda path: path.stat().st_mtime)
        return [json.loads(path.read_text()) for path in files]
