"""The common part of the programs: the first event is the cold start, the others are timed one by one.

It imports next to nothing, so that it adds next to nothing to what it measures.
"""

import json
import os
import sys
import time
from collections.abc import Callable


def run(handle: Callable[[object], object], arguments: list[str]) -> None:
    """Let *handle* take each event of the file that *arguments* name, report to the file descriptor, and end.

    The report is one JSON object: CPU time in seconds, largest size in bytes, modules and answer after the first event,
    and the wall-clock time of each later event in seconds.
    """
    path, descriptor = arguments
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - without importing pathlib
        first, *later = json.load(file)
    answer = handle(first)
    # The clock of the process begins with the interpreter.
    cpu, modules = time.process_time(), len(sys.modules)
    # The operating system's own figure begins with the size of the process that started this one.
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - see above
        memory = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    warm = []
    for event in later:
        began = time.perf_counter()
        handle(event)
        warm.append(time.perf_counter() - began)
    report = {"cpu": cpu, "memory": memory, "modules": modules, "answer": answer, "warm": warm}
    with os.fdopen(int(descriptor), "w") as writing:
        json.dump(report, writing)
    # An instance stays after its answer, so the end of the interpreter is not part of it.
    os._exit(0)
