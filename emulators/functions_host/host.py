"""The host: receives requests, events and ticks, and invokes the functions of an app with them."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from emulators.functions_host.event_grid import INVOCATIONS, Webhook
from emulators.functions_host.http import Call, http_answer, read_call, routed
from emulators.functions_host.keys import Keys, authenticated, given_key
from emulators.functions_host.process import FunctionError, Instance, Invocation, Plan
from emulators.loopback import Answer, Request
from emulators.processes import LogFolder
from emulators.standin import StandIn

WEBHOOK: Final = "/runtime/webhooks/EventGrid"
ADMIN: Final = "/admin/functions/"


@dataclass(eq=False)
class FunctionsHost(StandIn):
    """A function app that runs from the folder of its bundle.

    Its processes get *environment* and the variables that the platform sets, and nothing from our own environment; they
    import from the bundle, its `.python_packages` and the standard library, and from nowhere else. `url` is the address
    of the HTTP functions.

    Attributes:
        bundle: the folder that is deployed, with `function_app.py` and `host.json` at its root.
        environment: the app settings.
        instances: how many processes there may be; only `warm` starts further ones, since scaling out takes time.
        python: the interpreter.
        timeout: seconds that one invocation may take.
        keys: the keys of the app.
        principals: the names of the callers that may use HTTP, by bearer token; None: App Service authenticates none.
        invocations: how each invocation ended, by its id.

    """

    bundle: Path
    environment: Mapping[str, str]
    instances: int = 1
    python: str = sys.executable
    timeout: float = 60
    keys: Keys = field(default_factory=Keys)
    principals: Mapping[str, str] | None = None
    invocations: dict[str, Invocation] = field(init=False, default_factory=dict)

    def __enter__(self) -> Self:
        """Start listening; the first process starts with the first invocation."""
        self._folder = LogFolder("functions-")
        plan = Plan(python=self.python, bundle=self.bundle.resolve(), variables=self._variables(), log=self._folder.log)
        self._instances = [Instance(plan) for _ in range(self.instances)]
        settings = json.loads((self.bundle / "host.json").read_text(encoding="utf-8"))
        self._prefix = settings.get("extensions", {}).get("http", {}).get("routePrefix", "api")
        self._webhook = Webhook(keys=self.keys, functions=lambda: self.functions, invoke=self._record)
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the processes, and stop listening."""
        super().__exit__(kind, error, trace)
        self._folder.close()

    @property
    def starts(self) -> int:
        """How many processes were started: the cold starts."""
        return sum(instance.starts for instance in self._instances)

    @property
    def functions(self) -> Mapping[str, Any]:
        """The functions of the app by name, each with its bindings.

        Raises:
            FunctionError: the app cannot be indexed.

        """
        return self._instances[0].functions(self.timeout)

    @property
    def in_flight(self) -> int:
        """How many invocations are running."""
        return sum(max(instance.in_flight, 0) for instance in self._instances)

    def event_grid_url(self, function: str) -> str:
        """Return the address at which Event Grid delivers events for a function."""
        return f"{self.url}{WEBHOOK}?functionName={function}&code={self.keys.event_grid}"

    def warm(self) -> None:
        """Start every instance that is not running.

        Raises:
            FunctionError: the app cannot be indexed.

        """
        for instance in self._instances:
            instance.functions(self.timeout)

    def invoke(self, function: str, payload: object) -> Invocation:
        """Invoke a function with the payload of its trigger, as JSON.

        Raises:
            FunctionError: the app cannot be indexed.

        """
        identifier, _ = self._record(function, payload)
        return self.invocations[identifier]

    def kill(self) -> None:
        """End every process immediately; running invocations fail."""
        for instance in self._instances:
            instance.kill()

    def logs(self) -> str:
        """Return everything that all processes have written so far; also after the end."""
        return self._folder.text()

    def _end_work(self) -> None:
        self.kill()

    def _record(self, function: str, payload: object) -> tuple[str, str]:
        """Invoke a function; return the id of the invocation, and its error, empty if it succeeded."""
        with self._lock:
            # The least busy of the instances that run.
            running = [instance for instance in self._instances if instance.in_flight >= 0] or self._instances[:1]
            instance = min(running, key=lambda each: each.in_flight)
            identifier = f"invocation-{len(self.invocations)}"
            self.invocations[identifier] = Invocation(function=function, error="is running")
        ended = instance.invoke(function, payload, self.timeout)
        self.invocations[identifier] = ended
        return identifier, ended.error

    def _respond(self, request: Request) -> Answer:
        call = read_call(request)
        try:
            if call.path == WEBHOOK:
                return self._webhook.respond(call)
            return self._administer(call) if call.path.startswith(ADMIN) else self._http(call)
        except FunctionError:
            # An app that cannot be indexed has no functions.
            return Answer(status=404)

    def _administer(self, call: Call) -> Answer:
        """Run a function manually; the payload is in `input`, as a string."""
        function = call.path.removeprefix(ADMIN)
        if given_key(call.headers, call.query) != self.keys.master:
            return Answer(status=401)
        if call.method != "POST" or function not in self.functions:
            return Answer(status=404)
        given = json.loads(call.body or b"{}").get("input")
        # The service answers before the function has ended, and never reports how it ended.
        identifier, _ = self._record(function, json.loads(given) if given else {})
        return Answer(status=202, headers={INVOCATIONS: identifier})

    def _http(self, call: Call) -> Answer:
        headers = authenticated(call.headers, self.principals)
        if headers is None:
            return Answer(status=401)
        found = routed(self.functions, call, self._prefix)
        if found is None:
            return Answer(status=404)
        name, level, params = found
        if not self._is_allowed(level, call):
            return Answer(status=401)
        identifier, error = self._record(name, call.payload(params) | {"headers": headers})
        answer = Answer(status=500) if error else http_answer(self.invocations[identifier].value)
        return Answer(status=answer.status, body=answer.body, headers={**answer.headers, INVOCATIONS: identifier})

    def _is_allowed(self, level: str, call: Call) -> bool:
        key = given_key(call.headers, call.query)
        return level == "ANONYMOUS" or key == self.keys.master or (level == "FUNCTION" and key == self.keys.function)

    def _variables(self) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self._folder.path),
            "LANG": "C.UTF-8",
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "FUNCTIONS_EXTENSION_VERSION": "~4",
            "AzureWebJobsScriptRoot": str(self.bundle.resolve()),
            "WEBSITE_SITE_NAME": "retrain",
            "WEBSITE_AUTH_ENABLED": str(self.principals is not None),
            **self.environment,
        }
