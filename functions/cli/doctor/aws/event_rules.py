"""The rules of an EventBridge event bus: which of them match an event, and where they deliver it."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Protocol

from functions.aws.errors import translated
from functions.cli.doctor.check import CheckSkippedError
from shared.fields import format_time

FUNCTION: Final = ":lambda:"
QUEUE: Final = ":sqs:"

Rule = Mapping[str, Any]
Explain = Callable[[str], AbstractContextManager[None]]
"""Makes a context that translates the errors of a call, given the permission that the call needs."""


class RulesClient(Protocol):
    """The part of botocore's client of `events` that is used."""

    def list_rules(self, **arguments: object) -> Mapping[str, Any]:
        """Read a page of rules."""

    def list_targets_by_rule(self, **arguments: object) -> Mapping[str, Any]:
        """Read a page of targets."""

    def test_event_pattern(self, **arguments: object) -> Mapping[str, Any]:
        """Match a pattern against an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An event that a rule must match.

    Attributes:
        source: its `source`.
        kind: its `detail-type`.
        detail: its `detail`.
        resources: its `resources`, ARNs.

    """

    source: str
    kind: str
    detail: Mapping[str, object] = field(hash=False)
    resources: tuple[str, ...] = ()

    def on_bus_of(self, rule_arn: str) -> dict[str, object]:
        """Return the event as it appears on the bus of the rule with that ARN."""
        region, account = rule_arn.split(":")[3:5]
        return {
            "version": "0",
            "id": "doctor",
            "account": account,
            "region": region,
            "time": format_time(datetime.now(UTC).replace(microsecond=0)),
            "resources": list(self.resources),
            "source": self.source,
            "detail-type": self.kind,
            "detail": dict(self.detail),
        }


class EventRules:
    """The rules of a bus; each list is read once.

    Args:
        client: makes the client of `events`, in the bus's region.
        bus: returns the name or the ARN of the bus.
        explain: see `Explain`.

    """

    def __init__(self, client: Callable[[], RulesClient], bus: Callable[[], str], explain: Explain) -> None:
        """Make no call yet."""
        self._client = client
        self._bus = bus
        self._explain = explain
        self._all = cache(self._list)
        self._targets = cache(self._list_targets)

    @property
    def bus(self) -> str:
        """Name or ARN of the bus."""
        return self._bus()

    def matching(self, sample: Sample) -> Iterator[Rule]:
        """Yield the rules that match the sample, those that name its source first."""
        for rule in sorted(self._all(), key=lambda rule: not _names(rule, sample.source)):
            if self._matches(rule, sample):
                yield rule

    def naming(self, source: str) -> bool:
        """Return whether some rule names the source."""
        return any(_names(rule, source) for rule in self._all())

    def targets(self, rule: Rule, *services: str) -> list[Mapping[str, Any]]:
        """Return the targets of a rule that belong to one of the services, such as `FUNCTION` and `QUEUE`."""
        return [target for target in self._targets(str(rule["Name"])) if any(one in target["Arn"] for one in services)]

    def _list(self) -> list[Rule]:
        with self._explain("events:ListRules"), translated("EventBridge", f"list the rules of the bus {self.bus}"):
            rules = list(_pages(self._client().list_rules, "Rules", {"EventBusName": self.bus}))
        return [rule for rule in rules if rule.get("EventPattern")]

    def _list_targets(self, rule: str) -> list[Mapping[str, Any]]:
        request = {"Rule": rule, "EventBusName": self.bus}
        with self._explain("events:ListTargetsByRule"), translated("EventBridge", "list the targets of a rule"):
            return list(_pages(self._client().list_targets_by_rule, "Targets", request))

    def _matches(self, rule: Rule, sample: Sample) -> bool:
        """Let EventBridge evaluate the pattern: the pattern language keeps growing."""
        event = json.dumps(sample.on_bus_of(rule["Arn"]))
        with self._explain("events:TestEventPattern"), translated("EventBridge", "test the pattern of a rule"):
            answer = self._client().test_event_pattern(EventPattern=rule["EventPattern"], Event=event)
        if "Result" not in answer:
            raise CheckSkippedError(f"not checked: EventBridge did not say whether the rule {rule['Name']} matches")
        return bool(answer["Result"])


def is_enabled(rule: Rule) -> bool:
    """Return whether a rule is enabled."""
    return bool(rule["State"] != "DISABLED")


def names_of(rules: list[Rule]) -> str:
    """Return the names of rules, for a message."""
    return ", ".join(str(rule["Name"]) for rule in rules)


def only_queues(rules: list[Rule]) -> CheckSkippedError:
    """Return why nothing is known if the *rules* deliver to queues only."""
    return CheckSkippedError(
        f"not checked: the rule {names_of(rules)} delivers to a queue only, and EventBridge does not know who reads it;"
        " check that an event source mapping connects the queue to the function `receive`"
    )


def _names(rule: Rule, source: str) -> bool:
    return source in str(rule["EventPattern"])


def _pages(call: Callable[..., Mapping[str, Any]], name: str, request: Mapping[str, object]) -> Iterator[Any]:
    token: dict[str, object] = {}
    while True:
        page = call(**request, **token)
        yield from page[name]
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}
