"""Checks that the event bus delivers triggers: EventBridge silently drops events that no rule matches."""

from functools import cache
from typing import Final

from functions.cli.doctor.aws.event_rules import (
    FUNCTION,
    QUEUE,
    EventRules,
    Rule,
    Sample,
    is_enabled,
    names_of,
    only_queues,
)
from functions.cli.doctor.check import Check, CheckFailedError, CheckSkippedError
from shared.wire.eventbridge import DETAIL_TYPE

_DROPPED: Final = "events are silently dropped"
_DETAIL: Final = {"schema": 1, "model_id": "doctor", "trigger_id": "doctor"}


class Rules:
    """The rules that match triggers.

    Args:
        rules: the rules of the bus.
        source: the source of emitted events.

    """

    def __init__(self, rules: EventRules, source: str) -> None:
        """Make no call yet."""
        self._rules = rules
        self._source = source
        # Three checks use the same rules.
        self._matching = cache(self._look)

    def checks(self) -> list[Check]:
        """Return the checks of the rules."""
        return [
            Check(name="publishing", about="triggers can be published", run=_publishing),
            Check(name="rule", about="an enabled rule of the event bus matches triggers", run=self._rule),
            Check(name="rule's target", about="the rule delivers to a function", run=self._target),
            Check(
                name="rule's dead letters",
                about="events that cannot be delivered are kept in a queue",
                run=self._dead_letters,
            ),
        ]

    def _rule(self) -> None:
        matching = self._matching()
        if not matching:
            kind = f"source {self._source}, detail-type {DETAIL_TYPE}"
            raise CheckFailedError(
                f"no rule of the event bus {self._rules.bus} matches triggers ({kind}), so {_DROPPED}; deploy the"
                " stack, or create a rule whose pattern has the prefixes of both"
            )
        if not self._enabled():
            raise CheckFailedError(f"the rule {names_of(matching)} is disabled, so {_DROPPED}; enable it")
        self._not_only_copies()

    def _target(self) -> None:
        enabled = self._needed()
        self._not_only_copies()
        if not any(self._rules.targets(rule, FUNCTION) for rule in enabled):
            raise CheckFailedError(
                f"the rule {names_of(enabled)} has no function as target, so {_DROPPED}; add the function `receive`"
            )

    def _dead_letters(self) -> None:
        for rule in self._needed():
            for target in self._rules.targets(rule, FUNCTION, QUEUE):
                if not target.get("DeadLetterConfig", {}).get("Arn"):
                    raise CheckFailedError(
                        f"the target {target['Id']} of the rule {rule['Name']} has no dead-letter queue, so events"
                        " that cannot be delivered are dropped after at most 24 hours; set its DeadLetterConfig"
                    )

    def _not_only_copies(self) -> None:
        """Skip the check if triggers go to queues only: these may feed `receive`, or another consumer."""
        enabled = self._enabled()
        queues = [rule for rule in enabled if self._rules.targets(rule, QUEUE)]
        if queues and not any(self._rules.targets(rule, FUNCTION) for rule in enabled):
            raise only_queues(queues)

    def _needed(self) -> list[Rule]:
        if not self._enabled():
            raise CheckSkippedError("not checked: no enabled rule matches triggers")
        return self._enabled()

    def _enabled(self) -> list[Rule]:
        return [rule for rule in self._matching() if is_enabled(rule)]

    def _look(self) -> list[Rule]:
        return list(self._rules.matching(Sample(source=self._source, kind=DETAIL_TYPE, detail=_DETAIL)))


def _publishing() -> None:
    raise CheckSkippedError("not checked: this permission cannot be checked without publishing an event")
