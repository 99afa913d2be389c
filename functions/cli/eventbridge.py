"""What an event bus of EventBridge does with our events; it drops in silence what no rule asks for."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Protocol

from functions.aws.errors import translated
from functions.cli.check import Check, CheckFailedError, CheckSkippedError
from shared.fields import format_time
from shared.wire.eventbridge import DETAIL_TYPE

# What hands an event to our function: itself, or the queue that it reads.
_RECEIVERS: Final = (":lambda:", ":sqs:")
_DROPPED: Final = "events are dropped in silence"

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


class Rules:
    """The rules of a bus.

    Args:
        client: makes the client of `events`, in the bus's region.
        bus: returns name or ARN of the bus.
        source: the source of our events.
        told: see `Told`.

    """

    def __init__(self, client: Callable[[], RulesClient], bus: Callable[[], str], source: str, told: Told) -> None:
        """Ask nothing yet."""
        self._client = client
        self._bus = bus
        self._source = source
        self._told = told
        # Three checks look at the same rules.
        self._matching = cache(self._look)

    def checks(self) -> list[Check]:
        """Return the checks of the rules."""
        return [
            Check(name="publishing", about="triggers can be put on the event bus", run=_publishing),
            Check(name="rule", about="a rule of the event bus asks for our events, and is enabled", run=self._rule),
            Check(
                name="rule's target", about="what the rule catches goes to a function or its queue", run=self._target
            ),
            Check(name="rule's dead letters", about="what cannot be delivered is kept in a queue", run=self._letters),
        ]

    def _rule(self) -> None:
        matching = self._matching()
        if not matching:
            kind = f"source {self._source}, detail-type {DETAIL_TYPE}"
            raise CheckFailedError(
                f"no rule of the event bus {self._bus()} matches our events ({kind}), so {_DROPPED}: deploy the stack,"
                " or make a rule with the prefixes of both in its pattern"
            )
        if not self._enabled():
            names = ", ".join(str(rule["Name"]) for rule in matching)
            raise CheckFailedError(f"the rule {names} is disabled, so {_DROPPED}: enable it")

    def _target(self) -> None:
        if not list(self._receiving()):
            names = ", ".join(str(rule["Name"]) for rule in self._enabled())
            raise CheckFailedError(
                f"the rule {names} has no function and no queue as target, so {_DROPPED}: add the function `receive`"
            )

    def _letters(self) -> None:
        for rule, target in self._receiving():
            if not target.get("DeadLetterConfig", {}).get("Arn"):
                raise CheckFailedError(
                    f"the target {target['Id']} of the rule {rule['Name']} has no dead-letter queue, so what cannot be"
                    " delivered is dropped after 24 hours at the latest: set its DeadLetterConfig"
                )

    def _receiving(self) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        if not self._enabled():
            raise CheckSkippedError("not checked: there is no rule for our events")
        for rule in self._enabled():
            asked = {"Rule": rule["Name"], "EventBusName": self._bus()}
            with self._told("events:ListTargetsByRule"), translated("EventBridge", "list the targets of a rule"):
                targets = list(_pages(self._client().list_targets_by_rule, "Targets", asked))
            yield from ((rule, target) for target in targets if any(kind in target["Arn"] for kind in _RECEIVERS))

    def _enabled(self) -> list[Mapping[str, Any]]:
        return [rule for rule in self._matching() if rule["State"] != "DISABLED"]

    def _look(self) -> list[Mapping[str, Any]]:
        with self._told("events:ListRules"), translated("EventBridge", f"list the rules of the bus {self._bus()}"):
            rules = list(_pages(self._client().list_rules, "Rules", {"EventBusName": self._bus()}))
        return [rule for rule in rules if rule.get("EventPattern") and self._matches(rule)]

    def _matches(self, rule: Mapping[str, Any]) -> bool:
        """Let EventBridge itself judge: what a pattern may say grows from year to year."""
        event = json.dumps(_event(rule["Arn"], self._source))
        with self._told("events:TestEventPattern"), translated("EventBridge", "try the pattern of a rule"):
            answer = self._client().test_event_pattern(EventPattern=rule["EventPattern"], Event=event)
        if "Result" not in answer:
            raise CheckSkippedError(f"not checked: EventBridge does not tell what the rule {rule['Name']} matches")
        return bool(answer["Result"])


def _publishing() -> None:
    raise CheckSkippedError("not checked: EventBridge tells that right to nobody who does not use it; `emit` uses it")


def _event(arn: str, source: str) -> dict[str, object]:
    """Return an event of ours as it is on the bus whose rule has the *arn*."""
    region, account = arn.split(":")[3:5]
    return {
        "version": "0",
        "id": "doctor",
        "account": account,
        "region": region,
        "time": format_time(datetime.now(UTC).replace(microsecond=0)),
        "resources": [],
        "source": source,
        "detail-type": DETAIL_TYPE,
        "detail": {"schema": 1, "model_id": "doctor", "trigger_id": "doctor"},
    }


def _pages(call: Callable[..., Mapping[str, Any]], name: str, asked: Mapping[str, object]) -> Iterator[Any]:
    token: dict[str, object] = {}
    while True:
        page = call(**asked, **token)
        yield from page[name]
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}
