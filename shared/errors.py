"""All errors: one class for each reaction that a caller can have.

RetrainError
├── PermanentError                a retry cannot succeed: dead letter, or 4xx
│   ├── UnreadableEventError      not an event at all (not JSON, not an object)
│   ├── InvalidTriggerError       a field is invalid; names the field
│   ├── UnknownModelError         no such model in the configuration, or not on this cloud
│   ├── TargetRefusedError        the training service refuses the request permanently
│   └── ConflictError             the request does not fit the model's state: 409
├── ConfigError                   the configuration or the environment is invalid; lists every problem
├── BusError                      triggers did not reach the bus; names which ones and why
└── TransientError                the same call may succeed later: do not acknowledge the event
    ├── UnavailableError          a service throttles, fails or does not respond
    ├── LaunchInProgressError     another process is handing this trigger over at the moment
    ├── ContentionError           too many writers for one model's state
    └── DamagedStateError         the document of one model cannot be read; names the model
"""

from collections.abc import Sequence
from typing import ClassVar, Final

_LONGEST_LINE: Final = 300


class RetrainError(Exception):
    """The base class of all errors of this project.

    Attributes:
        retryable: whether the same event may succeed when it is delivered again.

    """

    retryable: ClassVar[bool] = False


class PermanentError(RetrainError):
    """The event can never succeed unchanged; it becomes a dead letter."""


class UnreadableEventError(PermanentError):
    """The input cannot be read as an event."""


class InvalidTriggerError(PermanentError):
    """One field of a trigger is missing or invalid.

    Attributes:
        field: the name of the field in the event.
        problem: the problem, including the value.

    """

    def __init__(self, field: str, problem: str) -> None:
        """Describe the *problem* with *field*."""
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class UnknownModelError(PermanentError):
    """The configuration has no such model, or no target for it on this cloud."""


class TargetRefusedError(PermanentError):
    """The training service refuses to run this request, now and later."""


class ConflictError(PermanentError):
    """The request names a trigger that is not, or no longer, in the required state."""


class ConfigError(RetrainError):
    """The configuration or the environment is invalid.

    Attributes:
        source: the name of the file or other input.
        problems: all problems, each with its place.

    """

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        """List all *problems* found in *source*."""
        self.source = source
        self.problems = tuple(problems)
        count = f"{len(self.problems)} problems" if len(self.problems) > 1 else "1 problem"
        super().__init__("\n  ".join([f"{source}: {count}", *self.problems]))


class BusError(RetrainError):
    """Some triggers did not reach the event bus.

    Attributes:
        failures: trigger id -> the reason, for each trigger that was not accepted.

    """

    def __init__(self, bus: str, failures: dict[str, str]) -> None:
        """Name the *bus* and each trigger that it did not accept, with the reason."""
        self.failures = failures
        listed = "; ".join(f"{trigger_id}: {why}" for trigger_id, why in list(failures.items())[:10])
        more = f"; and {len(failures) - 10} more" if len(failures) > 10 else ""  # noqa: PLR2004 - a readable message
        super().__init__(f"{bus} did not accept {len(failures)} trigger(s): {listed}{more}")


class TransientError(RetrainError):
    """The event is valid but cannot be handled now: it must be delivered again."""

    retryable: ClassVar[bool] = True


class UnavailableError(TransientError):
    """A service throttles, fails or does not respond; whether the call had an effect is unknown."""

    def __init__(self, service: str, action: str, detail: str = "") -> None:
        """Name the *service*, the *action* that failed and, in *detail*, the response."""
        super().__init__(f"{service} could not {action}{f': {detail}' if detail else ''}; try again")


class LaunchInProgressError(TransientError):
    """Another process is handing this trigger over to a target without idempotency tokens."""


class DamagedStateError(TransientError):
    """The document of one model cannot be read; once it is repaired, the same call succeeds.

    Attributes:
        model_id: the model.

    """

    def __init__(self, model_id: str, why: str) -> None:
        """Name the model and the reason (*why*) that its document cannot be read."""
        super().__init__(
            f"the ledger's document of model {model_id!r} cannot be read: {why}; restore or delete that document"
        )
        self.model_id = model_id


class ContentionError(TransientError):
    """Other writers changed the state of a model too many times in a row during one call."""


def first_line(text: object) -> str:
    """Return the first line of what a service says, cut to fit into a message; empty for nothing.

    Some services repeat a signed request from the second line on.
    """
    return str(text or "").strip().partition("\n")[0].strip()[:_LONGEST_LINE]
