"""Replaces the steps of a pipeline in the demo: runs the training, in a folder of its own."""

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from examples.demo.models import TRAIN, production_of


def main(arguments: Sequence[str]) -> None:
    """Replace this process with the training of a model; *arguments* are the folder for runs and the model's name."""
    home, model_id = Path(arguments[0]), arguments[1]
    trigger_id = os.environ["RETRAIN_PARAM_TRIGGER_ID"]
    folder = home / "runs" / hashlib.sha256(trigger_id.encode()).hexdigest()[:16]
    command = [sys.executable, str(TRAIN), "--run", str(folder), "--production", str(production_of(home, model_id))]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "output.log").open("a") as output:
        os.dup2(output.fileno(), sys.stdout.fileno())
    os.execve(sys.executable, command, {**os.environ, "RETRAIN_TRIGGER_ID": trigger_id})  # noqa: S606 - our own script


if __name__ == "__main__":
    main(sys.argv[1:])
