"""The adapters under test, made for stand-ins, and what is sent through them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emulators.arm.standin import WORKSPACE
from emulators.event_grid import EventGridStandIn
from emulators.loopback import Answer, LoopbackServer, Request
from functions.azure.bus import EventGridBus
from functions.azure.clients import CallLimits, Clients
from functions.azure.errors import Persistence
from shared.backoff import Backoff
from shared.config.targets import AzureMlTarget

IMPATIENT = CallLimits(connect_timeout=1, read_timeout=0.5)
PATIENT = CallLimits(read_timeout=30)

SOURCE = "ml3_platform"
COMPONENT = f"{WORKSPACE}/components/train/versions/1"
TARGET = AzureMlTarget(workspace=WORKSPACE, component=COMPONENT, compute="cpu-cluster", experiment="churn")


def noting(pauses: list[float], *, attempts: int = 3, **more: Any) -> Persistence:
    """Return a persistence that notes its pauses instead of sleeping."""
    backoff = Backoff(attempts=attempts, base=0.2, sleep=pauses.append, chance=lambda: 0.5)
    return Persistence(backoff=backoff, **more)


ONCE = noting([], attempts=1)


def bus_at(url: str, clients: Clients, pauses: list[float]) -> EventGridBus:
    """Return a bus whose topic is at *url*."""
    return EventGridBus(clients.topic(url), url, SOURCE, persistence=noting(pauses))


def arrived(topic: EventGridStandIn) -> list[str]:
    """Return the ids of the events that the topic took."""
    return [event["id"] for event in topic.events]


@contextmanager
def refusing(status: int, code: str) -> Iterator[tuple[str, list[Request]]]:
    """Run a storage service that refuses every request with *code*; give its URL and the requests."""
    asked: list[Request] = []

    def respond(request: Request) -> Answer:
        asked.append(request)
        return Answer(status=status, headers={"x-ms-error-code": code})

    with LoopbackServer(respond) as server:
        yield server.url, asked
