"""A server of this machine as a process, with models for each test."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

ROOT: Final = Path(__file__).resolve().parents[2]
# A training that a test can let fail, or take long.
TRAIN: Final = """\
import os, sys, time
time.sleep(float(os.environ.get("RETRAIN_PARAM_SECONDS", "0")))
sys.exit(os.environ.get("RETRAIN_PARAM_FAILS", "").lower() == "true" and "the column price is missing")
"""
PARAMETERS: Final = "epochs = 8\nrate = 0.5\nbalanced = true\nseconds = 0\nfails = false\nregion = 'north'\n"


def model_text(pattern: str, settings: str = "") -> str:
    """Return the configuration of the models that match *pattern*."""
    target = f'kind = "command"\ncommand = [{json.dumps(sys.executable)}, "train.py"]\n'
    head = f'[models."{pattern}"]\n{settings}\n[models."{pattern}".parameters]\n{PARAMETERS}'
    return f'{head}[models."{pattern}".target.local]\n{target}'


def until(look: Callable[[], Any], seconds: float = 20) -> Any:
    """Return the result of *look* once it is true."""
    limit = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < limit, "it takes too long"
        time.sleep(0.1)
    return found


class Site:
    """A server that can go away and come back.

    Attributes:
        folder: its folder.
        url: its address, without a slash at the end.

    """

    def __init__(self, folder: Path, config: str) -> None:
        """Write the configuration and start the server."""
        self.folder, self.url = folder, ""
        (folder / "train.py").write_text(TRAIN)
        (folder / "retrain.toml").write_text(config)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, on the port that it had before."""
        port = self.url.rpartition(":")[2] or "0"
        announced = self.folder / ".local" / "serve.json"
        command = [sys.executable, "-m", "functions.cli", "serve", "--port", port, "--json-logs"]
        variables = {**os.environ, "RETRAIN_CONFIG": str(self.folder / "retrain.toml")}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=log)
        until(lambda: announced.exists() or self._process is None or self._process.poll() is not None)
        self.url = json.loads(announced.read_text())["url"]

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def post(self, path: str, **fields: object) -> Any:
        """Send a request as another client, and return the answer."""
        headers = {"content-type": "application/json"}
        sent = urllib.request.Request(f"{self.url}{path}", json.dumps(fields).encode(), headers)  # noqa: S310 - our own server
        with urllib.request.urlopen(sent, timeout=10) as answer:  # noqa: S310 - our own server
            return json.load(answer)

    def model(self, model_id: str) -> Any:
        """Return what the API says about a model."""
        address = f"{self.url}/models/{quote(model_id, safe='')}"
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - our own server
            return json.load(answer)

    def reasons(self, model_id: str) -> list[str]:
        """Return the reasons of a model's decisions, oldest first."""
        return [line["reason"] for line in reversed(self.model(model_id)["decisions"])]
