"""What is still to be done after a training, or to be asked: kept in the model's state until all of it is done."""

from datetime import datetime
from typing import Final

from shared.frozen import dataclass

# With the longest actions that a configuration may have, so many entries leave room for the rest of the state.
MAX_PENDING: Final = 10
# The pauses double from one minute on: the tenth attempt comes after eight and a half hours, the end after seventeen.
MAX_ATTEMPTS: Final = 10
MAX_REASON: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The end of a training, and what is left to do after it; or a trigger that waits, and who is still to be asked.

    Attributes:
        run_id: how the service calls the run; empty where a trigger waits for a person.
        trigger_id: why it ran, or what waits.
        token: the idempotency token of the training.
        result: how it ended; empty where it has not begun.
        ended_at: when it ended, or since when it waits.
        actions: what is left: `github:OWNER/NAME#EVENT_TYPE`, or `notify:` and the label of a channel.
        holder: who does it: an id that is made anew for each claim.
        claimed_at: since when.
        attempts: how often it was claimed.
        url: where to look at the run.
        reason: why the training was asked for, the beginning of it.
        origin: the trigger's.
        severity: the trigger's.
        requested_by: who asked, the beginning of it.

    """

    run_id: str
    trigger_id: str
    token: str
    result: str
    ended_at: datetime
    actions: tuple[str, ...]
    holder: str
    claimed_at: datetime
    attempts: int = 1
    url: str | None = None
    reason: str = ""
    origin: str = ""
    severity: str | None = None
    requested_by: str | None = None

    @property
    def is_question(self) -> bool:
        """Whether people are to be asked about a trigger that waits for them."""
        return not self.run_id

    @property
    def key(self) -> tuple[str, str]:
        """What tells one entry of a model from another."""
        return self.run_id, self.trigger_id
