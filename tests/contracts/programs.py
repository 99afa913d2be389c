"""Programs that the suite runs as processes of their own: `python -m tests.contracts.programs NAME ARGUMENT...`."""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shared.errors import RetrainError
from shared.ports import Ledger

ROOT = Path(__file__).resolve().parents[2]

Work = Callable[[], object]


def program(variables: Mapping[str, str], said: object, *arguments: object, ends: int = 0) -> list[Any]:
    """Run one of the programs with only *variables* in its environment, and return what it printed.

    Args:
        variables: the environment.
        said: what the program reads, as JSON.
        arguments: its name and more.
        ends: how it must end: its exit code, negative for a signal.

    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.contracts.programs", *map(str, arguments)],
        cwd=ROOT,
        env=dict(variables),
        input=json.dumps(said),
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == ends
    return [json.loads(line) for line in done.stdout.splitlines()]


def won_by_processes(variables: Mapping[str, str], cloud: str, rounds: int) -> int:
    """Let `CONTENDERS` processes replace one document *rounds* times, and count all saves that were taken."""
    from tests.contracts.ports import CONTENDERS  # Not in the programs themselves, which begin with fewer modules.

    wins = program(variables, None, "race", cloud, rounds, CONTENDERS)
    return sum(count for _, count in wins)


def won(ledger: Ledger, rounds: int) -> int:
    """Replace one document until it was replaced *rounds* times by whomever, and count the own successes."""
    count = 0
    while True:
        stored = ledger.load("race")
        replaced = json.loads(stored.document)["round"] if stored.document else 0
        if replaced >= rounds:
            return count
        # Long enough for all others to load the same version.
        time.sleep(0.01)
        document = json.dumps({"round": replaced + 1, "by": os.getpid()})
        count += ledger.save("race", document, stored.version) is not None


def at_once(prepared: Sequence[Callable[[], Work]]) -> int:
    """Do each work in a process of its own, all of them from the same moment on, and print what each returns.

    Args:
        prepared: makes the work of a process, in that process and before the common moment.

    Returns:
        The exit code: 1 if any of them failed.

    """
    is_ready, ready = os.pipe()
    started, start = os.pipe()
    children = [_forked(prepare, place, (ready, started, start)) for place, prepare in enumerate(prepared)]
    for _ in children:
        os.read(is_ready, 1)
    os.close(start)
    return max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0 for child in children)


def _forked(prepare: Callable[[], Work], place: int, pipes: tuple[int, int, int]) -> int:
    child = os.fork()
    if child:
        return child
    ready, started, start = pipes
    code = 1
    try:
        os.close(start)
        work = prepare()
        os.write(ready, b".")
        # Ends when the last writer, which is the parent, has closed the pipe.
        os.read(started, 1)
        os.write(1, f"{json.dumps([place, work()])}\n".encode())
        code = 0
    except BaseException:  # noqa: BLE001 - it is shown, and a fork must never come back
        traceback.print_exc()
    finally:
        os._exit(code)


def _aws_ledger() -> Ledger:
    from functions.aws import wiring

    return wiring.receiver().ledger


def _gcp_ledger() -> Ledger:
    from functions.gcp import wiring

    return wiring.receiver().ledger


def _azure_ledger() -> Ledger:
    from functions.azure import wiring

    return wiring.receiver().ledger


def _local_ledger() -> Ledger:
    ledger: Ledger = _machine().receiver.ledger
    return ledger


def _machine() -> Any:
    from functions.local.wiring import local_cloud

    return local_cloud(os.environ)


LEDGERS: dict[str, Callable[[], Ledger]] = {
    "aws": _aws_ledger,
    "gcp": _gcp_ledger,
    "azure": _azure_ledger,
    "local": _local_ledger,
}


_SLOW_IMPORTS = {"aws": ("aws_lambda_powertools", "botocore.session"), "azure": ("functions.rest",)}


def race(cloud: str, rounds: str, contenders: str) -> int:
    """Let *contenders* processes take part in `won`."""
    # Imported once, before the processes part.
    __import__(f"functions.{cloud}.wiring")
    for module in _SLOW_IMPORTS.get(cloud, ()):
        __import__(module)

    def prepare() -> Work:
        ledger = LEDGERS[cloud]()
        return lambda: won(ledger, int(rounds))

    return at_once([prepare] * int(contenders))


def act() -> int:
    """Act on each event that is read, in a process of its own."""
    __import__("functions.local.wiring")

    def prepare(event: object) -> Work:
        cloud = _machine()

        def work() -> object:
            try:
                return asdict(cloud.act(event))
            except RetrainError as error:
                return {"error": f"{type(error).__name__}: {error}"}

        return work

    return at_once([lambda event=event: prepare(event) for event in json.load(sys.stdin)])  # type: ignore[misc]


# Those that were started after `_dies_after_start` began to look.
_supervisors: list[object] = []


def die(moment: str) -> int:
    """Act on one event, and be killed when the training is about to start, or `after` it started."""
    event, cloud = json.load(sys.stdin), _machine()
    sys.addaudithook(_dies_after_start if moment == "after" else _dies_before_start)
    cloud.act(event)
    return 0


def start_and_die() -> int:
    """Start a training by the launcher alone, and be killed when it has started."""
    from tests.contracts.triggers import a_request, a_trigger

    trigger, receiver = a_trigger(json.load(sys.stdin)), _machine().receiver
    launcher = receiver.launcher(receiver.config.find(trigger.model_id).target("local"))
    sys.addaudithook(_dies_after_start)
    launcher.start(a_request(trigger), again=False)
    return 0


def _dies_before_start(event: str, _arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        os.kill(os.getpid(), signal.SIGKILL)


def _dies_after_start(event: str, arguments: tuple[Any, ...]) -> None:
    # The launcher looks again and again whether the supervisor has left this mark: its first look that may be the last
    # one waits until the mark is there, or a mark that came between this and the look would let it live.
    if event == "open" and str(arguments[0]).endswith("/started") and _supervisors:
        while not Path(arguments[0]).exists():
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGKILL)
    if event == "subprocess.Popen":
        _supervisors.append(arguments)


PROGRAMS: dict[str, Callable[..., int]] = {work.__name__: work for work in (race, act, die, start_and_die)}

if __name__ == "__main__":
    sys.exit(PROGRAMS[sys.argv[1]](*sys.argv[2:]))
