"""Run by a fresh interpreter in a bundle's folder: one cold start, to the end of the first request.

`python cold_start_probe.py TARGET BODY`. Writes the answer and the loaded modules to standard error, for the
logs are on standard output.
"""

import json
import os
import sys

# Remove this file's own folder: the framework's script has another one, which functions do not use either.
sys.path.pop(0)

from functions_framework import create_app

_app = create_app(sys.argv[1], "main.py")
_answer = _app.test_client().post("/", data=sys.argv[2], content_type="application/json")
sys.stderr.write(json.dumps({"answer": _answer.get_json(), "modules": sorted(sys.modules)}))
sys.stderr.flush()
# An instance does not end after its answer, so the shutdown of the interpreter is not part of its start.
os._exit(0)
