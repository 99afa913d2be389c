"""Run by a bare interpreter: does in one process the work of the Python worker of Azure Functions.

`python -I -S -B worker.py SOCKET ROOT`: SOCKET is an inherited file descriptor, ROOT the folder that is deployed.
Messages are lines of JSON. The first line out lists the functions of the app, or says why there are none; after that,
each line in is an invocation, answered by a line out, in the order in which they end.
"""

import base64
import importlib
import inspect
import json
import logging
import socket
import sys
import threading
import typing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PACKAGES = ".python_packages/lib/site-packages"
SCRIPT = "function_app"


class InvocationLogs(logging.Handler):
    """Keeps the records that are logged while a function runs, by the thread that it runs in."""

    def __init__(self) -> None:
        super().__init__()
        self.current = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record; records of other threads belong to no invocation and are dropped."""
        kept = getattr(self.current, "lines", None)
        if kept is not None:
            kept.append({"level": record.levelname, "category": record.name, "message": self.format(record)})


LOGS = InvocationLogs()


def indexed(root: Path) -> dict[str, typing.Any]:
    """Import the app and return its functions by name.

    Raises:
        Exception: the import failed, or the functions are invalid.

    """
    # The dependencies first, the app's own folder last.
    sys.path += [str(root / PACKAGES), str(root)]
    module = importlib.import_module(SCRIPT)
    from azure.functions.decorators.function_app import FunctionRegister

    apps = [each for each in vars(module).values() if isinstance(each, FunctionRegister)]
    if len(apps) != 1:
        raise ValueError(f"{len(apps)} FunctionApp instances are found at the top level of {SCRIPT}.py; one is needed")
    functions = {str(function.get_function_name()): function for function in apps[0].get_functions()}
    for function in functions.values():
        check(function)
    return functions


def check(function: typing.Any) -> None:
    """Check a function as the worker does before it is loaded.

    Raises:
        TypeError: its parameters do not match its bindings.

    """
    name, user = function.get_function_name(), function.get_user_function()
    bound = {each.name for each in function.get_bindings() if each.name != "$return"}
    parameters = set(inspect.signature(user).parameters) - {"context"}
    if parameters != bound:
        raise TypeError(f"cannot load the {name} function: parameters {parameters}, bindings {bound}")
    trigger = function.get_trigger()
    annotation = typing.get_type_hints(user).get(trigger.name)
    if annotation is not None and not converter(trigger.type).check_input_type_annotation(annotation):
        raise TypeError(f"cannot load the {name} function: {trigger.type} does not give a {annotation!r}")


def converter(kind: str) -> typing.Any:
    """Return the converter that the library has registered for a kind of binding."""
    from azure.functions import get_binding_registry

    return get_binding_registry().get(kind)


def described(function: typing.Any) -> dict[str, typing.Any]:
    """Return the description of a function for the host."""
    bindings = [json.loads(each) for each in function.get_raw_bindings()]
    # The trigger first: it is the only binding that has an input here.
    return {"bindings": sorted(bindings, key=lambda each: each["direction"] != "IN")}


def invoked(function: typing.Any, payload: typing.Any) -> typing.Any:
    """Call a function with a payload, and return its answer for the host.

    Raises:
        Exception: the converters or the function raised it.

    """
    from azure.functions.meta import Datum

    trigger, user = function.get_trigger(), function.get_user_function()
    is_http = trigger.type == "httpTrigger"
    datum = Datum(request_of(payload), "http") if is_http else Datum(json.dumps(payload), "json")
    value = converter(trigger.type).decode(datum, trigger_metadata={})
    answer = user(**{trigger.name: value})
    if is_http:
        return response_of(converter("http").encode(answer, expected_type=None))
    if answer is not None:
        raise RuntimeError(
            f"function '{function.get_function_name()}' without a $return binding returned a non-None value"
        )
    return None


def request_of(payload: typing.Any) -> dict[str, typing.Any]:
    """Return an HTTP request as the worker makes it from the host's message."""
    from azure.functions.meta import Datum

    def texts(given: dict[str, str]) -> dict[str, Datum]:
        return {name: Datum(value, "string") for name, value in given.items()}

    return {
        **texts({name: payload[name] for name in ("method", "url")}),
        **{name: texts(payload[name]) for name in ("headers", "query", "params")},
        "body": Datum(base64.b64decode(payload["body"]), "bytes"),
    }


def response_of(datum: typing.Any) -> dict[str, typing.Any]:
    """Return an HTTP answer for the host."""
    if datum.type == "string":
        return {"status": 200, "headers": {"content-type": "text/plain"}, "body": encoded(datum.value.encode())}
    parts = datum.value
    headers = {name: value.value for name, value in parts["headers"].items()}
    return {"status": int(parts["status_code"].value), "headers": headers, "body": encoded(parts["body"].value)}


def encoded(body: bytes) -> str:
    """Return a body in base64."""
    return base64.b64encode(body).decode()


def answered(functions: dict[str, typing.Any], message: typing.Any) -> dict[str, typing.Any]:
    """Carry out one invocation and return its answer."""
    lines: list[object] = []
    LOGS.current.lines = lines
    answer = {"id": message["id"], "logs": lines}
    try:
        answer["value"] = invoked(functions[message["function"]], message["payload"])
    except Exception as error:  # noqa: BLE001 - every error is reported to the host
        answer["error"] = f"{type(error).__name__}: {error}"
    finally:
        LOGS.current.lines = None
    return answer


def serve(connection: socket.socket, root: Path) -> None:
    """Answer invocations until the host closes the connection."""
    writing = threading.Lock()

    def send(message: dict[str, typing.Any]) -> None:
        with writing:
            connection.sendall(json.dumps(message).encode() + b"\n")

    def work(message: dict[str, typing.Any]) -> None:
        send(answered(functions, message))

    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger().addHandler(LOGS)
    try:
        functions = indexed(root)
        send({"functions": {name: described(function) for name, function in functions.items()}})
    except Exception as error:  # every error is reported to the host
        send({"error": f"{type(error).__name__}: {error}"})
        raise
    # The worker uses Python's default: four threads more than there are cores, at most 32.
    with ThreadPoolExecutor() as pool, connection.makefile("rb") as lines:
        for line in lines:
            pool.submit(work, json.loads(line))


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        serve(connection, Path(sys.argv[2]))
