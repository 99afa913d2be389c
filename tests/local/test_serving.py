"""The local server as a process: how it starts and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.local.given import ROOT

CONFIGURATION = '[models."churn".target.local]\nkind = "command"\ncommand = ["true"]\n'


@contextmanager
def served(folder: Path, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """Start the server as a process of its own."""
    (folder / "retrain.toml").write_text(CONFIGURATION, encoding="ascii")
    process = subprocess.Popen(
        [sys.executable, "-m", "functions.local", *arguments],
        cwd=ROOT,
        env={**os.environ, "RETRAIN_CONFIG": str(folder / "retrain.toml")},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def rest_of_log(process: "subprocess.Popen[str]") -> str:
    """Wait for the end and return what else was written, except for evaluations of schedules every five minutes."""
    _, text = process.communicate(timeout=30)
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if '"event": "retrain.schedules_evaluated"' not in line)


def url_of(process: "subprocess.Popen[str]") -> str:
    """Return the address that the server logs."""
    assert process.stderr
    for text in process.stderr:
        line = json.loads(text)
        if line["event"] == "local.serving":
            return str(line["url"])
    raise AssertionError("the server does not start")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("connected", [False, True])
def test_a_signal_ends_the_server_without_an_error(tmp_path: Path, number: signal.Signals, *, connected: bool) -> None:
    """Time after time the exit code is 0 and nothing is written, with open connections as well as without."""
    for _ in range(3):
        with served(tmp_path, "--port", "0") as process:
            url = url_of(process)
            if connected:
                urllib.request.urlopen(f"{url}/health", timeout=10).close()  # noqa: S310 - our own server
            connection = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) if connected else None
            process.send_signal(number)
            errors = rest_of_log(process)
            assert (process.returncode, errors) == (0, "")
            if connection is not None:
                connection.close()


def test_a_second_signal_changes_nothing(tmp_path: Path) -> None:
    """Someone who presses Ctrl-C again still gets a clean end."""
    with served(tmp_path, "--port", "0") as process:
        url_of(process)
        for _ in range(5):
            process.send_signal(signal.SIGINT)
        assert (rest_of_log(process), process.returncode) == ("", 0)


def test_a_used_port_is_one_sentence(tmp_path: Path) -> None:
    """The exit code is 1 and the message names the port."""
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
        with served(tmp_path, "--port", str(port)) as process:
            _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors == f"--port: {port} on 127.0.0.1 is in use; stop the program that uses it or choose another one\n"


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_wrong_port_is_wrong_usage(tmp_path: Path, port: str) -> None:
    """The exit code is 2 and the message shows the value."""
    with served(tmp_path, "--port", port) as process:
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert f"must be a number from 0 to 65535, not '{port}'" in errors
