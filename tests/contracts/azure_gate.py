"""The gate in front of what stands in for Azure's services, all of which it serves at one address."""

import json
import re
from collections.abc import Mapping
from typing import Final

from emulators.loopback import Answer, Request
from tests.contracts.gate import Gate

TABLES: Final = "Tables"
BLOBS: Final = "Blobs"
TOPIC: Final = "EventGrid"
ARM: Final = "ARM"

# Table service REST API: the methods by what they do to one entity, and to none in particular.
_ONE_ENTITY: Final = {"GET": "GetEntity", "PUT": "UpdateEntity", "PATCH": "MergeEntity", "DELETE": "DeleteEntity"}
_TABLE: Final = {"POST": "InsertEntity", "GET": "QueryEntities"}
# A transaction is named by its first operation, which is that of the document.
_FIRST_OF_A_TRANSACTION: Final = re.compile(rb"\r\n(?P<method>[A-Z]+) (?P<path>http[^ ?]+)")
_KEY: Final = re.compile(r"\(PartitionKey=.+\)$")


class AzureGate(Gate):
    """Recognises the services by their paths.

    Attributes:
        services: the base URL of each service, by the names above.

    """

    def __init__(self, services: Mapping[str, str], container: str) -> None:
        """Pass on to *services*; what begins with the path of the *container* is for blobs."""
        super().__init__("")
        self.services = dict(services)
        self._container = container

    def named(self, request: Request) -> tuple[str, str]:
        """See the base."""
        path = request.path.partition("?")[0]
        if path.startswith("/subscriptions/"):
            return ARM, "cancel job" if path.endswith("/cancel") else f"{request.method} job"
        if path.startswith("/history/"):
            return ARM, f"{request.method} run"
        if path.startswith("/api/events"):
            return TOPIC, "Publish"
        if path.startswith(self._container):
            return BLOBS, f"{request.method} blob"
        method = request.method
        if path.endswith("/$batch") and (first := _FIRST_OF_A_TRANSACTION.search(request.body)):
            method, path = first["method"].decode(), first["path"].decode()
        return TABLES, (_ONE_ENTITY if _KEY.search(path) else _TABLE).get(method, method)

    def shown(self, request: Request) -> bytes:
        """Return path and body: jobs and blobs are named in the path."""
        return request.path.encode() + request.body

    def behind(self, service: str) -> str:
        """See the base."""
        return self.services[service]


def azure_refusal(status: int, code: str, **headers: str) -> Answer:
    """Return the error answer of a service of Azure."""
    body = {"error": {"code": code, "message": "ordered by a test"}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(
        status=status,
        body=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "x-ms-error-code": code, **named},
    )


# Longer than anybody waits within one delivery.
THROTTLED: Final = azure_refusal(429, "TooManyRequests", Retry_After="60")
