"""Triggers, requests, clocks and processes for the tests of this machine's adapters."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions.local.launcher import CommandLauncher
from functions.local.run_folder import RunFolder
from shared.config.targets import CommandTarget
from shared.fields import Parameter
from shared.ports import DeadLetter, LaunchRequest
from shared.trigger import RetrainTrigger

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def real_clock() -> datetime:
    """Return the real time."""
    return datetime.now(UTC)


@dataclass
class HandClock:
    """A clock that a test sets."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@dataclass
class Box:
    """Dead letters in memory."""

    letters: list[DeadLetter] = field(default_factory=list)

    def put(self, letter: DeadLetter) -> None:
        """Keep *letter*."""
        self.letters.append(letter)


def a_trigger(trigger_id: str = "t-1", model_id: str = "churn") -> RetrainTrigger:
    """Return a trigger to test with."""
    return RetrainTrigger(model_id=model_id, trigger_id=trigger_id, origin="manual", requested_at=NOON)


def a_request(
    trigger_id: str = "t-1", parameters: Mapping[str, Parameter] | None = None, max_run: float = 60
) -> LaunchRequest:
    """Return a request to start a training."""
    trigger = a_trigger(trigger_id)
    return LaunchRequest(
        trigger=trigger,
        token=trigger.token,
        parameters=parameters or {},
        claimed_at=NOON,
        max_run=timedelta(seconds=max_run),
    )


def a_launcher(folder: Path, *command: str, environment: Mapping[str, str] | None = None) -> CommandLauncher:
    """Return a launcher of a command."""
    return CommandLauncher(
        CommandTarget(command=command),
        folder=folder,
        runs=folder / "runs",
        bus=folder / "bus.sqlite",
        environment=os.environ if environment is None else environment,
        clock=real_clock,
    )


def run_folder(folder: Path, run_id: str) -> RunFolder:
    """Return the run folder of a training."""
    return RunFolder(folder / "runs" / run_id)


def program(*arguments: object) -> "subprocess.Popen[str]":
    """Start one of the programs beside this file as a process of its own."""
    words = [str(argument) for argument in arguments]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.local.programs", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def outputs(processes: "list[subprocess.Popen[str]]") -> list[str]:
    """Wait for all *processes* and return what they wrote; each of them must have succeeded."""
    texts = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return texts


def until(claim: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until *claim* holds."""
    limit = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < limit, f"does not become true within {seconds} s"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be taken in does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"
