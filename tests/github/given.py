"""A client of the stand-in, a time without waiting, and a training to hand over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from emulators.github import GitHubStandIn
from functions.github.address import read_address
from functions.github.client import DispatchLimits, GitHubClient
from functions.github.token import GitHubToken
from shared.fields import Parameter
from shared.ports import LaunchRequest
from shared.trigger import RetrainTrigger

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
TOKEN = "ghp_0123456789abcdefABCDEF"
REPOSITORY = "acme/churn"
# Long enough for a busy machine, and short enough for a test that waits for a silence to become too long.
CALM = 10.0
HASTY = 0.3


@dataclass(slots=True)
class Time:
    """A time that passes only during a sleep.

    Attributes:
        pauses: how long everybody has slept, in seconds.

    """

    pauses: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.pauses.append(seconds)

    def monotonic(self) -> float:
        """Return the seconds slept."""
        return sum(self.pauses)

    def now(self) -> datetime:
        """Return the time of day."""
        return NOW + timedelta(seconds=self.monotonic())

    def limits(self, read_timeout: float = CALM, **more: Any) -> DispatchLimits:
        """Return limits in this time."""
        return DispatchLimits(
            connect_timeout=5,
            read_timeout=read_timeout,
            sleep=self.sleep,
            monotonic=self.monotonic,
            clock=self.now,
            **more,
        )


def client_of(
    url: str,
    *,
    token: GitHubToken | str = TOKEN,
    repositories: Sequence[str] = (REPOSITORY,),
    limits: DispatchLimits | None = None,
) -> GitHubClient:
    """Return a client of the GitHub at *url*."""
    given = token if isinstance(token, GitHubToken) else GitHubToken(token, {})
    return GitHubClient(read_address(url), given, repositories, limits=limits or Time().limits())


def bodies(github: GitHubStandIn) -> int:
    """Return the number of requests that have arrived."""
    return len(github.requests())


def request(
    *, parameters: Mapping[str, Parameter] = MappingProxyType({"epochs": 9, "full": True}), **fields: Any
) -> LaunchRequest:
    """Return a training to hand over; *fields* are those of its trigger."""
    known: dict[str, Any] = {"model_id": "churn", "trigger_id": "t-1", "origin": "drift", "requested_at": NOW}
    trigger = RetrainTrigger(**known | fields)
    return LaunchRequest(
        trigger=trigger,
        token=trigger.token,
        parameters=parameters,
        claimed_at=NOW,
        max_run=timedelta(hours=1),
    )
