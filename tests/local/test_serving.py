"""The local server: how it starts and how it ends, mostly in the process of the tests."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from functions.local.__main__ import main
from tests.local.given import ROOT
from tests.local.here import address_in, get, own_signals, serve_here, until

CONFIGURATION = '[models."churn".target.local]\nkind = "command"\ncommand = ["true"]\n'


@contextmanager
def served(folder: Path, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """Start the server as a process of its own."""
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


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a configuration, which the environment names."""
    (tmp_path / "retrain.toml").write_text(CONFIGURATION, encoding="ascii")
    monkeypatch.setenv("RETRAIN_CONFIG", str(tmp_path / "retrain.toml"))
    return tmp_path


def without_evaluations(text: str) -> list[str]:
    """Return the lines of a log, except for evaluations of schedules, which come every five minutes."""
    return [line for line in text.splitlines() if '"event": "retrain.schedules_evaluated"' not in line]


def url_of(process: "subprocess.Popen[str]") -> str:
    """Return the address that the server logs."""
    assert process.stderr
    for text in process.stderr:
        line = json.loads(text)
        if line["event"] == "local.serving":
            return str(line["url"])
    raise AssertionError("the server does not start")


@pytest.mark.parametrize(("number", "connected"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_a_signal_ends_the_process_without_an_error(folder: Path, number: signal.Signals, *, connected: bool) -> None:
    """The exit code is 0 and nothing is written, also by what Python does at its end."""
    with served(folder, "--port", "0") as process, ExitStack() as connections:
        url = url_of(process)
        if connected:
            urllib.request.urlopen(f"{url}/health", timeout=10).close()  # noqa: S310 - our own server
            connections.enter_context(socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))))
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, without_evaluations(errors)) == (0, [])


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGHUP], [signal.SIGINT] * 5])
@pytest.mark.parametrize("connected", [False, True])
def test_a_signal_ends_the_server(
    folder: Path, capsys: pytest.CaptureFixture[str], signals: list[signal.Signals], *, connected: bool
) -> None:
    """Time after time it ends in full, with open connections as well as without, however often Ctrl-C is pressed."""
    threads = threading.active_count()
    for _ in range(3):
        with ExitStack() as connections:

            def visit(url: str, connections: ExitStack = connections) -> None:
                if connected:
                    assert get(f"{url}/health") == {"status": "ok"}
                    connections.enter_context(socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))))

            assert serve_here(lambda: main(["--port", "0"]), address_in(folder), visit, *signals) == 0
        serving, *others = without_evaluations(capsys.readouterr().err)
        assert (json.loads(serving)["event"], others) == ("local.serving", [])
        assert not (folder / ".local" / "serve.json").exists()
    until(lambda: True if threading.active_count() <= threads else None)


def test_the_address_of_a_server(folder: Path) -> None:
    """It is in a file while the server runs; a host of the IPv6 kind has brackets in it."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    seen = {}

    def visit(url: str) -> None:
        seen.update(json.loads((folder / ".local" / "serve.json").read_text()) | {"health": get(f"{url}/health")})

    assert serve_here(lambda: main(["--port", "0", "--host", "::1"]), address_in(folder), visit) == 0
    assert (seen["url"].rpartition(":")[0], seen["pid"]) == ("http://[::1]", os.getpid())
    assert seen["health"] == {"status": "ok"}


def test_a_used_port_is_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 1 and the message names the port; no address is left behind."""
    with socket.create_server(("127.0.0.1", 0)) as used, own_signals():
        port = used.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    errors = capsys.readouterr().err
    assert errors == f"--port: {port} on 127.0.0.1 is in use; stop the program that uses it or choose another one\n"
    assert not (folder / ".local" / "serve.json").exists()


def test_a_wrong_configuration_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The server ends with 1 before it listens, and names the key."""
    (folder / "retrain.toml").write_text("[models.x]\n")
    with own_signals():
        assert main(["--port", "0"]) == 1
    assert 'models."x".target: ' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *((["--port", port], f"must be a number from 0 to 65535, not '{port}'") for port in ("-1", "65536", "http")),
        (["--cron", "61 * * * *"], "--cron: '61 * * * *': "),
    ],
)
def test_a_wrong_option_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], options: Sequence[str], message: str
) -> None:
    """The exit code is 2 and the message shows the value."""
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
