"""The stand-in for GitHub: one HTTP server that knows tokens and repositories, and keeps what is dispatched."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulators.github.answers import error, problem_of
from emulators.github.faults import Fault, FaultKind
from emulators.loopback import Answer, Request
from emulators.standin import FaultyStandIn

_DISPATCHES = re.compile(r"/repos/([^/]+/[^/]+)/dispatches")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """An event that would start workflows."""

    repository: str
    event_type: str
    payload: Mapping[str, Any]


@dataclass(kw_only=True, eq=False)
class GitHubStandIn(FaultyStandIn[Fault]):
    """A GitHub that keeps the events that are dispatched to it, and fails on demand.

    Attributes:
        repositories: the repositories that exist.
        tokens: the valid tokens, each with the repositories that it may write to; to it, others do not exist.
        readers: tokens that see every repository, but may not dispatch.
        moved: the new address of each repository that was moved, as the whole `Location` of the redirect.
        base: the path before `/repos`, such as `/api/v3` of an Enterprise Server.
    """

    repositories: frozenset[str] = frozenset({"acme/churn"})
    tokens: Mapping[str, frozenset[str]] = field(default_factory=dict)
    readers: frozenset[str] = frozenset()
    moved: Mapping[str, str] = field(default_factory=dict)
    base: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._dispatched: list[Dispatched] = []
        self._requests: list[Request] = []

    @property
    def url(self) -> str:
        """The base URL, for `RETRAIN_GITHUB_API`."""
        return f"{super().url}{self.base}"

    def add_fault(self, kind: FaultKind | str, *, times: int = 1, **headers: str) -> None:
        """Order a fault for the next requests; *headers* with `_` for `-` replace its usual ones."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        chosen = FaultKind(kind)
        silence = 2 if chosen is FaultKind.HANG else 0
        self.faults.add(Fault(kind=chosen, headers=named, times=times, seconds=silence))

    def dispatched(self) -> list[Dispatched]:
        """Return the events that were accepted, oldest first."""
        with self._lock:
            return list(self._dispatched)

    def requests(self) -> list[Request]:
        """Return every request, oldest first, including those that a fault hit."""
        with self._lock:
            return list(self._requests)

    def _respond(self, request: Request) -> Answer | None:
        with self._lock:
            self._requests.append(request)
        return self._answer("dispatch", lambda: self._work(request))

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
