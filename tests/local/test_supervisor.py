"""The supervisor of one training, in the process of the tests; its launcher is in `test_launcher.py`."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.local.exit_record import ExitRecord
from functions.local.run_folder import RunFolder
from functions.local.run_request import prepare
from functions.local.supervisor import main
from shared.config.targets import CommandTarget
from shared.ports import RunResult
from tests.local.given import a_request, is_alive, real_clock, run_folder
from tests.local.here import own_signals
from tests.local.test_launcher import FAMILY, numbers, reported

# The supervisor has one thread where it runs for real; the tests have more, of which Python 3.12 warns at a fork.
pytestmark = pytest.mark.filterwarnings("ignore:This process .*is multi-threaded:DeprecationWarning")
# The family of four processes is there.
COMPLETE = "until test $(wc -l < pids) = 4; do sleep 0.01; done; "


@pytest.fixture(autouse=True)
def restored_signals() -> Iterator[None]:
    """Restore what a supervisor changes in its process."""
    with own_signals():
        yield


def prepared(folder: Path, *command: str, max_run: float = 60) -> RunFolder:
    """Return the run folder that a launcher leaves to a supervisor."""
    request = a_request(max_run=max_run)
    run = prepare(
        request,
        CommandTarget(command=command),
        folder=folder,
        runs=folder / "runs",
        bus=folder / "bus.sqlite",
        path=os.environ["PATH"],
    )
    made = run_folder(folder, run.run_id)
    made.create(run)
    return made


def supervised(folder: RunFolder) -> ExitRecord | None:
    """Supervise a training to its end under an inherited lock, and return the record of it."""
    lock = folder.take_supervision()
    assert lock is not None
    try:
        assert main([str(folder.path), str(lock)]) == 0
    finally:
        os.close(lock)
    return folder.result()


def shell(folder: Path, script: str, max_run: float = 60) -> ExitRecord:
    """Supervise a script, and return the record of its end."""
    end = supervised(prepared(folder, "sh", "-c", script, max_run=max_run))
    assert end is not None
    return end


def test_a_training_that_succeeds(tmp_path: Path) -> None:
    """Its end is recorded and published."""
    before = real_clock()
    end = shell(tmp_path, "echo out")
    assert (end.result, end.exit_code, end.timed_out, end.error) == (RunResult.SUCCEEDED, 0, False, "")
    assert before < end.ended_at < real_clock()
    assert [news.result for news in reported(tmp_path)] == [RunResult.SUCCEEDED]


@pytest.mark.parametrize(("script", "code"), [("echo out; echo err >&2; exit 3", 3), ("kill -SEGV $$", -11)])
def test_a_training_that_fails(tmp_path: Path, script: str, code: int) -> None:
    """A command that ends with another code than 0, or by a signal, has failed; both its outputs are kept."""
    folder = prepared(tmp_path, "sh", "-c", script)
    end = supervised(folder)
    assert end is not None
    assert (end.result, end.exit_code, end.timed_out) == (RunResult.FAILED, code, False)
    assert folder.output.read_text() == ("out\nerr\n" if code > 0 else "")


def test_a_program_that_cannot_be_loaded(tmp_path: Path) -> None:
    """A program that the system cannot load is a training that failed, and the record says why."""
    script = tmp_path / "train"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    end = supervised(prepared(tmp_path, "./train"))
    assert end is not None
    assert (end.result, end.exit_code) == (RunResult.FAILED, None)
    assert end.error.startswith("the command cannot be started: ")


def test_a_training_that_takes_too_long(tmp_path: Path) -> None:
    """After `max_run` the command and everything that it started is ended; the training has failed."""
    end = shell(tmp_path, FAMILY + COMPLETE + "wait", max_run=0.6)
    assert (end.result, end.exit_code, end.timed_out) == (RunResult.FAILED, -signal.SIGTERM, True)
    assert len(numbers(tmp_path / "pids")) == 4
    assert not any(is_alive(pid) for pid in numbers(tmp_path / "pids"))


def test_what_a_training_leaves_behind_is_ended(tmp_path: Path) -> None:
    """When the command is over, what it left running in its group is ended, too, before the end is recorded."""
    end = shell(tmp_path, FAMILY + COMPLETE + "exit 0")
    assert (end.result, end.exit_code) == (RunResult.SUCCEEDED, 0)
    assert not any(is_alive(pid) for pid in numbers(tmp_path / "pids"))


@pytest.mark.parametrize(
    "stop", ["kill -TERM $PPID", "kill -INT $PPID", 'echo 2026-11-21T12:00:00Z > "$RETRAIN_RUN_DIR/cancelled"']
)
def test_a_training_that_is_stopped(tmp_path: Path, stop: str) -> None:
    """By a signal to its supervisor, or cancelled by the server: the command is ended, and the training has stopped."""
    end = shell(tmp_path, FAMILY + COMPLETE + f"{stop}; wait")
    assert (end.result, end.exit_code, end.timed_out) == (RunResult.STOPPED, -signal.SIGTERM, False)
    assert not any(is_alive(pid) for pid in numbers(tmp_path / "pids"))
    assert [news.result for news in reported(tmp_path)] == [RunResult.STOPPED]


@pytest.mark.parametrize(("mark", "result"), [("cancelled", RunResult.STOPPED), ("started", RunResult.FAILED)])
def test_a_training_that_must_not_begin(tmp_path: Path, mark: str, result: RunResult) -> None:
    """One that was cancelled before, or that another supervisor began and left, never runs: its end is recorded."""
    folder = prepared(tmp_path, "sh", "-c", "touch ran")
    if mark == "cancelled":
        folder.mark_cancelled(real_clock())
    else:
        folder.mark_started(real_clock())
    end = supervised(folder)
    assert end is not None
    assert (end.result, end.exit_code) == (result, None)
    assert supervised(folder) == end
    assert not (tmp_path / "ran").exists()


def test_another_supervisor_holds_the_lock(tmp_path: Path) -> None:
    """The second one does nothing."""
    folder = prepared(tmp_path, "sh", "-c", "touch ran")
    lock = folder.take_supervision()
    assert lock is not None
    assert main([str(folder.path)]) == 0
    os.close(lock)
    assert (folder.result(), (tmp_path / "ran").exists()) == (None, False)
