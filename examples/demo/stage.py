"""What the story needs of a cloud, and the models that it is about."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

TRAIN = Path(__file__).parents[1] / "demand" / "train.py"
MODELS = ("demand", "demand-weekly")

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
    dead_letters: Callable[[], list[Json]]
    services: Callable[[], Mapping[str, int]] = dict
    ml_cube_event: Json = field(default_factory=lambda: ML_CUBE_EVENT)
    mistaken_event: Json = field(default_factory=lambda: MISTAKEN_EVENT)

    def model(self, model_id: str) -> Json:
        """Return what `GET /models/{model_id}` says."""
        return self.request("GET", f"/models/{model_id}", None)[1]

    def trainings(self) -> list[Json]:
        """Return the metrics of every training, oldest first."""
        files = sorted(self.home.glob("runs/*/metrics.json"), key=lambda path: path.stat().st_mtime)
        return [json.loads(path.read_text()) for path in files]


def configuration(targets: Mapping[str, str]) -> str:
    """Return the `retrain.toml` of the demo; *targets* holds each model's target table."""
    return f"""\
[models."demand"]
default = true
cooldown = "6h"
on_busy = "queue"
[models."demand".parameters]
until = "2012-06-01"
max_iter = 300
trigger_id = "$trigger_id"
[models."demand".target]
{targets["demand"]}

[models."demand-weekly"]
schedule = true
cooldown = "1d"
[models."demand-weekly".parameters]
until = "2012-09-01"
trigger_id = "$trigger_id"
[models."demand-weekly".target]
{targets["demand-weekly"]}
"""


def production_of(home: Path, model_id: str) -> Path:
    """Return the folder of the model in production."""
    return home / "production" / model_id


def train_first(home: Path) -> None:
    """Put models into production as they were a year earlier."""
    for model_id in MODELS:
        folders = ["--run", str(home / "first" / model_id), "--production", str(production_of(home, model_id))]
        run([sys.executable, str(TRAIN), *folders], {"RETRAIN_PARAM_UNTIL": "2011-09-01"})


def run(command: Sequence[str], variables: Mapping[str, str]) -> None:
    """Run *command* with more environment *variables*.

    Raises:
        subprocess.CalledProcessError: it failed.

    """
    subprocess.run(command, env={**os.environ, **variables}, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own script
