"""What the ledger knows of one model: a small value of bounded size."""

import dataclasses
from datetime import datetime
from typing import Final

from shared.decision.reasons import Decision, Reason, Result
from shared.decision.seen import SeenIds
from shared.decision.terms import Terms
from shared.frozen import dataclass
from shared.trigger import RetrainTrigger

# The contract shows the last 20 or more; with these the largest state fits into the smallest item of a ledger.
MAX_DECISIONS: Final = 40
MAX_RUNS: Final = 40
MAX_REJECTED: Final = 20
# With the longest actions that a configuration may have, so many entries leave room for the rest of the state.
MAX_PENDING: Final = 10
# The pauses double from one minute on: the tenth attempt comes after eight and a half hours, the end after seventeen.
MAX_ATTEMPTS: Final = 10
MAX_REASON: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """The training that runs, or that somebody claimed and is about to start.

    Attributes:
        trigger: why it runs.
        claimed_at: when it was claimed, or claimed again.
        first_claimed_at: when it was claimed first.
        holder: who claimed it: an id that is made anew for each claim.
        run_id: how the service calls the run; none until the start is confirmed.
        url: where to look at it.
        started_at: when the start was confirmed.
        checked_at: when its status was last requested from the service.
        terms: what it was claimed with; none in a state that a version before this one wrote.

    """

    trigger: RetrainTrigger
    claimed_at: datetime
    first_claimed_at: datetime
    holder: str
    run_id: str | None = None
    url: str | None = None
    started_at: datetime | None = None
    checked_at: datetime | None = None
    terms: Terms | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A trigger that waits: for a running training to end, or for a person.

    Attributes:
        trigger: what waits.
        since: since when.
        approved_by: who released it; it starts as soon as somebody who can start it sees this.
        approved_at: when that was.

    """

    trigger: RetrainTrigger
    since: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None

    def outranks(self, trigger: RetrainTrigger) -> bool:
        """Whether a plain *trigger* that arrives may not take this one's place: this one is forced or was released."""
        return (self.trigger.force or bool(self.approved_by)) and not trigger.force


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One line of a model's history.

    Attributes:
        at: when it was decided.
        trigger_id: what about.
        decision: `launch`, `queue`, `wait`, `skip`, `reject` or `ignore`.
        reason: the reason code.
        detail: the same for people.

    """

    at: datetime
    trigger_id: str
    decision: Decision
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One training that was started.

    Attributes:
        run_id: how the service calls it.
        trigger_id: why it ran.
        started_at: when the start was confirmed.
        ended_at: when it ended; none while it runs.
        result: how; none while it runs.
        url: where to look at it.

    """

    run_id: str
    trigger_id: str
    started_at: datetime
    ended_at: datetime | None = None
    result: Result | None = None
    url: str | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelState:
    """Everything the ledger knows of one model; histories are newest first.

    Attributes:
        training: what runs or is claimed.
        last_start: when the last training started; the cooldown counts from here.
        queued: what starts when the running training ends.
        waiting: what waits for a person.
        streak: when the drift triggers came that count towards `consecutive`.
        seen: the ids that were decided.
        decisions: the last decisions.
        runs: the last trainings.
        rejected: the last rejected events of this model.
        pending: what is still to be done after trainings, oldest first.

    """

    training: Training | None = None
    last_start: datetime | None = None
    queued: Parked | None = None
    waiting: Parked | None = None
    streak: tuple[datetime, ...] = ()
    seen: SeenIds = SeenIds()
    decisions: tuple[Decided, ...] = ()
    runs: tuple[PastRun, ...] = ()
    rejected: tuple[Decided, ...] = ()
    pending: tuple[Pending, ...] = ()

    def has_seen(self, trigger_id: str) -> bool:
        """Whether *trigger_id* was decided before."""
        return self.seen.has(trigger_id)

    def noted(self, decided: Decided) -> "ModelState":
        """Return the state with one more line of history."""
        return dataclasses.replace(self, decisions=(decided, *self.decisions)[:MAX_DECISIONS])

    def remembering(self, trigger_id: str, now: datetime, *, launched: bool) -> "ModelState":
        """Return the state that knows *trigger_id*."""
        seen = self.seen.with_launch(trigger_id, now) if launched else self.seen.with_other(trigger_id)
        return dataclasses.replace(self, seen=seen)

    def forgetting(self, trigger_id: str) -> "ModelState":
        """Return the state in which *trigger_id* is judged anew."""
        return dataclasses.replace(self, seen=self.seen.without(trigger_id))
