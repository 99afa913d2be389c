"""Programs that the tests run as processes of their own: `python -m tests.local.programs NAME ARGUMENT...`."""

import json
import os
import resource
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from functions.local import supervisor
from functions.local.bus import SqliteBus
from functions.local.ledger import SqliteLedger
from shared.errors import UnavailableError
from shared.ports import RunResult
from shared.trigger import run_name
from tests.local.given import a_launcher, a_request, a_trigger, real_clock, run_folder, until

# The modules that act on a training; its preparation only reads, and the bus only gets the event of its end.
_STEPS = ("command", "durable", "launcher", "process_group", "record_end", "run_folder", "supervisor")
_FILES = tuple(f"functions/local/{name}.py" for name in _STEPS)


def say(text: object) -> None:
    """Print a line for the test."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def race(path: str, rounds: str) -> None:
    """Try to win every round of compare-and-swap on one model, and print how many were won."""
    ledger, won = SqliteLedger(Path(path)), 0
    for number in range(int(rounds)):
        version = None if number == 0 else number
        while ledger.load("churn").version == version:
            won += ledger.save("churn", json.dumps([os.getpid(), number]), version) is not None
    say(won)


def save_for_ever(path: str) -> None:
    """Save one document after the other, and print each that the ledger took."""
    ledger = SqliteLedger(Path(path))
    version: object = None
    for number in range(10**9):
        assert ledger.save("churn", str(number), version)
        version = ledger.load("churn").version
        say(number)


def take_all(path: str) -> None:
    """Take events until there is none, and print them."""
    bus = SqliteBus(Path(path), real_clock, lambda: secrets.token_hex(8))
    while (delivery := bus.lease(real_clock(), timedelta(minutes=1))) is not None:
        say(json.dumps(delivery.event))
        bus.acknowledge(delivery)


def take_one_and_hang(path: str, lease: str) -> None:
    """Take one event, say so, and never come back."""
    bus = SqliteBus(Path(path), real_clock, lambda: secrets.token_hex(8))
    delivery = bus.lease(real_clock(), timedelta(seconds=float(lease)))
    say(delivery and delivery.attempt)
    time.sleep(60)


def put_for_ever(path: str) -> None:
    """Put events, and print the number of each that the bus took."""
    bus = SqliteBus(Path(path), real_clock, lambda: secrets.token_hex(8))
    for number in range(10**9):
        bus.put({"number": number})
        say(number)


def fill_the_disk(path: str) -> None:
    """Put events until the disk is full, make room, put one more, and print the error and the bus's sizes."""
    bus = SqliteBus(Path(path), real_clock, lambda: secrets.token_hex(8))
    bus.put({})
    # A limit that a process sets itself, and lifts again: the system answers as for a full disk.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    try:
        bus.publish([a_trigger(str(number)) for number in range(5000)])
    except UnavailableError as error:
        say(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    say(bus.size())
    bus.put({})
    say(bus.size())


def start(folder: str, trigger_id: str, *command: str) -> None:
    """Start a training on a line of input, print its run id, and stay."""
    launcher = a_launcher(Path(folder), *command)
    say("ready")
    sys.stdin.readline()
    say(launcher.start(a_request(trigger_id), again=False).run_id)
    sys.stdin.readline()


def die_at(step: int) -> Callable[[FrameType, str, Any], Any]:
    """Return a trace function that kills this process before the *step*-th new line of the adapters' code."""
    seen: set[tuple[str, int]] = set()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.endswith(_FILES):
            return None
        if event == "line":
            seen.add((frame.f_code.co_filename, frame.f_lineno))
            if len(seen) == step:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def dies(step: int, work: Callable[[], object]) -> bool:
    """Do *work* in a process that dies at *step*; returns whether it died before the end."""
    child = os.fork()
    if child == 0:
        sys.settrace(die_at(step))
        work()
        sys.settrace(None)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def crash_launcher(folder: str) -> None:
    """Kill a launching process at every line of the code, start again, and print how often each command ran."""
    crash_at_every_line(Path(folder), lambda launcher, request: launcher.start(request, again=False))


def crash_supervisor(folder: str) -> None:
    """Kill a supervisor at every line of the code, start again, and print how often each command ran."""

    def supervise(_: Any, request: Any) -> None:
        prepared = run_folder(Path(folder), run_name(request.token))
        supervisor.main([str(prepared.path)])

    crash_at_every_line(Path(folder), supervise, prepared=True)


def crash_at_every_line(root: Path, work: Callable[[Any, Any], object], *, prepared: bool = False) -> None:
    """Kill this process at one line after the other."""
    launcher = a_launcher(root, "sh", "-c", 'echo x >> "executions-$RETRAIN_TRIGGER_ID"; sleep 0.05')
    if prepared:
        launcher.start(a_request("template"), again=False)
    steps, step = [], 1
    while True:
        request = a_request(f"step-{step}")
        if prepared:
            copy_request(root, "template", request.trigger.trigger_id)
        if not dies(step, lambda request=request: work(launcher, request)):  # type: ignore[misc]
            break
        folder = run_folder(root, run_name(request.token))
        steps.append((step, folder.exists() and folder.started_at() is not None))
        step += 1
    threads = [threading.Thread(target=recover, args=(launcher, root, *item)) for item in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def copy_request(root: Path, template: str, trigger_id: str) -> None:
    """Make the folder that a launcher leaves behind when it dies before it starts the supervisor."""
    names = [run_name(a_request(name).token) for name in (template, trigger_id)]
    text = (root / "runs" / names[0] / "request.json").read_text(encoding="utf-8")
    (root / "runs" / names[1]).mkdir()
    (root / "runs" / names[1] / "request.json").write_text(
        text.replace(names[0], names[1]).replace(f'"{template}"', f'"{trigger_id}"'), encoding="utf-8"
    )


def recover(launcher: Any, root: Path, step: int, started: bool) -> None:  # noqa: FBT001 - one of a thread's arguments
    """Repeat the start that a killed process left undone, and print the result."""
    run = launcher.start(a_request(f"step-{step}"), again=True)
    until(lambda: launcher.status(run.run_id).result is not RunResult.RUNNING, 30)
    executions = root / f"executions-step-{step}"
    count = len(executions.read_text(encoding="ascii").splitlines()) if executions.exists() else 0
    alive = run_folder(root, run.run_id).has_live_command()
    say(json.dumps([step, started, count, launcher.status(run.run_id).result, alive]))


PROGRAMS: dict[str, Callable[..., None]] = {
    work.__name__: work
    for work in (
        race,
        save_for_ever,
        fill_the_disk,
        take_all,
        take_one_and_hang,
        put_for_ever,
        start,
        crash_launcher,
        crash_supervisor,
    )
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:])
