"""Starts functions in new processes, and measures their first answer and the ones after it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.environments import ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function as it is deployed.

    Attributes:
        name: for the report.
        folder: the working directory, the bundle.
        program: one of `bench/programs` and its arguments; it handles events, and ends.
        environment: the variables besides the path of modules.
        modules: further folders with modules.

    """

    name: str
    folder: Path
    program: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    modules: Sequence[Path] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one process of a function.

    Attributes:
        cpu: the CPU time up to the first answer, user and system, in seconds.
        memory: the largest resident size up to then, in bytes.
        modules: how many modules were imported up to then.
        answer: the first answer.
        warm: the wall-clock times of the later answers, in seconds.

    """

    cpu: float
    memory: int
    modules: int
    answer: Any
    warm: Sequence[float] = ()

    @property
    def p50(self) -> float:
        """The median of the later answers, in seconds."""
        return median(self.warm)

    @property
    def p99(self) -> float:
        """The time in seconds that 99 of 100 later answers stay below."""
        return quantiles(self.warm, n=100)[98]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A function and its events.

    Attributes:
        function: the function.
        event: makes the next event.
        repeats: how many events follow the first in the last round.

    """

    function: Function
    event: Callable[[], object]
    repeats: int = 200


def start(function: Function, events: Sequence[object]) -> Figures:
    """Start *function* in a new process, and let it handle *events*, of which the first is the cold start.

    Raises:
        RuntimeError: it failed; the end of its output is in the message.

    """
    reading, writing = os.pipe()
    # Our own folder last, for the program: what it runs comes from the bundle.
    path = os.pathsep.join(map(str, (function.folder, *function.modules, ROOT)))
    name, *arguments = function.program
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(events, file)
        file.flush()
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-S", "-m", f"bench.programs.{name}", *arguments, file.name, str(writing)],
            cwd=function.folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **function.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[writing],
        )
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as report, process.stderr as errors:  # type: ignore[union-attr] # a pipe
            problem, text = errors.read(), report.read()
        process.wait()
    if process.returncode or not text:
        raise RuntimeError(f"{function.name}: {problem.decode(errors='replace')[-2000:]}")
    return Figures(**json.loads(text))


def compare(cases: Sequence[Case], runs: int) -> list[Figures]:
    """Return the figures of each case: the cheapest of *runs* starts, and the later answers of the last process.

    The cases take turns, so that a busy moment of the machine meets all of them, and the minimum counts, since other
    load only adds time. A first round, which fills caches, does not count.
    """
    rounds = [[start(case.function, [case.event()]) for case in cases] for _ in range(runs + 1)][1:]
    cheapest = [min(starts, key=lambda each: each.cpu) for starts in zip(*rounds, strict=True)]
    warm = [start(case.function, [case.event() for _ in range(case.repeats + 1)]).warm for case in cases]
    return [replace(cold, warm=times) for cold, times in zip(cheapest, warm, strict=True)]
