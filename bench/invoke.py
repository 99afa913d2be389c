"""Run in a new process: `invoke.py MODULE FUNCTION EVENT DESCRIPTOR` lets a function handle one event, and ends.

It writes the answer, the number of modules and the largest size of the process to the file descriptor, and imports next
to nothing, so that it adds next to nothing to what it measures.
"""

import importlib
import json
import os
import sys


class Context:
    """The context of an invocation that Lambda passes, as far as the functions read it."""

    aws_request_id = f"bench-{os.getpid()}"


module, name, event, descriptor = sys.argv[1:]
# In place of this file's own folder: the current folder, as a runtime has it.
sys.path[0] = ""
answer = getattr(importlib.import_module(module), name)(json.loads(event), Context())
# The operating system's own figure begins with the size of the process that started this one.
with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - without importing pathlib
    memory = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
os.write(int(descriptor), json.dumps({"memory": memory, "modules": len(sys.modules), "answer": answer}).encode())
# An instance stays after its answer, so the end of the interpreter is not part of its start.
os._exit(0)
