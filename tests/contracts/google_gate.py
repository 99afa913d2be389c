"""The gates of Google Cloud: one for calls over REST, one for what the push subscription delivers."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from emulators.loopback import Answer, Request
from emulators.standin import Served
from emulators.vertex.errors import error_answer
from tests.contracts.gate import Gate, passed_on

# https://cloud.google.com/pubsub/docs/push#receive_push: which answers acknowledge.
ACKNOWLEDGED: Final = frozenset({102, 200, 201, 202, 204})

# Operation by method and path; what stands before the dot is the service.
_OPERATIONS: Final = (
    ("firestore", "documents.get", "GET", r"/v1/projects/[^/]+/databases/[^/]+/documents/.+"),
    ("firestore", "documents.commit", "POST", r".*/documents:commit"),
    ("firestore", "documents.runQuery", "POST", r".*/documents:runQuery"),
    ("firestore", "documents.batchGet", "POST", r".*/documents:batchGet"),
    ("vertex", "pipelineJobs.create", "POST", r"/v1/projects/[^/]+/locations/[^/]+/pipelineJobs"),
    ("vertex", "pipelineJobs.get", "GET", r"/v1/projects/[^/]+/locations/[^/]+/pipelineJobs/.+"),
    ("vertex", "pipelineJobs.cancel", "POST", r"/v1/projects/[^/]+/locations/[^/]+/pipelineJobs/[^/]+:cancel"),
    ("pubsub", "topics.publish", "POST", r"/v1/projects/[^/]+/topics/[^/:]+:publish"),
)


class GoogleGate(Gate):
    """Passes REST calls on by their paths: to Firestore, to Vertex AI and to Pub/Sub.

    Attributes:
        vertex: the URL of Vertex AI, set before the first call to it.

    """

    def __init__(self, *, firestore: str, pubsub: str) -> None:
        """Pass on to these addresses, `host:port` each."""
        super().__init__("")
        self.vertex = ""
        self._services = {"firestore": f"http://{firestore}", "pubsub": f"http://{pubsub}"}

    def named(self, request: Request) -> tuple[str, str]:
        """See the base."""
        path = urlsplit(request.path).path
        for service, operation, method, pattern in _OPERATIONS:
            if request.method == method and re.fullmatch(pattern, path):
                return service, operation
        return "", f"{request.method} {path}"

    def shown(self, request: Request) -> bytes:
        """Show the path too: it names the job to create and the topic to publish to."""
        return request.path.encode() + b"\n" + request.body

    def behind(self, service: str) -> str:
        """See the base."""
        return self.vertex if service == "vertex" else self._services[service]


class PushGate(Served):
    """Stands between a push subscription and the function, and keeps the answers."""

    def __init__(self) -> None:
        """Begin without any service to pass requests on to."""
        self._url = ""
        self._once = False
        self._lock = threading.Lock()
        self._statuses: dict[str, list[int]] = {}
        super().__init__()

    @contextmanager
    def passing_on(self, url: str, *, once: bool = False) -> Iterator[None]:
        """Pass deliveries on to the function at *url*; *once*: a message that comes again waits, and is not passed on.

        Deliveries before or after are not acknowledged.
        """
        with self._lock:
            self._url, self._once = url, once
        try:
            yield
        finally:
            with self._lock:
                self._url = ""

    def statuses(self, message_id: str) -> list[int]:
        """Return the answers to a message so far; 0 where the function closed the connection."""
        with self._lock:
            return list(self._statuses.get(message_id, ()))

    def is_acknowledged(self, message_id: str) -> bool:
        """Whether the platform may forget a message."""
        return not ACKNOWLEDGED.isdisjoint(self.statuses(message_id))

    def _respond(self, request: Request) -> Answer | None:
        message_id = json.loads(request.body)["message"]["messageId"]
        with self._lock:
            url = "" if self._once and message_id in self._statuses else self._url
        if not url:
            return Answer(status=503)
        answer = passed_on(url, request)
        with self._lock:
            self._statuses.setdefault(message_id, []).append(answer.status if answer else 0)
        return answer


def refused(status: int) -> Answer:
    """Return the error answer of one of Google's services."""
    return error_answer(status, "ordered by a test")


def content_of(answer: bytes) -> Mapping[str, Any]:
    """Return an answer's JSON object; an empty one for anything else."""
    try:
        content = json.loads(answer)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
