"""The stage of the drift demo: data in windows, the monitor, the local cloud, and an inbox for messages."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from emulators.loopback import Answer, LoopbackServer, Request
from examples.demo.local_stage import http, serving
from examples.demo.models import TRAIN, run
from functions.local.wiring import local_cloud
from shared.decision.state import Decided
from shared.log import log_to

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
SCORE = ROOT / "examples" / "demand" / "score.py"
MODEL = "demand"
# A quarter: the newest of the days that the model in production was trained on.
REFERENCE_DAYS = 91

CONFIGURATION = """\
[models."demand".parameters]
until = "2012-09-01"

[models."demand".target.local]
kind = "command"
command = {command}

[models."demand".drift]
reference = "data/reference.csv"
current = "data/{{yesterday:%Y-%m}}.csv"
site = "site"
columns = ["temp", "hum", "windspeed", "weathersit", "workingday", "casual", "registered"]
target = "cnt"
prediction = "predicted"
drift_share = 0.4
severity = {{ low = 0.4, medium = 0.6, high = 0.8 }}
min_rows = 28  # a month from its fourth day on

[models."demand".quality]
metric = "mae"
limit = 1000  # rentals a day
severity = {{ low = 0.1, high = 1.0 }}

[notify]
channels = ["json://{inbox}/"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftStage:
    """The monitor and the local cloud.

    Attributes:
        home: the folder of all files.
        url: the address of the local cloud's HTTP API.
        inbox: the messages to people, oldest first.
        decided: every decision of the local cloud, oldest first.

    """

    home: Path
    url: str
    inbox: list[Json]
    decided: list[Decided]

    def put_window(self, month: str, first: date, until: date) -> int:
        """Make the days from *first* on and before *until* the data of *month*, and return their number."""
        return self._score(self.home / "data" / f"{month}.csv", first, until)

    def put_reference(self, last_day: date) -> None:
        """Make the quarter that ends with *last_day* the reference data."""
        after = last_day + timedelta(days=1)
        self._score(self.home / "data" / "reference.csv", after - timedelta(days=REFERENCE_DAYS), after)

    def quality(self) -> Json:
        """Return the quality that the last run of the monitor found."""
        document = json.loads((self.home / "site" / "models" / MODEL / "latest" / "drift.json").read_text())
        return dict(document["quality"])

    def _score(self, path: Path, first: date, until: date) -> int:
        days = ["--first", first.isoformat(), "--until", until.isoformat()]
        files = ["--production", str(self.home / "production"), "--output", str(path)]
        run([sys.executable, str(SCORE), *files, *days], {})
        return len(path.read_text(encoding="utf-8").splitlines()) - 1

    def monitor(self, at: str) -> Json:
        """Run the drift monitor as its image does, for the time *at*, and return its result for the model."""
        variables = {**os.environ, "RETRAIN_CLOUD": "local", "RETRAIN_CONFIG": str(self.home / "retrain.toml")}
        with (self.home / "monitor.jsonl").open("a") as log:
            command = [sys.executable, "-m", "functions.monitor", "--at", at]
            done = subprocess.run(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=log, check=True)  # noqa: S603 - our own program
        (line,) = json.loads(done.stdout)["checks"]
        return dict(line)

    def model(self) -> Json:
        """Return the state of the model in the local cloud."""
        return http(f"{self.url}/models/{MODEL}", "GET", None)[1]

    def trainings(self) -> list[Json]:
        """Return the metrics of every training that the local cloud has started."""
        return [json.loads(path.read_text()) for path in self.home.glob(".local/runs/*/metrics.json")]


@contextmanager
def drift_stage(home: Path) -> Iterator[DriftStage]:
    """Put a model of 2011 into production, and run the local cloud until the story ends."""
    production = home / "production"
    inbox: list[Json] = []
    decided: list[Decided] = []
    run(
        [sys.executable, str(TRAIN), "--run", str(home / "first"), "--production", str(production)],
        {"RETRAIN_PARAM_UNTIL": "2011-09-01"},
    )
    with LoopbackServer(_keeps(inbox)) as mail, (home / "log.jsonl").open("w") as log:
        command = json.dumps([sys.executable, str(TRAIN), "--production", str(production)])
        (home / "retrain.toml").write_text(CONFIGURATION.format(command=command, inbox=mail.address))
        log_to(log)
        variables = {**os.environ, "RETRAIN_CONFIG": str(home / "retrain.toml")}
        cloud = local_cloud(variables, observe=lambda _model_id, decision: decided.append(decision))
        cloud.consumer.start()
        try:
            with serving(cloud.emitter) as url:
                yield DriftStage(home=home, url=url, inbox=inbox, decided=decided)
        finally:
            cloud.consumer.stop()
            log_to(sys.stderr)


def last_training_day(folder: Path) -> date:
    """Return the last day that the model of the run *folder* was trained on."""
    return date.fromisoformat(json.loads((folder / "metrics.json").read_text())["training"]["last_day"])


def _keeps(inbox: list[Json]) -> Callable[[Request], Answer]:
    def respond(request: Request) -> Answer:
        inbox.append(json.loads(request.body))
        return Answer(status=200)

    return respond
