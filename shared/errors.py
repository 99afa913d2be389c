"""Every way to fail, one class per reaction.

RetrainError
├── PermanentError                trying again changes nothing: dead letter, or 4xx
│   ├── UnreadableEventError      not an event at all (no JSON, no object)
│   ├── InvalidTriggerError       a field is wrong; names the field
│   ├── UnknownModelError         no such model in the configuration, or not on this cloud
│   ├── TargetRefusedError        the training service refuses the request permanently
│   └── ConflictError             the request does not fit the model's state: 409
├── ConfigError                   the configuration or the environment is wrong; lists every problem
├── BusError                      triggers did not reach the bus; names which ones and why
└── TransientError                the same call may succeed later: do not acknowledge, deliver again
    ├── UnavailableError          a service throttles, fails or does not answer
    ├── LaunchInProgressError     another process is handing this very trigger over right now
    ├── ContentionError           too many writers for one model's state
    └── DamagedStateError         the document of one model cannot be read; names the model
"""

from collections.abc import Sequence
from typing import ClassVar


class RetrainError(Exception):
    """The base of every error this package raises.

    Attributes:
        retryable: whether delivering the same event again may help.

    """

    retryable: ClassVar[bool] = False


class PermanentError(RetrainError):
    """The event can never succeed as it is: it belongs to the dead letters."""


class UnreadableEventError(PermanentError):
    """What arrived is not readable as an event."""


class InvalidTriggerError(PermanentError):
    """One field of a trigger is wrong.

    Attributes:
        field: the name of the field, as it stands on the wire.
        problem: what is wrong with it, with the value.

    """

    def __init__(self, field: str, problem: str) -> None:
        """Name the *field* and the *problem*."""
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class UnknownModelError(PermanentError):
    """The configuration has no such model, or no target for it on this cloud."""


class TargetRefusedError(PermanentError):
    """The training service answered that it will not run this request, now or later."""


class ConflictError(PermanentError):
    """The request names a trigger that is not, or no longer, in the state that the request needs."""


class ConfigError(RetrainError):
    """The configuration or the environment is wrong.

    Attributes:
        source: the file, or what else was read.
        problems: every problem found, each with its place.

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
        failures: trigger id -> why, for those that did not arrive.

    """

    def __init__(self, bus: str, failures: dict[str, str]) -> None:
        """Name the *bus* and each trigger that it did not take."""
        self.failures = failures
        listed = "; ".join(f"{trigger_id}: {why}" for trigger_id, why in list(failures.items())[:10])
        more = f"; and {len(failures) - 10} more" if len(failures) > 10 else ""  # noqa: PLR2004 - a readable message
        super().__init__(f"{bus} did not take {len(failures)} trigger(s): {listed}{more}")


class TransientError(RetrainError):
    """Nothing is wrong with the event: it must be delivered again."""

    retryable: ClassVar[bool] = True


class UnavailableError(TransientError):
    """A service throttles, fails or does not answer; whether it did the work is unknown."""

    def __init__(self, service: str, action: str, detail: str = "") -> None:
        """Name the *service*, the *action* tried and what it answered."""
        super().__init__(f"{service} could not {action}{f': {detail}' if detail else ''}; try again")


class LaunchInProgressError(TransientError):
    """A target that knows no idempotency token is being handed this trigger by somebody else."""


class DamagedStateError(TransientError):
    """The document of one model cannot be read; once it is repaired, the same call succeeds.

    Attributes:
        model_id: the model.

    """

    def __init__(self, model_id: str, why: str) -> None:
        """Name the model and *why* its document cannot be read."""
        super().__init__(
            f"the ledger's document of model {model_id!r} cannot be read: {why}; restore or delete that document"
        )
        self.model_id = model_id


class ContentionError(TransientError):
    """The state of a model changed under us too often in a row."""
