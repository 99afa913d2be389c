"""The request of the core as a command of this machine, for the supervisor that runs it."""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Self

from shared.config.parameters import spelled
from shared.config.targets import CommandTarget
from shared.errors import TargetRefusedError
from shared.fields import Parameter
from shared.frozen import dataclass
from shared.ports import LaunchRequest
from shared.trigger import run_name

PARAMETER_PREFIX: Final = "RETRAIN_PARAM_"

_NOT_IN_A_NAME: Final = re.compile("[^A-Z0-9_]")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One command to run.

    Attributes:
        run_id: the name of the run folder.
        model_id: the model to train.
        command: the program, as an absolute path, and its arguments.
        folder: the working directory.
        environment: variables in addition to the server's own environment.
        max_run: after this many seconds the command is ended.
        bus: the file of the event bus that gets an event of the end; none: no event is sent.

    """

    run_id: str
    model_id: str
    command: tuple[str, ...]
    folder: str
    environment: Mapping[str, str]
    max_run: float
    bus: str | None

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(**{**content, "command": tuple(content["command"])})

    def to_json(self) -> dict[str, object]:
        """Return the content of `request.json`."""
        return asdict(self)


def resolve(command: tuple[str, ...], folder: Path, path: str | None) -> tuple[str, ...]:
    """Return *command* with its program as an absolute path.

    Args:
        command: as configured. The program `python` is the one in `.venv` of *folder* if there is one, else the first
            `python3` on *path*; never the interpreter that this tool happens to run on, which lacks the packages of
            the training.
        folder: where the command runs; a program with a slash in its name is relative to it.
        path: where other programs are searched, as in the environment variable `PATH`.

    Raises:
        TargetRefusedError: there is no such program, or it is not executable.

    """
    program = command[0] if command else ""
    if program == "python":
        return (_python(folder, path), *command[1:])
    found = shutil.which(str(folder / program) if "/" in program else program, path=path) if program else None
    if found is None:
        raise TargetRefusedError(
            f"command: {program!r} is not a program that can be run from {folder}; install it, or correct the path"
        )
    return (str(Path(found).absolute()), *command[1:])


def _python(folder: Path, path: str | None) -> str:
    own = folder / ".venv" / "bin" / "python"
    if os.access(own, os.X_OK):
        # Not resolved: the link, not its target, is what makes the environment.
        return str(own.absolute())
    found = shutil.which("python3", path=path)
    if found is None:
        raise TargetRefusedError(
            f"command: 'python' is neither in {own.parent} nor, as python3, on the PATH; create an environment there,"
            " or put the path of an interpreter into the command"
        )
    return str(Path(found).absolute())


def prepare(
    request: LaunchRequest, target: CommandTarget, *, folder: Path, runs: Path, bus: Path | None, path: str | None
) -> RunRequest:
    """Return *request* as a command of this machine.

    Args:
        request: the core's request.
        target: the command as configured.
        folder: the configuration's folder, where the command runs.
        runs: where the run folders are.
        bus: the file of the event bus that gets an event of the end; none: no event is sent.
        path: where programs are searched.

    Raises:
        TargetRefusedError: the program is missing, or the parameters do not fit into an environment.

    """
    trigger, run_id = request.trigger, run_name(request.token)
    environment = parameter_variables(request.parameters) | {
        "RETRAIN_MODEL_ID": trigger.model_id,
        "RETRAIN_TRIGGER_ID": trigger.trigger_id,
        "RETRAIN_RUN_ID": run_id,
        "RETRAIN_RUN_DIR": str(runs / run_id),
    }
    trace = {"TRACEPARENT": trigger.traceparent, "TRACESTATE": trigger.tracestate}
    environment |= {name: value for name, value in trace.items() if value}
    unfit = sorted(name for name, value in environment.items() if "\0" in value)
    if unfit:
        raise TargetRefusedError(
            f"command: {', '.join(unfit)} has a NUL character, which an environment variable cannot hold"
        )
    return RunRequest(
        run_id=run_id,
        model_id=trigger.model_id,
        command=resolve(target.command, folder, path),
        folder=str(folder),
        environment=environment,
        max_run=request.max_run.total_seconds(),
        bus=None if bus is None else str(bus),
    )


def parameter_variables(parameters: Mapping[str, Parameter]) -> dict[str, str]:
    """Return the environment variables `RETRAIN_PARAM_<NAME>` of *parameters*; booleans are `true` and `false`.

    Raises:
        TargetRefusedError: two parameters have the same variable.

    """
    variables: dict[str, str] = {}
    for name, value in parameters.items():
        variable = PARAMETER_PREFIX + _NOT_IN_A_NAME.sub("_", name.upper())
        if variable in variables:
            raise TargetRefusedError(f"command: two parameters would be {variable}, one of them {name!r}; rename it")
        variables[variable] = spelled(value)
    return variables
