"""The models of the story: their configuration, and their first versions in production."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

TRAIN = Path(__file__).parents[1] / "demand" / "train.py"
REVIEWED = "demand-reviewed"
MODELS = ("demand", "demand-weekly", REVIEWED)

# The file that is a signal for `REVIEWED`, and the workflow that its trainings start.
CONTAINER, FILE = "rentals", "2012/09.csv"
REPOSITORY, EVENT_TYPE = "acme/demand", "demand-trained"


def signal_of(kind: str) -> str:
    """Return the signal of *kind* for a new file with rentals."""
    return f"{kind}:{CONTAINER}/2012/*.csv"


def configuration(targets: Mapping[str, str], *, signal: str, channel: str) -> str:
    """Return the `retrain.toml` of the demo.

    Args:
        targets: the target table of each model.
        signal: the native event that requests a training of `REVIEWED`.
        channel: the channel for messages to people.

    """
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

[models."{REVIEWED}"]
signals = ["{signal}"]
approval = true
[models."{REVIEWED}".parameters]
until = "2012-10-01"
trigger_id = "$trigger_id"
[models."{REVIEWED}".target]
{targets[REVIEWED]}
[models."{REVIEWED}".after]
succeeded = ["github:{REPOSITORY}#{EVENT_TYPE}", "notify"]

[github]
repositories = ["{REPOSITORY}"]

[notify]
channels = ["{channel}"]
"""


def production_of(home: Path, model_id: str) -> Path:
    """Return the folder of the model in production."""
    return home / "production" / model_id


def train_first(home: Path) -> None:
    """Put models into production that are a year old, all of them the same."""
    first, *others = (production_of(home, model_id) for model_id in MODELS)
    folders = ["--run", str(home / "first"), "--production", str(first)]
    run([sys.executable, str(TRAIN), *folders], {"RETRAIN_PARAM_UNTIL": "2011-09-01"})
    for other in others:
        shutil.copytree(first, other)


def run(command: Sequence[str], variables: Mapping[str, str]) -> None:
    """Run *command* with additional environment *variables*.

    Raises:
        subprocess.CalledProcessError: the command failed.

    """
    subprocess.run(command, env={**os.environ, **variables}, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own script
