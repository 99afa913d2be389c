"""Run by a bare interpreter: invokes the functions of a bundle and prints which modules that imports.

`python -I -S -B app_probe.py ROOT`: ROOT is the folder that is deployed. The steps come on standard input: JSON of
`[[function, payload]...]`, where a payload is a request's `[method, url, body]`, or what a trigger brings.
"""

import contextlib
import importlib
import io
import json
import sys
from typing import Any

_root = sys.argv[1]
_work = json.load(sys.stdin)
# The dependencies first, the app's own folder last, as the worker has them.
sys.path += [f"{_root}/.python_packages/lib/site-packages", _root]
_app = importlib.import_module("function_app").app
_atstart = sorted(sys.modules)
_functions = {function.get_function_name(): function for function in _app.get_functions()}


def _invoke(name: str, payload: Any) -> object:
    from azure.functions import HttpRequest, get_binding_registry, meta

    trigger = _functions[name].get_trigger()
    if trigger.type == "httpTrigger":
        method, url, body = payload
        headers = {"content-type": "application/json", "x-ms-client-principal-name": "mallory"}
        value = HttpRequest(method, url, headers=headers, params={}, route_params={}, body=body.encode())
    else:
        datum = meta.Datum(json.dumps(payload), "json")
        value = get_binding_registry().get(trigger.type).decode(datum, trigger_metadata=None)
    try:
        answer = _functions[name].get_user_function()(**{trigger.name: value})
    except Exception as error:  # noqa: BLE001 - the host reports it, too
        return f"{type(error).__name__}: {error}"
    return None if answer is None else [answer.status_code, answer.get_body().decode(), dict(answer.headers)]


_said = io.StringIO()
with contextlib.redirect_stdout(_said):
    _answers = [_invoke(name, payload) for name, payload in _work]
_bindings = {name: [json.loads(each) for each in function.get_raw_bindings()] for name, function in _functions.items()}
_told = {
    "at start": _atstart,
    "modules": sorted(sys.modules),
    "answers": _answers,
    "bindings": _bindings,
    "said": _said.getvalue(),
}
sys.stdout.write(json.dumps(_told))
