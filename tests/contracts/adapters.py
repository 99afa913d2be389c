"""Triggers and requests for the tests of all adapters, and services that answer them."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from emulators.loopback import Answer, LoopbackServer, Request
from shared.fields import Parameter
from shared.ports import LaunchRequest
from shared.trigger import RetrainTrigger

TRIGGER = RetrainTrigger(
    model_id="churn",
    trigger_id="t-1",
    origin="drift",
    requested_at=datetime(2026, 11, 21, 3, 0, tzinfo=UTC),
    reason="Qualität fällt",
    severity="high",
    requested_by="monitor",
)

Answering = Callable[..., str]
"""Starts a service that gives the same answer to everything, and returns its URL."""


def trigger(number: int = 1, **fields: Any) -> RetrainTrigger:
    """Return a trigger with a number in its id."""
    return replace(TRIGGER, **({"trigger_id": f"t-{number}"} | fields))


def request(
    asked: RetrainTrigger = TRIGGER,
    *,
    claimed_at: datetime | None = None,
    parameters: Mapping[str, Parameter] = MappingProxyType({}),
) -> LaunchRequest:
    """Return a request that was claimed just now, unless another time is given."""
    return LaunchRequest(
        trigger=asked,
        token=asked.token,
        parameters=parameters,
        claimed_at=claimed_at or datetime.now(UTC),
        max_run=timedelta(hours=1),
    )


@contextmanager
def answering_services() -> Iterator[Answering]:
    """Give what starts a service that gives the same answer to everything, and returns its URL; end them all."""
    with ExitStack() as running:

        def start(status: int, body: Any = b"", **headers: str) -> str:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            named = {name.replace("_", "-"): value for name, value in headers.items()}

            def respond(_: Request) -> Answer:
                return Answer(status=status, body=content, headers=named)

            return running.enter_context(LoopbackServer(respond)).url

        yield start
