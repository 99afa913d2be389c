"""The state of one model in the ledger, a value of bounded size."""

import dataclasses
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Final

from shared.decision.reasons import Decision, Reason, Result
from shared.decision.record import MAX_TEXT_BYTES, TriggerRecord, links, name_of, record_of
from shared.decision.seen import SeenIds
from shared.decision.terms import Terms
from shared.fields import Parameter
from shared.frozen import dataclass
from shared.json_text import cut_utf8
from shared.trigger import RetrainTrigger

# The API promises the last 20 decisions or more. `shared.ledger.bounds` shortens the oldest entries of long histories.
MAX_DECISIONS: Final = 40
MAX_RUNS: Final = 20
MAX_REJECTED: Final = 20
MAX_PENDING: Final = 10
# The pauses double from one minute: the tenth attempt is after eight and a half hours, giving up after seventeen.
MAX_ATTEMPTS: Final = 10
MAX_REASON: Final = 100
MAX_DETAIL: Final = 500
# Limits texts in scripts with more than two bytes per character.
MAX_DETAIL_BYTES: Final = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """The pending follow-ups of a training that has ended, or the pending approval requests for a waiting trigger.

    Attributes:
        run_id: the service's id of the run; empty for an approval request.
        trigger_id: the trigger of the training, or the waiting trigger.
        token: the idempotency token of the training.
        result: how the training ended; empty for an approval request.
        ended_at: when the training ended, or since when the trigger waits.
        actions: the actions to do: `github:OWNER/NAME#EVENT_TYPE`, or `notify:` and the label of a channel.
        holder: the id of the claim on the actions, new for each claim.
        claimed_at: when they were last claimed.
        attempts: how often they were claimed.
        url: the page of the run for people.
        reason: the beginning of the trigger's reason.
        origin: that of the trigger.
        severity: that of the trigger.
        requested_by: the beginning of the name of the person or system that sent the request.

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
    def is_approval_request(self) -> bool:
        """Whether this requests an approval, instead of following up on a training."""
        return not self.run_id

    @property
    def key(self) -> tuple[str, str]:
        """Identifies the entry within the state of a model."""
        return self.run_id, self.trigger_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """The training that runs, or that a process has claimed and is about to start.

    Attributes:
        trigger: the trigger of the training.
        claimed_at: when it was last claimed.
        first_claimed_at: when it was first claimed.
        holder: the id of the claim, new for each claim.
        run_id: the service's id of the run; None until the start is confirmed.
        url: the page of the run for people.
        started_at: when the start was confirmed.
        checked_at: when its status was last requested from the service.
        terms: the terms of the claim; None if it was written by a version without terms.
        attempt: the number of the attempt: 1, or more for a retry.
        base: the trigger of the first attempt; empty if this is the first one.
        failure: the failure of the attempt before, which is reported if the service refuses this one.
        cancelled_by: the person who cancelled it.
        cancelled_at: when it was cancelled.
        stopped_at: when the service last accepted the request to stop it.

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
    attempt: int = 1
    base: str = ""
    failure: Pending | None = None
    cancelled_by: str | None = None
    cancelled_at: datetime | None = None
    stopped_at: datetime | None = None

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters of the pipeline, as far as they are known: a version without terms stored no defaults."""
        return self.terms.parameters if self.terms else self.trigger.parameters

    @property
    def record(self) -> TriggerRecord:
        """The trigger, with the parameters that the training gets, as the history stores it."""
        return record_of(self.trigger, self.parameters)

    @property
    def first_id(self) -> str:
        """The trigger of the first attempt."""
        return self.base or self.trigger.trigger_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A trigger that waits: for the running training to end, for an approval, or for the time of a retry.

    Attributes:
        trigger: the trigger.
        since: since when it waits.
        approved_by: the person who approved it, or who requested the retry; it starts as soon as nothing holds it back.
        approved_at: when it was approved.
        attempt: the number of the attempt: 1, or more for a retry.
        base: the trigger of the first attempt; empty if this is the first one.
        retry_at: a retry starts no earlier. If the trigger took the place of a retry, the time of that one: from then
            on the cooldown does not hold it.
        failure: the failure of the attempt before, which is reported if this retry does not start.

    """

    trigger: RetrainTrigger
    since: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    attempt: int = 1
    base: str = ""
    retry_at: datetime | None = None
    failure: Pending | None = None

    @property
    def first_id(self) -> str:
        """The trigger of the first attempt."""
        return self.base or self.trigger.trigger_id

    @property
    def is_retry(self) -> bool:
        """Whether this is a further attempt of a training."""
        return self.attempt > 1

    def outranks(self, trigger: RetrainTrigger) -> bool:
        """Return whether this trigger is forced or released, and *trigger*, not forced, may not replace it.

        A retry that was not requested by a person counts as neither forced nor released.
        """
        return bool(self.approved_by or (self.trigger.force and not self.is_retry)) and not trigger.force


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """A pause of a model: nothing new is claimed.

    Attributes:
        since: since when it is paused.
        by: the person who paused it.
        until: when it ends by itself; None if a person must end it.
        reason: the reason given.

    """

    since: datetime
    by: str
    until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One decision in the history of a model.

    Attributes:
        at: when it was decided.
        trigger_id: the trigger; empty if there is none.
        decision: `launch`, `queue`, `wait`, `skip`, `reject`, `ignore` or `steer`.
        reason: the reason code.
        detail: the reason for people.
        origin: that of the trigger; empty if it is unknown (an event that could not be read, an older version).
        why: the reason that the trigger gives.
        requested_by: the person or system that sent the request, or that steered the model.
        evidence: the first http(s) addresses in the evidence of the trigger.
        about: the trigger, for the log line; not stored.

    """

    at: datetime
    trigger_id: str
    decision: Decision
    reason: Reason
    detail: str = ""
    origin: str = ""
    why: str = ""
    requested_by: str | None = None
    evidence: tuple[str, ...] = ()
    about: TriggerRecord | None = field(default=None, compare=False)


def decided_about(
    trigger: RetrainTrigger,
    *,
    at: datetime,
    decision: Decision,
    reason: Reason,
    detail: str = "",
    about: TriggerRecord | None = None,
) -> Decided:
    """Return a decision about *trigger* for the history; *about* is its record if the caller has it."""
    return Decided(
        at=at,
        trigger_id=trigger.trigger_id,
        decision=decision,
        reason=reason,
        detail=cut_utf8(detail[:MAX_DETAIL], MAX_DETAIL_BYTES),
        origin=trigger.origin,
        why=cut_utf8(trigger.reason, MAX_TEXT_BYTES),
        requested_by=name_of(trigger),
        evidence=links(trigger.evidence),
        about=about or record_of(trigger),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One training in the history of a model.

    Attributes:
        run_id: the service's id of the run.
        trigger_id: its trigger.
        started_at: when the start was confirmed.
        ended_at: when it ended; None while it runs.
        result: how it ended; None while it runs.
        url: the page of the run for people.
        attempt: the number of the attempt: 1, or more for a retry.
        base: the trigger of the first attempt; empty if this is the first one.
        error: what the service says about the failure, one line.
        trigger: its trigger, with the parameters that the training got; None if an older version wrote the entry.

    """

    run_id: str
    trigger_id: str
    started_at: datetime
    ended_at: datetime | None = None
    result: Result | None = None
    url: str | None = None
    attempt: int = 1
    base: str = ""
    error: str = ""
    trigger: TriggerRecord | None = None

    @property
    def first_id(self) -> str:
        """The trigger of the first attempt."""
        return self.base or self.trigger_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelState:
    """Everything the ledger stores about one model; histories are newest first.

    Attributes:
        training: the training that runs or is claimed.
        last_start: when the last training started; the cooldown counts from here.
        last_good_start: when the last training started that ended and neither failed nor was stopped; the cooldown
            counts from here with `cooldown_after = "success"`.
        last_success: when a training last succeeded or was handed over.
        starts: when the last trainings started, for `max_trainings`; newest first.
        first_seen: when the sweep first saw the model, if it has `max_age`.
        stale_notice: when people were last notified that its last success is too old.
        paused: the pause of the model.
        queued: the trigger that starts when nothing holds it back.
        retry: the retry that starts when its time has come; it shares the one kept place with `queued`.
        waiting: the trigger that waits for an approval.
        streak: when the drift triggers arrived that count towards `consecutive`.
        seen: the decided trigger ids.
        decisions: the last decisions.
        runs: the last trainings.
        rejected: the last rejected events of this model.
        pending: the pending follow-ups and approval requests, oldest first.

    """

    training: Training | None = None
    last_start: datetime | None = None
    last_good_start: datetime | None = None
    last_success: datetime | None = None
    starts: tuple[datetime, ...] = ()
    first_seen: datetime | None = None
    stale_notice: datetime | None = None
    paused: Paused | None = None
    queued: Parked | None = None
    retry: Parked | None = None
    waiting: Parked | None = None
    streak: tuple[datetime, ...] = ()
    seen: SeenIds = SeenIds()
    decisions: tuple[Decided, ...] = ()
    runs: tuple[PastRun, ...] = ()
    rejected: tuple[Decided, ...] = ()
    pending: tuple[Pending, ...] = ()

    @property
    def kept(self) -> Parked | None:
        """The trigger in the one kept place."""
        return self.queued or self.retry

    def has_seen(self, trigger_id: str) -> bool:
        """Return whether *trigger_id* was decided before."""
        return self.seen.has(trigger_id)

    def noted(self, decided: Decided) -> "ModelState":
        """Return the state with *decided* added to the history."""
        return dataclasses.replace(self, decisions=(decided, *self.decisions)[:MAX_DECISIONS])

    def remembering(self, trigger_id: str, *, launched: bool) -> "ModelState":
        """Return the state with *trigger_id* marked as decided."""
        seen = self.seen.with_launch(trigger_id) if launched else self.seen.with_other(trigger_id)
        return dataclasses.replace(self, seen=seen)

    def forgetting(self, trigger_id: str) -> "ModelState":
        """Return the state without the mark on *trigger_id*, so that it is decided again if it is resent."""
        return dataclasses.replace(self, seen=self.seen.without(trigger_id))
