"""`retrain serve` in a folder of the user's own."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.package import ROOT
from tests.cli.running import run

MODEL = '[models.{}]\ndefault = true\n[models.{}.target.local]\nkind = "command"\ncommand = ["python", "train.py"]\n'


def until(look: Callable[[], Any], seconds: float = 30) -> Any:
    """Return the result of *look* once it is not None."""
    limit = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < limit, "it takes too long"
        time.sleep(0.05)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server as a process of its own.

    Attributes:
        process: the process.
        folder: the folder that it serves.
        url: its address.
        log: the file of its log.

    """

    process: "subprocess.Popen[bytes]"
    folder: Path
    url: str
    log: Path

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the events in the log that have this name."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def get(self, path: str) -> Any:
        """Return the JSON answer to a GET request."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as response:  # noqa: S310 - our own server
            return json.load(response)

    def stop(self) -> int:
        """End the server as Ctrl-C does, and return its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


@contextmanager
def served(
    folder: Path, *arguments: str, variables: Mapping[str, str] | None = None, within: Sequence[str] = ()
) -> Iterator[Server]:
    """Serve *folder* on a free port; *within* is the program that starts the server."""
    log = folder / "log.jsonl"
    command = [*within, sys.executable, "-m", "functions.cli", "serve", "--port", "0", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **(variables or {})}
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, cwd=folder, env=environment, stderr=stderr)
    address = folder / ".local" / "serve.json"
    try:
        url = until(lambda: json.loads(address.read_text())["url"] if address.exists() else None)
        yield Server(process=process, folder=folder, url=url, log=log)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a model whose training writes a file."""
    (tmp_path / "retrain.toml").write_text(MODEL.format("churn", "churn"))
    (tmp_path / "train.py").write_text("open('trained', 'a').write('x')\n")
    return tmp_path


def test_a_trigger_becomes_a_training(folder: Path) -> None:
    """A request trains, the command line sees it, and Ctrl-C ends the server with 0 and without its address file."""
    with served(folder) as server:
        until(lambda: server.events("local.serving") or None)
        emitted = run("emit", "--config", str(folder / "retrain.toml"), "--id", "t-1", variables={})
        assert emitted.out == "t-1\n"
        until(lambda: server.get("/models/churn")["runs"][:1] or None)
        until(lambda: True if server.get("/models/churn")["runs"][0]["result"] == "succeeded" else None)
        assert (folder / "trained").read_text() == "x"
        assert server.stop() == 0
        assert not (folder / ".local" / "serve.json").exists()
        assert "Traceback" not in server.log.read_text()


# In a mount namespace of its own, so that only this server and its trainings see no processes.
WITHOUT_PROC = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")


def test_nothing_needs_proc(folder: Path) -> None:
    """As on macOS, where there is no /proc: a training runs, one that never ends is ended, and Ctrl-C ends with 0."""
    if subprocess.run([*WITHOUT_PROC, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this needs the right to hide /proc, which root on Linux has")
    command = ["python", "-c", "import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"]
    endless = (
        f'[models.endless]\nmax_run = "1s"\ntarget.local = {{kind = "command", command = {json.dumps(command)}}}\n'
    )
    (folder / "retrain.toml").write_text(MODEL.format("churn", "churn") + endless)
    with served(folder, within=WITHOUT_PROC) as server:
        for model, results in (("churn", ["succeeded"]), ("endless", ["failed", "gone"])):
            assert run("emit", model, "--config", str(folder / "retrain.toml"), variables={}).code == 0

            def ended(path: str = f"/models/{model}") -> Any:
                return next((run["result"] for run in server.get(path)["runs"]), None)

            assert until(ended) in results
        (run_ended,) = server.get("/models/endless")["runs"]
        assert datetime.fromisoformat(run_ended["ended_at"]) - datetime.fromisoformat(
            run_ended["started_at"]
        ) < timedelta(seconds=30)
        assert server.stop() == 0
        assert "Traceback" not in server.log.read_text()


def test_a_second_server_in_the_folder_is_refused(folder: Path) -> None:
    """The message names the address of the first one, and the exit code is 1; after its end another one starts."""
    with served(folder) as first:
        command = [sys.executable, "-m", "functions.cli", "serve", "--port", "0"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        second = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert (second.returncode, second.stdout) == (1, "")
        assert f"{folder} is already served by the server at {first.url} (process {first.process.pid})" in second.stderr
        first.process.kill()
        first.process.wait()
        (folder / ".local" / "serve.json").unlink()
    with served(folder) as again:
        assert again.get("/health") == {"status": "ok"}


def test_a_changed_configuration_is_loaded(folder: Path) -> None:
    """A valid change counts without a restart; an invalid one is reported, and the configuration before is kept."""
    path = folder / "retrain.toml"
    with served(folder) as server:
        assert [model["model_id"] for model in server.get("/models")["models"]] == ["churn"]
        path.write_text(MODEL.format("fraud", "fraud"))
        until(lambda: server.events("local.configuration_loaded") or None)
        assert [model["model_id"] for model in server.get("/models")["models"]] == ["fraud"]
        path.write_text("[models.x]\ncooldown = 1\n")
        (event,) = until(lambda: server.events("local.configuration_invalid") or None)
        assert any("cooldown" in problem for problem in event["problems"])
        assert [model["model_id"] for model in server.get("/models")["models"]] == ["fraud"]
        path.write_text(MODEL.format("churn", "churn"))
        until(lambda: server.events("local.configuration_loaded")[1:] or None)
        run("emit", "--config", str(path), "--id", "t-2", variables={})
        until(lambda: True if (folder / "trained").exists() else None)


def test_the_python_of_the_folder_trains(folder: Path) -> None:
    """`python` is the one in `.venv` of the folder, also under `PYTHONSAFEPATH`."""
    (folder / ".venv" / "bin").mkdir(parents=True)
    own = folder / ".venv" / "bin" / "python"
    own.write_text('#!/bin/sh\necho own > used\nexec python3 "$@"\n')
    own.chmod(0o755)
    with served(folder, variables={"PYTHONSAFEPATH": "1"}):
        run("emit", "--config", str(folder / "retrain.toml"), variables={})
        until(lambda: True if (folder / "trained").exists() else None)
    assert (folder / "used").read_text() == "own\n"


def test_people_read_text_on_a_terminal(folder: Path) -> None:
    """On a terminal the start is described in words; with `--json-logs` it is JSON there, too."""
    command = [sys.executable, "-m", "functions.cli", "serve", "--port", "0"]
    for more, expected in (([], "  models         churn\r\n"), (["--json-logs"], '"event": "local.serving"')):
        ours, theirs = pty.openpty()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen([*command, *more], cwd=folder, env=environment, stderr=theirs)
        os.close(theirs)
        text = ""
        while "serving" not in text:
            text += os.read(ours, 4096).decode()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        os.close(ours)
        assert expected in text


def test_without_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names `retrain init`, and the exit code is 1."""
    monkeypatch.chdir(tmp_path)
    answer = run("serve", variables={})
    assert answer.code == 1
    assert "`retrain init` creates one" in answer.err
