"""The Lambda Runtime API, for one runtime process."""

import json
import queue
import re
import secrets
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from emulators.loopback import Answer, LoopbackServer, Request

_NEXT = "/2018-06-01/runtime/invocation/next"
_INIT_ERROR = "/2018-06-01/runtime/init/error"
_RESULT = re.compile(r"/2018-06-01/runtime/invocation/([^/]+)/(response|error)")


class LambdaError(Exception):
    """An invocation that failed, as Lambda reports it in a `FunctionError` payload.

    Attributes:
        type: such as `ValueError`, `Runtime.ImportModuleError`, `Runtime.ExitError` or `Sandbox.Timedout`.
        message: the error's own message.
        trace: the stack, one entry per frame; empty if there is none.
    """

    def __init__(self, type: str, message: str, trace: tuple[str, ...] = ()) -> None:  # noqa: A002
        super().__init__(f"{type}: {message}")
        self.type = type
        self.message = message
        self.trace = trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One event for the function.

    Attributes:
        request_id: stays the same when Lambda retries an asynchronous invocation.
        event: anything that JSON can hold.
        deadline_ms: when the invocation times out, in milliseconds since 1970.
    """

    request_id: str
    event: object
    deadline_ms: int


class RuntimeApi:
    """Serves the runtime process that was started with this address.

    Attributes:
        ready: done when the process requests its first event; fails if the process cannot be initialised.
    """

    def __init__(self, function_arn: str) -> None:
        self.ready: Future[None] = Future()
        self._function_arn = function_arn
        self._lock = threading.Lock()
        self._todo: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._pending: dict[str, Future[object]] = {}
        self._failure: LambdaError | None = None
        self._server = LoopbackServer(self._respond).start()

    @property
    def address(self) -> str:
        """`host:port`, for `AWS_LAMBDA_RUNTIME_API`."""
        return self._server.address

    @property
    def failed(self) -> bool:
        """Whether the process has ended or could not start."""
        return self._failure is not None

    def submit(self, invocation: Invocation) -> Future[object]:
        """Pass an event to the process; the future has its result, or fails with a LambdaError."""
        outcome: Future[object] = Future()
        with self._lock:
            if self._failure:
                outcome.set_exception(self._failure)
                return outcome
            self._pending[invocation.request_id] = outcome
        self._todo.put(invocation)
        return outcome

    def fail(self, error: LambdaError) -> None:
        """Record that the process has ended or cannot start, and fail its invocations. The first error counts."""
        with self._lock:
            self._failure = self._failure or error
            pending, self._pending = list(self._pending.values()), {}
            if not self.ready.done():
                self.ready.set_exception(self._failure)
        for outcome in pending:
            outcome.set_exception(self._failure)

    def close(self) -> None:
        """Stop serving; a request that waits for an event gets no answer."""
        self._todo.put(None)
        self._server.close()

    def _respond(self, request: Request) -> Answer | None:
        if (request.method, request.path) == ("GET", _NEXT):
            return self._next()
        if (request.method, request.path) == ("POST", _INIT_ERROR):
            self.fail(_error(json.loads(request.body)))
            return Answer(status=202)
        matched = _RESULT.fullmatch(request.path)
        if request.method != "POST" or matched is None:
            return Answer(status=404)
        with self._lock:
            outcome = self._pending.pop(matched[1], None)
        if outcome is None:
            return Answer(status=400, body=b'{"errorType": "InvalidRequestID"}')
        body = json.loads(request.body)
        if matched[2] == "error":
            outcome.set_exception(_error(body))
        else:
            outcome.set_result(body)
        return Answer(status=202)

    def _next(self) -> Answer | None:
        with self._lock:
            if not self.ready.done():
                self.ready.set_result(None)
        invocation = self._todo.get()
        if invocation is None:
            return None
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self._function_arn,
            "Lambda-Runtime-Trace-Id": _trace_id(),
        }
        return Answer(status=200, body=json.dumps(invocation.event).encode(), headers=headers)


def _trace_id() -> str:
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled=0"


def _error(body: Mapping[str, Any]) -> LambdaError:
    trace = tuple(str(frame) for frame in body.get("stackTrace") or ())
    return LambdaError(str(body.get("errorType")), str(body.get("errorMessage")), trace)
