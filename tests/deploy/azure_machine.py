"""A machine that deploys to Azure: `az` is a fake, `curl` is real and reaches a deployment service on loopback."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from emulators.loopback import Answer, Request
from emulators.standin import Served
from tests.deploy.template import ROOT

APP: Final = "retrain-dev-abc123"
HOST: Final = f"{APP}.scm.azurewebsites.net"
TOKEN: Final = "eyJ0b2tlbiI6InMzY3JldCJ9"
BUNDLE: Final = (
    "function_app.py",
    ".python_packages/lib/site-packages/_cffi_backend.cpython-313-x86_64-linux-gnu.so",
    ".python_packages/lib/site-packages/cryptography/_rust.abi3.so",
    ".python_packages/lib/site-packages/azure/core/__pycache__/settings.cpython-313.pyc",
)
# Each fake notes its arguments. An `az` whose words are in a file of orders fails as often as that has lines.
AZ: Final = f"""#!/bin/sh
echo "az $*" >> "$DESK/calls"
for order in "$DESK"/orders/*; do
  case "$*" in *"${{order##*/}}"*)
    if [ -s "$order" ]; then
      echo "ERROR: $(head -n 1 "$order")" >&2
      tail -n +2 "$order" > "$DESK/rest"
      mv "$DESK/rest" "$order"
      exit 1
    fi ;;
  esac
done
case "$*" in
  "deployment group create"*) echo "{APP}" ;;
  "account get-access-token"*) echo "{TOKEN}" ;;
  "resource show"*) echo "{HOST}" ;;
  "provider show"*) echo "Registered" ;;
esac
"""
CURL: Final = """#!/bin/sh
echo "curl $*" >> "$DESK/calls"
for word; do
  shift
  case "$word" in "https://{host}/"*) word="{url}/${{word#https://{host}/}}" ;; esac
  set -- "$@" "$word"
done
exec {curl} "$@"
"""
SLEEP: Final = """#!/bin/sh
echo "sleep $*" >> "$DESK/calls"
"""
# The script needs the standard library only; without the packages of this environment Python starts in half the time.
PYTHON: Final = f"""#!/bin/sh
exec {sys.executable} -I -S "$@"
"""


@dataclass(kw_only=True, eq=False)
class AzureMachine(Served):
    """A machine with the script, a bundle and the programs that it needs.

    Attributes:
        folder: where all of it is.
        uploads: the answers to the next uploads, status and body; then each is accepted.
        states: the next states of a deployment: Kudu's numbers, or a status of HTTP for no state at all; then success.
        status_text: what the service says of a deployment.
        log: the messages in the log of a deployment.
        requests: the requests to the service.

    """

    folder: Path
    uploads: list[tuple[int, str]] = field(default_factory=list)
    states: list[int] = field(default_factory=list)
    status_text: str = ""
    log: Sequence[str] = ()
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Set everything up; nothing is answered before the context is entered."""
        super().__init__()
        for name in ("bin", "orders", "dist"):
            (self.folder / name).mkdir()
        shutil.copytree(ROOT / "deploy" / "azure", self.folder / "deploy" / "azure")
        self.settings(json.dumps({"parameters": {"environment": {"value": "dev"}}}))
        self.pack(BUNDLE)
        curl = CURL.format(curl=shutil.which("curl"), host=HOST, url=self.url)
        for name, text in {"az": AZ, "curl": curl, "sleep": SLEEP, "python3": PYTHON}.items():
            (self.folder / "bin" / name).write_text(text, encoding="utf-8")
            (self.folder / "bin" / name).chmod(0o755)

    @property
    def bundle(self) -> Path:
        """The bundle."""
        return self.folder / "dist" / "azure.zip"

    @property
    def calls(self) -> list[str]:
        """The programs that were started, oldest first."""
        noted = self.folder / "calls"
        return noted.read_text(encoding="utf-8").splitlines() if noted.exists() else []

    @property
    def passes(self) -> list[str]:
        """The runs of the template that were tried: `subscribe=false` or `subscribe=true`."""
        created = [call for call in self.calls if call.startswith("az deployment group create")]
        return [next(word for word in call.split() if word.startswith("subscribe=")) for call in created]

    @property
    def pauses(self) -> list[int]:
        """How long was waited, in seconds."""
        return [int(call.split()[1]) for call in self.calls if call.startswith("sleep ")]

    @property
    def uploaded(self) -> list[Request]:
        """The uploads that were tried."""
        return [request for request in self.requests if request.method == "POST"]

    def pack(self, names: Sequence[str]) -> None:
        """Make the bundle of files with these names."""
        with ZipFile(self.bundle, "w") as packed:
            for name in names:
                packed.writestr(name, name)

    def refuse(self, words: str, times: int, why: str = "ordered by a test") -> None:
        """Let the next calls of `az` with these words fail."""
        (self.folder / "orders" / words).write_text(f"{why}\n" * times, encoding="utf-8")

    def settings(self, text: str, environment: str = "dev") -> None:
        """Write the parameters of an environment."""
        folder = self.folder / "deploy" / "azure" / "environments"
        (folder / f"{environment}.parameters.json").write_text(text, encoding="utf-8")

    def deploy(self, python: str = "3.13") -> "subprocess.CompletedProcess[str]":
        """Run the script as a deployment does."""
        return self.run("dev", "retraining", python)

    def run(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run the script."""
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            [self.folder / "deploy" / "azure" / "deploy", *arguments],
            env={"PATH": path, "DESK": str(self.folder), "TMPDIR": str(self.folder), **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def _respond(self, request: Request) -> Answer:
        self.requests.append(request)
        if request.method == "POST":
            status, body = self.uploads.pop(0) if self.uploads else (202, '"d-1"')
            return Answer(status=status, body=body.encode())
        if request.path.endswith("/log"):
            return _json([{"log_time": "2026-11-21T09:30:00Z", "message": message} for message in self.log])
        state = self.states.pop(0) if self.states else 4
        if state >= 400:
            return Answer(status=state, body=b"<html>restarting</html>")
        return _json({"id": "d-1", "status": state, "status_text": self.status_text, "complete": state > 2})


def _json(body: Mapping[str, object] | list[dict[str, str]]) -> Answer:
    return Answer(status=200, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
