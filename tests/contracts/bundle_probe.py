"""Run by a bare interpreter in the bundle: invokes a handler and prints what that has imported and opened.

`python -S bundle_probe.py emit|receive EVENT...`, in the bundle's folder.
"""

import importlib
import json
import sys

_opened: set[str] = set()


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        _opened.add(str(arguments[0]))


sys.addaudithook(_note)
# In place of this file's own folder: what a function's runtime has there.
sys.path[0] = ""
_handler = getattr(importlib.import_module("functions.aws.handler"), sys.argv[1])
_atstart = sorted(sys.modules)
_answers = [_handler(json.loads(text), None) for text in sys.argv[2:]]
_told = {"at start": _atstart, "modules": sorted(sys.modules), "opened": sorted(_opened), "answers": _answers}
sys.stderr.write(json.dumps(_told))
