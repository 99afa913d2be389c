"""A gate between clients and the services' stand-ins: notes every call, and fails those that a test names."""

import http.client
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from emulators.loopback import Answer, Request
from emulators.standin import Served

# Of the connection between two parties, not of the message: RFC 9110, section 7.6.1; and what the server adds itself.
_OWN_HEADERS = frozenset({"connection", "transfer-encoding", "content-length", "server", "date", "host"})

Met = Callable[[bytes], bool]


def any_body(_body: bytes) -> bool:
    """Meet every request."""
    return True


def calls_from(first: int, count: int = 1) -> Met:
    """Meet *count* requests, from the one with the number *first* on; the first of all has number 0."""
    numbers = itertools.count()
    return lambda _body: next(numbers) in range(first, first + count)


def body_with(text: str) -> Met:
    """Meet the requests whose body has *text* in it."""
    return lambda body: text.encode() in body


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    operation: str
    met: Met
    answer: Answer | None
    done: bool


class Gate(Served):
    """Passes calls on: of the JSON protocols of AWS those to SageMaker to one server, all others to another.

    Attributes:
        calls: the operations called so far, those that were failed included.

    """

    def __init__(self, others: str) -> None:
        """Pass on to the URL *others*; `sagemaker` is set before the first call to it."""
        self.sagemaker = others
        self.calls: list[str] = []
        self._others = others
        self._faults: list[_Fault] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        super().__init__()

    @contextmanager
    def failing(
        self, operation: str, answer: Answer | None, met: Met = any_body, *, done: bool = False
    ) -> Iterator[None]:
        """Answer calls with *answer* for as long as the context lasts; none: close the connection.

        Args:
            operation: such as `PutItem`; or a service and a dot, such as `DynamoDB_20120810.`, for all of its calls.
            answer: the answer.
            met: whether a request, by its body, is one of those.
            done: whether the service does its work all the same.

        """
        fault = _Fault(operation=operation, met=met, answer=answer, done=done)
        with self._lock:
            self._faults.append(fault)
        try:
            yield
        finally:
            with self._lock:
                self._faults.remove(fault)

    def reset(self) -> None:
        """Forget the calls."""
        with self._lock:
            self.calls.clear()

    def _respond(self, request: Request) -> Answer | None:
        service, operation = self.named(request)
        with self._lock:
            self.calls.append(operation)
            named = [fault for fault in self._faults if fault.operation in (operation, f"{service}.")]
            fault = next((fault for fault in named if fault.met(self.shown(request))), None)
        if fault is None or fault.done:
            # moto judges a condition and writes in two steps, between which another one may write; DynamoDB does not.
            with self._writing if operation == "PutItem" else nullcontext():
                answer = passed_on(self.behind(service), request)
        return fault.answer if fault else answer

    def named(self, request: Request) -> tuple[str, str]:
        """Return the service that a request is for, and the operation."""
        target = request.headers.get("x-amz-target")
        if target is None:
            # SNS speaks an older protocol, whose requests are forms.
            return "", parse_qs(request.body.decode()).get("Action", [""])[0]
        service, _, operation = target.partition(".")
        return service, operation

    def shown(self, request: Request) -> bytes:
        """Return what a fault may know its requests by."""
        return request.body

    def behind(self, service: str) -> str:
        """Return the URL of a service."""
        return self.sagemaker if service == "SageMaker" else self._others


def refusal(code: str, status: int = 400) -> Answer:
    """Return the error answer of a JSON service."""
    body = f'{{"__type": "{code}", "message": "ordered by a test"}}'
    return Answer(status=status, body=body.encode(), headers={"Content-Type": "application/x-amz-json-1.0"})


def passed_on(url: str, request: Request) -> Answer | None:
    """Send *request* to the server at *url*, and return the answer; none: it closed the connection."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    headers = {name: value for name, value in request.headers.items() if name not in _OWN_HEADERS}
    try:
        connection.request(request.method, request.path, request.body, headers)
        answer = connection.getresponse()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _OWN_HEADERS}
        return Answer(status=answer.status, body=answer.read(), headers=kept)
    except ConnectionError:
        # The service behind the gate closed the connection, and the gate closes its own.
        return None
    finally:
        connection.close()
