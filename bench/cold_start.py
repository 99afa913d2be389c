"""Measures the CPU time from the start of a process to the answer of its first request."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

INVOKE: Final = Path(__file__).with_name("invoke.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function as it is deployed.

    Attributes:
        name: for the report.
        folder: the working directory, the bundle.
        program: the arguments of Python, which end the process after its first answer.
        environment: the variables besides the path of modules.
        modules: further folders with modules.

    """

    name: str
    folder: Path
    program: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    modules: Sequence[Path] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """The first request of a new process.

    Attributes:
        cpu: the CPU time of the process, user and system, in seconds.
        memory: the largest resident size, in bytes.
        modules: how many modules were imported.
        answer: what the function returned.

    """

    cpu: float
    memory: int
    modules: int
    answer: Any


def start(function: Function, event: object) -> ColdStart:
    """Start *function* in a new process, and let it handle *event*.

    Raises:
        RuntimeError: it failed; the end of its output is in the message.

    """
    reading, writing = os.pipe()
    path = os.pathsep.join(map(str, (function.folder, *function.modules)))
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-S", *function.program, json.dumps(event), str(writing)],
        cwd=function.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **function.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=[writing],
    )
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as report, process.stderr as errors:  # type: ignore[union-attr] # a pipe
        text, problem = report.read(), errors.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or not text:
        raise RuntimeError(f"{function.name}: {problem.decode(errors='replace')[-2000:]}")
    return ColdStart(cpu=usage.ru_utime + usage.ru_stime, **json.loads(text))


def compare(cases: Sequence[tuple[Function, Callable[[], object]]], runs: int) -> list[ColdStart]:
    """Return the cheapest of *runs* starts of each case, a function and what makes its next event.

    The cases take turns, so that a busy moment of the machine meets all of them, and the minimum counts, since other
    load only adds time. A first round, which fills caches, does not count.
    """
    rounds = [[start(function, event()) for function, event in cases] for _ in range(runs + 1)][1:]
    return [min(starts, key=lambda each: each.cpu) for starts in zip(*rounds, strict=True)]
