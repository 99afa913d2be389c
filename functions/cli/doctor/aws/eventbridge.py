"""What an event bus of EventBridge does with our events; it drops in silence what no rule asks for."""

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

_DROPPED: Final = "events are dropped in silence"
_DETAIL: Final = {"schema": 1, "model_id": "doctor", "trigger_id": "doctor"}


class Rules:
    """The rules for our events.

    Args:
        rules: those of the bus.
        source: the source of our events.

    """

    def __init__(self, rules: EventRules, source: str) -> None:
        """Ask nothing yet."""
        self._rules = rules
        self._source = source
        # Three checks look at the same rules.
        self._matching = cache(self._look)

    def checks(self) -> list[Check]:
        """Return the checks of the rules."""
        return [
            Check(name="publishing", about="triggers can be put on the event bus", run=_publishing),
            Check(name="rule", about="a rule of the event bus asks for our events, and is enabled", run=self._rule),
            Check(name="rule's target", about="what the rule catches goes to a function", run=self._target),
            Check(name="rule's dead letters", about="what cannot be delivered is kept in a queue", run=self._letters),
        ]

    def _rule(self) -> None:
        matching = self._matching()
        if not matching:
            kind = f"source {self._source}, detail-type {DETAIL_TYPE}"
            raise CheckFailedError(
                f"no rule of the event bus {self._rules.bus} matches our events ({kind}), so {_DROPPED}: deploy the"
                " stack, or make a rule with the prefixes of both in its pattern"
            )
        if not self._enabled():
            raise CheckFailedError(f"the rule {names_of(matching)} is disabled, so {_DROPPED}: enable it")
        self._not_only_copies()

    def _target(self) -> None:
        enabled = self._needed()
        self._not_only_copies()
        if not any(self._rules.targets(rule, FUNCTION) for rule in enabled):
            raise CheckFailedError(
                f"the rule {names_of(enabled)} has no function as target, so {_DROPPED}: add the function `receive`"
            )

    def _letters(self) -> None:
        for rule in self._needed():
            for target in self._rules.targets(rule, FUNCTION, QUEUE):
                if not target.get("DeadLetterConfig", {}).get("Arn"):
                    raise CheckFailedError(
                        f"the target {target['Id']} of the rule {rule['Name']} has no dead-letter queue, so what cannot"
                        " be delivered is dropped after 24 hours at the latest: set its DeadLetterConfig"
                    )

    def _not_only_copies(self) -> None:
        """Skip where our events go to queues alone: that may be `receive`'s, or copies for somebody else."""
        enabled = self._enabled()
        queues = [rule for rule in enabled if self._rules.targets(rule, QUEUE)]
        if queues and not any(self._rules.targets(rule, FUNCTION) for rule in enabled):
            raise only_queues(queues)

    def _needed(self) -> list[Rule]:
        if not self._enabled():
            raise CheckSkippedError("not checked: there is no rule for our events")
        return self._enabled()

    def _enabled(self) -> list[Rule]:
        return [rule for rule in self._matching() if is_enabled(rule)]

    def _look(self) -> list[Rule]:
        return list(self._rules.matching(Sample(source=self._source, kind=DETAIL_TYPE, detail=_DETAIL)))


def _publishing() -> None:
    raise CheckSkippedError("not checked: EventBridge tells that right to nobody who does not use it; `emit` uses it")
