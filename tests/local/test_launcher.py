"""Trainings as processes: each token one execution, whatever happens in between."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from functions.local.bus import SqliteBus
from functions.local.events import decode
from functions.local.launcher import CommandLauncher
from functions.local.run_request import prepare
from shared.config.targets import CommandTarget
from shared.errors import TargetRefusedError, UnavailableError
from shared.ports import RunResult, RunStatus
from shared.trigger import run_name
from shared.wire.incoming import RunEnded
from tests.local.given import ROOT, a_launcher, a_request, is_alive, outputs, program, real_clock, run_folder, until


def ended(launcher: CommandLauncher, run_id: str, seconds: float = 15) -> RunStatus:
    """Wait until the run is over."""
    until(lambda: launcher.status(run_id).result is not RunResult.RUNNING, seconds)
    return launcher.status(run_id)


def reported(folder: Path) -> list[RunEnded]:
    """Return the events on the bus."""
    bus = SqliteBus(folder / "bus.sqlite", real_clock, lambda: "id")
    news = []
    while (delivery := bus.lease(real_clock(), real_clock() - real_clock().replace(year=2000))) is not None:
        incoming = decode(delivery.event, "ml3_platform")
        assert isinstance(incoming, RunEnded)
        news.append(incoming)
    bus.close()
    return news


def numbers(path: Path) -> list[int]:
    """Return the whole numbers that a command wrote into a file, one a line."""
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_training_that_succeeds(tmp_path: Path) -> None:
    """A command runs in the configuration's folder with its parameters, and its end is recorded and published."""
    code = "import os; print(os.getcwd(), os.environ['RETRAIN_PARAM_EPOCHS'], os.environ['RETRAIN_RUN_DIR'])"
    launcher = a_launcher(tmp_path, "python", "-c", code)
    before = real_clock()
    run = launcher.start(a_request(parameters={"epochs": 8}), again=False)
    assert (run.run_id, run.handed_over) == (run_name(a_request().token), False)
    status = ended(launcher, run.run_id)
    folder = run_folder(tmp_path, run.run_id)
    assert folder.output.read_text() == f"{tmp_path} 8 {folder.path}\n"
    assert run.url == folder.output.as_uri()
    assert status.result is RunResult.SUCCEEDED
    assert status.ended_at is not None
    assert before < status.ended_at < real_clock()
    assert json.loads((folder.path / "result.json").read_text()) == {
        "result": "succeeded",
        "exit_code": 0,
        "ended_at": status.ended_at.isoformat().replace("+00:00", "Z"),
        "timed_out": False,
        "error": "",
    }
    until(lambda: not folder.is_supervised())
    assert reported(tmp_path) == [
        RunEnded(run_id=run.run_id, name=run.run_id, model_id="churn", result=status.result, ended_at=status.ended_at)
    ]


def test_the_environment_of_a_command(tmp_path: Path) -> None:
    """A command inherits the server's variables, but no parameter of a training that the server itself may be."""
    environment = {"PATH": os.environ["PATH"], "REGION": "here", "RETRAIN_PARAM_OLD": "1", "RETRAIN_MODEL_ID": "old"}
    launcher = a_launcher(tmp_path, "sh", "-c", "env | grep -E '^(RETRAIN_|REGION)' | sort", environment=environment)
    run = launcher.start(a_request(parameters={"new": 2}), again=False)
    ended(launcher, run.run_id)
    folder = run_folder(tmp_path, run.run_id)
    assert folder.output.read_text().splitlines() == [
        "REGION=here",
        "RETRAIN_MODEL_ID=churn",
        "RETRAIN_PARAM_NEW=2",
        f"RETRAIN_RUN_DIR={folder.path}",
        f"RETRAIN_RUN_ID={run.run_id}",
        "RETRAIN_TRIGGER_ID=t-1",
    ]
    assert "here" not in (folder.path / "request.json").read_text()


def test_a_refusal_leaves_nothing_behind(tmp_path: Path) -> None:
    """An unknown program is refused before anything is started or written."""
    with pytest.raises(TargetRefusedError, match="no-such-program"):
        a_launcher(tmp_path, "no-such-program").start(a_request(), again=False)
    assert list(tmp_path.iterdir()) == []


def test_a_repeat_finds_its_run_although_the_program_is_gone(tmp_path: Path) -> None:
    """A program that was removed since the start does not make a running training a refused one."""
    run = a_launcher(tmp_path, "sh", "-c", "until test -e go; do sleep 0.02; done").start(a_request(), again=False)
    launcher = a_launcher(tmp_path, "no-such-program")
    assert launcher.start(a_request(), again=True) == run
    with pytest.raises(TargetRefusedError, match="no-such-program"):
        launcher.start(a_request("t-2"), again=True)
    (tmp_path / "go").touch()
    assert ended(launcher, run.run_id).result is RunResult.SUCCEEDED


def test_a_program_that_cannot_be_loaded(tmp_path: Path) -> None:
    """A program that the system cannot load (no such interpreter) is a training that failed, and the log says why."""
    script = tmp_path / "train"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    launcher = a_launcher(tmp_path, "./train")
    run = launcher.start(a_request(), again=False)
    assert ended(launcher, run.run_id).result is RunResult.FAILED
    assert "the command cannot be started: " in run_folder(tmp_path, run.run_id).output.read_text()


def test_a_disk_that_does_not_play_along(tmp_path: Path) -> None:
    """A run that cannot be recorded is not started, and the error is transient."""
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(UnavailableError, match=r"This machine could not start a training: .*; try again"):
        a_launcher(tmp_path, "true").start(a_request(), again=False)


@pytest.mark.parametrize("run_id", ["retrain-" + "0" * 40, "../runs", "", "retrain-1", "arn:aws:x"])
def test_a_run_that_nobody_knows(tmp_path: Path, run_id: str) -> None:
    """A run that this machine does not know has stopped."""
    (tmp_path / "runs").mkdir()
    assert a_launcher(tmp_path, "true").status(run_id) == RunStatus(result=RunResult.STOPPED)


def test_one_token_is_one_execution(tmp_path: Path) -> None:
    """51 concurrent starts with one token, and more after its end, are one execution and one run."""
    launchers = [a_launcher(tmp_path, "sh", "-c", "echo 1 >> executions; sleep 0.3") for _ in range(3)]
    ids: list[str] = []

    def start(number: int) -> None:
        ids.append(launchers[number % 3].start(a_request(), again=number % 2 == 0).run_id)

    for count in (51, 3):
        threads = [threading.Thread(target=start, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended(launchers[0], ids[0])
    assert len(ids) == 54
    assert len(set(ids)) == 1
    assert numbers(tmp_path / "executions") == [1]
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [ids[0]]
    until(lambda: not run_folder(tmp_path, ids[0]).is_supervised())
    assert len(reported(tmp_path)) == 1


def test_one_token_is_one_execution_among_processes(tmp_path: Path) -> None:
    """16 processes that start one token at the same moment make one execution."""
    starters = [program("start", tmp_path, "t-1", "sh", "-c", "echo 1 >> executions") for _ in range(16)]
    for starter in starters:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "ready\n"
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.write("go\n")
        starter.stdin.flush()
    run_id = run_name(a_request().token)
    assert {text.strip() for text in outputs(starters)} == {run_id}
    ended(a_launcher(tmp_path, "true"), run_id)
    assert numbers(tmp_path / "executions") == [1]


def test_a_question_begins_what_nobody_began(tmp_path: Path) -> None:
    """A run folder that a launcher left behind without a supervisor is started by a status query."""
    launcher = a_launcher(tmp_path, "sh", "-c", "echo 1 >> executions")
    target, runs = CommandTarget(command=("sh", "-c", "echo 1 >> executions")), tmp_path / "runs"
    request = prepare(a_request(), target, folder=tmp_path, runs=runs, bus=None, path=os.environ["PATH"])
    run_folder(tmp_path, request.run_id).create(request)
    launcher.status(request.run_id)
    assert ended(launcher, request.run_id).result is RunResult.SUCCEEDED
    assert numbers(tmp_path / "executions") == [1]


def test_a_training_starts_without_the_working_folder_on_the_path(tmp_path: Path) -> None:
    """The supervisor starts with `PYTHONSAFEPATH`, and a module of the user's own hides none of its modules."""
    for name in ("shared.py", "functions.py", "logging.py"):
        (tmp_path / name).write_text("raise SystemExit('imported by mistake')\n")
    safe = dict(os.environ) | {"PYTHONSAFEPATH": "1"}
    launcher = CommandLauncher(
        CommandTarget(command=("true",)),
        folder=tmp_path,
        runs=tmp_path / "runs",
        bus=None,
        environment=safe,
        clock=real_clock,
    )
    run = launcher.start(a_request(), again=False)
    assert ended(launcher, run.run_id).result is RunResult.SUCCEEDED


def test_different_tokens_run_beside_each_other(tmp_path: Path) -> None:
    """Trainings of different triggers do not wait for each other."""
    launcher = a_launcher(tmp_path, "sh", "-c", "echo 1 >> executions; sleep 30")
    runs = [launcher.start(a_request(f"t-{number}"), again=False) for number in range(3)]
    until(lambda: len(numbers(tmp_path / "executions")) == 3)
    for run in runs:
        assert launcher.status(run.run_id) == RunStatus(result=RunResult.RUNNING)
        os.killpg(run_folder(tmp_path, run.run_id).command_group() or 0, signal.SIGKILL)
    assert {ended(launcher, run.run_id).result for run in runs} == {RunResult.FAILED}


def test_a_training_outlives_the_server(tmp_path: Path) -> None:
    """A kill -9 of the server's whole group does not touch a training, nor the record and the news of its end."""
    server = program("start", tmp_path, "t-1", "sh", "-c", "echo $$ > pid; until test -e go; do sleep 0.02; done")
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write("go\n")
    server.stdin.flush()
    assert server.stdout.readline() == "ready\n"
    run_id = server.stdout.readline().strip()
    until(lambda: numbers(tmp_path / "pid"))
    os.killpg(server.pid, signal.SIGKILL)
    server.communicate()
    launcher = a_launcher(tmp_path, "true")
    assert launcher.status(run_id).result is RunResult.RUNNING
    assert launcher.start(a_request(), again=True).run_id == run_id
    assert is_alive(numbers(tmp_path / "pid")[0])
    (tmp_path / "go").touch()
    assert ended(launcher, run_id).result is RunResult.SUCCEEDED
    until(lambda: not run_folder(tmp_path, run_id).is_supervised())
    assert [news.result for news in reported(tmp_path)] == [RunResult.SUCCEEDED]


FAMILY = "sleep 61 & echo $! >> pids; sh -c 'sleep 62 & echo $! >> pids; wait' & echo $! >> pids; echo $$ >> pids; "


def test_a_training_that_will_not_end(tmp_path: Path) -> None:
    """A command that ignores SIGTERM is killed after 5 seconds; its end is not reported before that."""
    launcher = a_launcher(tmp_path, "sh", "-c", "trap '' TERM; " + FAMILY + "wait; sleep 63")
    began = time.monotonic()
    run = launcher.start(a_request(max_run=0.3), again=False)
    until(lambda: len(numbers(tmp_path / "pids")) == 4)
    started_at = run_folder(tmp_path, run.run_id).started_at()
    assert started_at is not None
    until(lambda: real_clock() >= started_at + timedelta(seconds=0.4))
    # The training counts as gone by now, so this answer is what may start the next one: it waits for the real end.
    assert launcher.status(run.run_id).result is RunResult.GONE
    assert 5 < time.monotonic() - began < 9
    end = run_folder(tmp_path, run.run_id).result()
    assert end is not None
    assert (end.exit_code, end.timed_out) == (-signal.SIGKILL, True)
    assert not any(is_alive(pid) for pid in numbers(tmp_path / "pids"))


@pytest.mark.parametrize("notice", ["status", "start", "supervisor"])
def test_a_supervisor_that_dies(tmp_path: Path, notice: str) -> None:
    """A training whose supervisor was killed is ended and has failed, however that is noticed; it never runs again."""
    launcher = a_launcher(tmp_path, "sh", "-c", FAMILY + "echo $PPID > supervisor; wait")
    run = launcher.start(a_request(), again=False)
    until(lambda: numbers(tmp_path / "supervisor") and len(numbers(tmp_path / "pids")) == 4)
    os.kill(numbers(tmp_path / "supervisor")[0], signal.SIGKILL)
    folder = run_folder(tmp_path, run.run_id)
    until(lambda: not folder.is_supervised())
    assert folder.has_live_command()
    assert folder.result() is None
    if notice == "status":
        assert launcher.status(run.run_id).result is RunResult.FAILED
    elif notice == "start":
        assert launcher.start(a_request(), again=True) == run
    else:
        subprocess.run([sys.executable, "-m", "functions.local.supervisor", folder.path], cwd=ROOT, check=True)
    end = folder.result()
    assert end is not None
    assert (end.result, end.exit_code) == (RunResult.FAILED, None)
    assert not any(is_alive(pid) for pid in numbers(tmp_path / "pids"))
    assert launcher.start(a_request(), again=True) == run
    assert len(numbers(tmp_path / "pids")) == 4
    assert [(news.run_id, news.result) for news in reported(tmp_path)] == [(run.run_id, RunResult.FAILED)]


def test_a_bus_that_is_away_at_the_end(tmp_path: Path) -> None:
    """A training whose end the bus does not take is recorded all the same, and its log says so."""
    (tmp_path / "bus.sqlite").mkdir()
    launcher = a_launcher(tmp_path, "true")
    run = launcher.start(a_request(), again=False)
    assert ended(launcher, run.run_id).result is RunResult.SUCCEEDED
    folder = run_folder(tmp_path, run.run_id)
    until(lambda: not folder.is_supervised())
    assert "run.end_not_published" in folder.output.read_text()


@pytest.mark.parametrize("supervised", [True, False])
def test_a_cancelled_training_ends_with_all_its_processes(tmp_path: Path, *, supervised: bool) -> None:
    """Its supervisor ends them, or, if it died, the launcher; the training has stopped, and its end is published."""
    launcher = a_launcher(tmp_path, "sh", "-c", FAMILY + "echo $PPID > supervisor; wait")
    run = launcher.start(a_request(), again=False)
    until(lambda: numbers(tmp_path / "supervisor") and len(numbers(tmp_path / "pids")) == 4)
    if not supervised:
        os.kill(numbers(tmp_path / "supervisor")[0], signal.SIGKILL)
        until(lambda: not run_folder(tmp_path, run.run_id).is_supervised())
    launcher.cancel(run.run_id)
    assert ended(launcher, run.run_id).result is RunResult.STOPPED
    assert not any(is_alive(pid) for pid in numbers(tmp_path / "pids"))
    until(lambda: [news.result for news in reported(tmp_path)] == [RunResult.STOPPED])


def test_a_training_that_is_cancelled_before_it_began_never_runs(tmp_path: Path) -> None:
    """The folder was written and nothing more: its end is recorded, and no later start runs the command."""
    launcher = a_launcher(tmp_path, "sh", "-c", "touch ran")
    target, request = CommandTarget(command=("sh", "-c", "touch ran")), a_request()
    folder = run_folder(tmp_path, run_name(request.token))
    prepared = prepare(request, target, folder=tmp_path, runs=tmp_path / "runs", bus=None, path=os.environ["PATH"])
    folder.create(prepared)
    launcher.cancel(folder.path.name)
    launcher.start(request, again=True)
    assert launcher.status(folder.path.name).result is RunResult.STOPPED
    assert not (tmp_path / "ran").exists()
