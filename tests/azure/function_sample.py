"""Small function apps for the tests of the host's stand-in, each with the library of Azure Functions and no more."""

import importlib.util
from pathlib import Path
from textwrap import dedent

HEAD = """
import azure.functions as func
app = func.FunctionApp()
"""
SAMPLE = """
import json, logging, os, threading, time
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
together = threading.Barrier(3)

@app.route(route="{*path}")
def web(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger("sample").info("called")
    if req.params.get("raise"):
        raise ValueError("no")
    if req.params.get("dict"):
        return {}
    seen = {"method": req.method, "url": req.url, "params": dict(req.params), "route": dict(req.route_params),
            "headers": dict(req.headers), "body": req.get_body().decode(), "environment": dict(os.environ)}
    return func.HttpResponse(json.dumps(seen), status_code=201, mimetype="application/json", headers={"x-a": "b"})

@app.route(route="open/{name}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def free(req: func.HttpRequest) -> str:
    return req.route_params["name"]

@app.timer_trigger(schedule="0 0 * * * *", arg_name="timer")
def tick(timer: func.TimerRequest) -> None:
    logging.getLogger("sample").info(json.dumps([timer.past_due, timer.schedule_status]))

@app.event_grid_trigger(arg_name="event")
def receive(event: func.EventGridEvent) -> None:
    match event.subject:
        case "raise":
            raise ValueError(event.id)
        case "exit":
            os._exit(3)
        case "sleep":
            time.sleep(60)
        case "meet":
            together.wait(10)
        case "answer":
            return "something"
"""


def make_app(folder: Path, code: str, prefix: str = "") -> Path:
    """Write an app into *folder* and return it: *code* as `function_app.py`, *prefix* in front of all routes."""
    packages = folder / ".python_packages" / "lib" / "site-packages"
    (packages / "azure").mkdir(parents=True)
    for name in ("azure.functions", "werkzeug", "markupsafe"):
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        packages.joinpath(*name.split(".")).symlink_to(Path(found.origin).parent)
    (folder / "host.json").write_text(f'{{"version": "2.0", "extensions": {{"http": {{"routePrefix": "{prefix}"}}}}}}')
    (folder / "function_app.py").write_text(dedent(code))
    return folder
