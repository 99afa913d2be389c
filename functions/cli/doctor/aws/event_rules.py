"""The rules of an event bus of EventBridge: which of them take an event, and what they hand it to."""

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
Told = Callable[[str], AbstractContextManager[None]]
"""Makes what explains the errors of a call for which some right, such as `events:ListRules`, is needed."""


class RulesClient(Protocol):
    """What is used of botocore's client of `events`."""

    def list_rules(self, **arguments: object) -> Mapping[str, Any]:
        """Read a page of rules."""

    def list_targets_by_rule(self, **arguments: object) -> Mapping[str, Any]:
        """Read a page of targets."""

    def test_event_pattern(self, **arguments: object) -> Mapping[str, Any]:
        """Try a pattern on an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An event of the kind that a rule must take.

    Attributes:
        source: who sends it.
        kind: its `detail-type`.
        detail: its content.
        resources: the ARNs of what it is about.

    """

    source: str
    kind: str
    detail: Mapping[str, object] = field(hash=False)
    resources: tuple[str, ...] = ()

    def on_bus_of(self, rule_arn: str) -> dict[str, object]:
        """Return it as it is on the bus whose rule has that ARN."""
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
    """The rules of a bus; each is read once.

    Args:
        client: makes the client of `events`, in the bus's region.
        bus: returns name or ARN of the bus.
        told: see `Told`.

    """

    def __init__(self, client: Callable[[], RulesClient], bus: Callable[[], str], told: Told) -> None:
        """Ask nothing yet."""
        self._client = client
        self._bus = bus
        self._told = told
        self._all = cache(self._list)
        self._targets = cache(self._list_targets)

    @property
    def bus(self) -> str:
        """Name or ARN of the bus."""
        return self._bus()

    def matching(self, sample: Sample) -> Iterator[Rule]:
        """Yield the rules that take the sample, those first that name its source."""
        for rule in sorted(self._all(), key=lambda rule: not _names(rule, sample.source)):
            if self._matches(rule, sample):
                yield rule

    def naming(self, source: str) -> bool:
        """Tell whether there is a rule for events of the source, if only for some."""
        return any(_names(rule, source) for rule in self._all())

    def targets(self, rule: Rule, *services: str) -> list[Mapping[str, Any]]:
        """Return those targets of a rule that are of the services; `FUNCTION` and `QUEUE` are two."""
        return [target for target in self._targets(str(rule["Name"])) if any(one in target["Arn"] for one in services)]

    def _list(self) -> list[Rule]:
        with self._told("events:ListRules"), translated("EventBridge", f"list the rules of the bus {self.bus}"):
            rules = list(_pages(self._client().list_rules, "Rules", {"EventBusName": self.bus}))
        return [rule for rule in rules if rule.get("EventPattern")]

    def _list_targets(self, rule: str) -> list[Mapping[str, Any]]:
        asked = {"Rule": rule, "EventBusName": self.bus}
        with self._told("events:ListTargetsByRule"), translated("EventBridge", "list the targets of a rule"):
            return list(_pages(self._client().list_targets_by_rule, "Targets", asked))

    def _matches(self, rule: Rule, sample: Sample) -> bool:
        """Let EventBridge itself judge: what a pattern may say grows from year to year."""
        event = json.dumps(sample.on_bus_of(rule["Arn"]))
        with self._told("events:TestEventPattern"), translated("EventBridge", "try the pattern of a rule"):
            answer = self._client().test_event_pattern(EventPattern=rule["EventPattern"], Event=event)
        if "Result" not in answer:
            raise CheckSkippedError(f"not checked: EventBridge does not tell what the rule {rule['Name']} matches")
        return bool(answer["Result"])


def is_enabled(rule: Rule) -> bool:
    """Tell whether a rule does anything."""
    return bool(rule["State"] != "DISABLED")


def names_of(rules: list[Rule]) -> str:
    """Return the names of rules, for people."""
    return ", ".join(str(rule["Name"]) for rule in rules)


def only_queues(rules: list[Rule]) -> CheckSkippedError:
    """Return why nothing is known where the *rules* hand over to queues only."""
    return CheckSkippedError(
        f"not checked: the rule {names_of(rules)} hands over to a queue only, and EventBridge does not know who reads"
        " that: look whether an event source mapping leads from there to the function `receive`"
    )


def _names(rule: Rule, source: str) -> bool:
    return source in str(rule["EventPattern"])


def _pages(call: Callable[..., Mapping[str, Any]], name: str, asked: Mapping[str, object]) -> Iterator[Any]:
    token: dict[str, object] = {}
    while True:
        page = call(**asked, **token)
        yield from page[name]
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}
