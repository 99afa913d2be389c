"""Run in a new process: `invoke.py MODULE FUNCTION EVENT DESCRIPTOR` lets a function handle one event, and ends.

It writes the answer and the number of modules to the file descriptor, and needs nothing but `sys` and `json`, so that
it adds next to nothing to what it measures.
"""

import importlib
import json
import os
import sys

module, name, event, descriptor = sys.argv[1:]
# In place of this file's own folder: what a runtime has there.
sys.path[0] = ""
answer = getattr(importlib.import_module(module), name)(json.loads(event), None)
os.write(int(descriptor), json.dumps({"modules": len(sys.modules), "answer": answer}).encode())
# An instance stays after its answer, so the end of the interpreter is not part of its start.
os._exit(0)
