"""What the story needs of a cloud, and the models that it is about."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

TRAIN = Path(__file__).parents[1] / "demand" / "train.py"
MODELS = ("demand", "demand-weekly")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A cloud on this machine.

    Attributes:
        title: what runs, in one line.
        home: where everything is written.
        request: sends an HTTP request (method, path, body) and returns status and JSON body.
        deliver: lets the bus deliver an event so many times (more), and returns the id that it has there.
        tick: lets the schedule come due, for the time given.
        dead_letters: returns what lies in the dead letters.
        services: how often each service was called, where the cloud can tell.

    """

    title: str
    home: Path
    request: Callable[[str, str, Json | None], tuple[int, Json]]
    deliver: Callable[[Json, int], str]
    tick: Callable[[datetime], None]
    dead_letters: Callable[[], list[Json]]
    services: Callable[[], Mapping[str, int]] = dict

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
