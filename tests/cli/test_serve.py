"""`retrain serve` in a folder of the user's own."""

import fcntl
import io
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.cli.__main__ import main
from tests.cli.package import ROOT
from tests.cli.running import run
from tests.local.here import address_in, get, own_signals, serve_here, until

MODEL = '[models.{}]\ndefault = true\n[models.{}.target.local]\nkind = "command"\ncommand = ["python", "train.py"]\n'


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


def served_here(
    folder: Path, visit: Callable[[str], object], *options: str, stderr: io.StringIO | None = None, **variables: str
) -> str:
    """Serve *folder* in this process until *visit*, which gets the address, returns; return standard error."""
    errors = io.StringIO() if stderr is None else stderr
    config = ["--config", str(folder / "retrain.toml")]

    def serve() -> int:
        return main(["serve", "--port", "0", *config, *options], {**os.environ, **variables}, io.StringIO(), errors)

    assert serve_here(serve, address_in(folder), visit) == 0, errors.getvalue()
    return errors.getvalue()


class Terminal(io.StringIO):
    """A terminal on which a person reads."""

    def isatty(self) -> bool:
        """Return true."""
        return True


def models(url: str) -> list[str]:
    """Return the names of the models that a server has."""
    return [model["model_id"] for model in get(f"{url}/models")["models"]]


def test_a_second_server_in_the_folder_is_refused(folder: Path) -> None:
    """The message names the first one, and the exit code is 1; after its end another one starts."""
    local = folder / ".local"
    local.mkdir()
    config = ("--config", str(folder / "retrain.toml"))
    with (local / "serve.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for content, first in (
            ('{"url": "http://127.0.0.1:1", "pid": 7}', "the server at http://127.0.0.1:1 (process 7)"),
            ("{", "another server"),
        ):
            (local / "serve.json").write_text(content)
            with own_signals():
                second = run("serve", "--port", "0", *config)
            assert (second.code, second.out) == (1, "")
            assert second.err == f"{folder} is already served by {first}; use that one, or stop it first\n"
    assert json.loads(served_here(folder, models).splitlines()[0])["event"] == "local.serving"


def test_a_changed_configuration_is_loaded(folder: Path) -> None:
    """A valid change counts without a restart; an invalid one is reported, and the configuration before is kept."""
    path, log = folder / "retrain.toml", io.StringIO()

    def visit(url: str) -> None:
        assert models(url) == ["churn"]
        path.write_text(MODEL.format("fraud", "fraud"))
        until(lambda: True if models(url) == ["fraud"] else None)
        path.write_text("[models.x]\ncooldown = 1\n")
        until(lambda: True if "local.configuration_invalid" in log.getvalue() else None)
        assert models(url) == ["fraud"]
        path.write_text(MODEL.format("churn", "churn"))
        until(lambda: True if models(url) == ["churn"] else None)
        run("emit", "--config", str(path), "--id", "t-2", variables={})
        until(lambda: True if (folder / "trained").exists() else None)

    events = [json.loads(line) for line in served_here(folder, visit, stderr=log).splitlines()]
    (invalid,) = [event for event in events if event["event"] == "local.configuration_invalid"]
    assert any("cooldown" in problem for problem in invalid["problems"])
    loaded = [event["models"] for event in events if event["event"] == "local.configuration_loaded"]
    assert loaded == [["fraud"], ["churn"]]


def test_the_python_of_the_folder_trains(folder: Path) -> None:
    """`python` is the one in `.venv` of the folder, also under `PYTHONSAFEPATH`."""
    (folder / ".venv" / "bin").mkdir(parents=True)
    own = folder / ".venv" / "bin" / "python"
    own.write_text('#!/bin/sh\necho own > used\nexec python3 "$@"\n')
    own.chmod(0o755)

    def visit(_url: str) -> None:
        run("emit", "--config", str(folder / "retrain.toml"), variables={})
        until(lambda: True if (folder / "trained").exists() else None)

    served_here(folder, visit, PYTHONSAFEPATH="1")
    assert (folder / "used").read_text() == "own\n"


def test_people_read_text_on_a_terminal(folder: Path) -> None:
    """On a terminal the start is described in words, in rows; with `--json-logs` it is JSON there, too."""
    text = served_here(folder, models, stderr=Terminal())
    rows = dict(line.strip().split(maxsplit=1) for line in text.splitlines() if line.startswith("  "))
    assert rows["models"] == "churn"
    assert rows["schedule"] == "no model is scheduled"
    assert (rows["configuration"], rows["data"]) == (str(folder / "retrain.toml"), str(folder / ".local"))
    assert rows["console"].startswith("http://127.0.0.1:")
    assert "Ctrl-C ends the server; trainings that run go on.\n" in text
    assert f" serving url={rows['console']}\n" in text
    scheduled = MODEL.format("churn", "churn").replace("default = true", "default = true\nschedule = true")
    (folder / "retrain.toml").write_text(scheduled)
    assert "churn (scheduled)" in served_here(folder, models, stderr=Terminal())
    (line, *_) = served_here(folder, models, "--json-logs", stderr=Terminal()).splitlines()
    assert json.loads(line)["event"] == "local.serving"


def test_a_folder_that_cannot_be_written_to(folder: Path) -> None:
    """The message names the folder and what to do, and the exit code is 1."""
    (folder / ".local").write_text("a file")
    with own_signals():
        answer = run("serve", "--port", "0", "--config", str(folder / "retrain.toml"))
    error = f"{folder}/.local: cannot be written to (it is a file, not a folder); serve another folder\n"
    assert (answer.code, answer.err) == (1, error)


def test_without_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names `retrain init`, and the exit code is 1."""
    monkeypatch.chdir(tmp_path)
    answer = run("serve", variables={})
    assert answer.code == 1
    assert "`retrain init` creates one" in answer.err


def test_a_damaged_file_is_refused_at_the_start(folder: Path) -> None:
    """The server does not start with a bus on which every event would fail; the message says what to do."""
    (folder / ".local").mkdir()
    (folder / ".local" / "retrain.db").write_text("some text that is long enough to be read as one")
    with own_signals():
        answer = run("serve", "--port", "0", "--config", str(folder / "retrain.toml"), variables={})
    assert answer.code == 1
    assert answer.err.startswith("SQLite (retrain.db) could not count events: file is not a database (restore ")
    assert not (folder / ".local" / "serve.json").exists()


def test_a_folder_that_is_removed_ends_its_server(folder: Path) -> None:
    """A server whose lock is gone no longer keeps others out, nor gets their triggers: it ends with 1 and says why."""
    errors = io.StringIO()
    lock, address = folder / ".local" / "serve.lock", folder / ".local" / "serve.json"

    def serve() -> int:
        return main(
            ["serve", "--port", "0", "--config", str(folder / "retrain.toml")], os.environ, io.StringIO(), errors
        )

    def visit(_url: str) -> None:
        lock.unlink()
        address.write_text("{}")
        until(lambda: True if "start the server again" in errors.getvalue() else None)

    assert serve_here(serve, address_in(folder), visit) == 1
    assert f"{lock} was removed or replaced while the server ran" in errors.getvalue()
    # It may be that of the next server.
    assert address.exists()
