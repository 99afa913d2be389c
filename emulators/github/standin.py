"""The stand-in itself: one HTTP server, the tokens and repositories it knows, and what was dispatched."""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from emulators.github.answers import error, problem_of
from emulators.github.faults import WORKING, FaultKind, answer_of
from emulators.loopback import Answer, LoopbackServer, Request

_DISPATCHES = re.compile(r"/repos/([^/]+/[^/]+)/dispatches")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """An event that a workflow would get."""

    repository: str
    event_type: str
    payload: Mapping[str, Any]


@dataclass(kw_only=True, eq=False)
class GitHubStandIn:
    """A GitHub that keeps what is dispatched to it, and fails on demand.

    Attributes:
        repositories: those that exist.
        tokens: the tokens it knows, each with the repositories that it may write to; others look as if not there.
        readers: tokens that see every repository, but may not dispatch.
        moved: where a repository went: the redirect's whole `Location`.
        base: what comes before `/repos`, such as `/api/v3` of an Enterprise Server.
        port: to listen on; 0 takes a free one.
    """

    repositories: frozenset[str] = frozenset({"acme/churn"})
    tokens: Mapping[str, frozenset[str]] = field(default_factory=dict)
    readers: frozenset[str] = frozenset()
    moved: Mapping[str, str] = field(default_factory=dict)
    base: str = ""
    port: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._faults: list[tuple[FaultKind, Mapping[str, str]]] = []
        self._dispatched: list[Dispatched] = []
        self._requests: list[Request] = []
        self._server = LoopbackServer(self._respond, port=self.port)

    @property
    def url(self) -> str:
        """The base URL, for `RETRAIN_GITHUB_API`."""
        return f"{self._server.url}{self.base}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.close()

    def add_fault(self, kind: FaultKind | str, *, times: int = 1, **headers: str) -> None:
        """Order a fault for the next requests; *headers* with `_` for `-` replace its usual ones."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with self._lock:
            self._faults += [(FaultKind(kind), named)] * times

    def dispatched(self) -> list[Dispatched]:
        """Return what was taken, oldest first."""
        with self._lock:
            return list(self._dispatched)

    def requests(self) -> list[Request]:
        """Return every request, oldest first, those that met a fault included."""
        with self._lock:
            return list(self._requests)

    def _respond(self, request: Request) -> Answer | None:
        with self._lock:
            self._requests.append(request)
            kind, headers = self._faults.pop(0) if self._faults else (None, {})
        if kind is None:
            return self._work(request)
        if kind in WORKING:
            self._work(request)
        if kind is FaultKind.HANG:
            self._closing.wait(2)
        return answer_of(kind, headers)

    def _work(self, request: Request) -> Answer:
        found = _DISPATCHES.fullmatch(request.path.removeprefix(self.base))
        if problem := _caller_problem(request) or self._right_problem(request, found[1] if found else ""):
            return problem
        if found and found[1] in self.moved:
            return error(307, "Temporary Redirect", {"Location": self.moved[found[1]]})
        if not found or request.method != "POST":
            return error(404, "Not Found")
        if problem := problem_of(request.body):
            return problem
        content = json.loads(request.body)
        event = Dispatched(
            repository=found[1], event_type=content["event_type"], payload=content.get("client_payload", {})
        )
        with self._lock:
            self._dispatched.append(event)
        return Answer(status=204, headers={"X-GitHub-Request-Id": f"{len(self._dispatched):04}"})

    def _right_problem(self, request: Request, repository: str) -> Answer | None:
        given = request.headers.get("authorization", "")
        token = given.removeprefix("Bearer ").removeprefix("token ")
        if not given:
            return error(401, "Requires authentication")
        if token in self.readers:
            return error(403, "Resource not accessible by personal access token")
        if token not in self.tokens:
            return error(401, "Bad credentials")
        known = repository in self.moved or repository in self.repositories & self.tokens[token]
        return None if known else error(404, "Not Found")


def _caller_problem(request: Request) -> Answer | None:
    if not request.headers.get("user-agent"):
        return error(403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent")
    return None
