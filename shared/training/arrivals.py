"""Handles triggers that arrive for one model together, with one load and one save of its state."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from shared.decision import transitions
from shared.decision.policy import Verdict, decide
from shared.decision.state import Decided, ModelState, decided_about
from shared.decision.terms import Rules
from shared.errors import RetrainError, TargetRefusedError
from shared.frozen import dataclass
from shared.ledger import snapshots
from shared.ledger.snapshots import Snapshot
from shared.training.catch_up import advance, catch_up, is_left_undone
from shared.training.follow_up import resume_follow_ups
from shared.training.parts import ReceiverParts
from shared.training.transition import finish, transition
from shared.trigger import RetrainTrigger

DUPLICATE = Verdict(decision="skip", reason="duplicate", detail="this trigger was decided before")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A trigger that arrived.

    Attributes:
        trigger: the admitted trigger.
        event: its event, which becomes a dead letter if the training service refuses to train.

    """

    trigger: RetrainTrigger
    event: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of an event.

    Attributes:
        decision: `launch`, `queue`, `wait`, `skip`, `reject` or `ignore`; `ended` for the end of a training; `swept`
            for a request to check a model.
        reason: the reason code.
        detail: the reason for people.
        model_id: the model; empty if it is not known.
        trigger_id: the trigger; empty if there is none.

    """

    decision: str
    reason: str
    detail: str = ""
    model_id: str = ""
    trigger_id: str = ""


class _LeftUndoneError(Exception):
    """The state has unfinished work that comes before the decision on a new trigger."""


def decide_arrivals(receiver: ReceiverParts, arrivals: Sequence[Arrival]) -> list[Outcome | RetrainError]:
    """Decide on the *arrivals* of one model in their order, and carry out the decisions.

    Returns:
        The outcome of each arrival, or its error: a `TargetRefusedError` if the service refuses to train and the
        platform must dead-letter the event; a `TransientError` if the event must be delivered again. If a start fails
        with one, all new arrivals get it; the decided ones are cheap duplicates when they are delivered again.

    """
    results: dict[int, Outcome | RetrainError] = {}
    model_id = arrivals[0].trigger.model_id
    try:
        for _ in range(receiver.contention.attempts):
            left = {place: arrival for place, arrival in enumerate(arrivals) if place not in results}
            if not left:
                break
            results |= _decide_once(receiver, model_id, left)
        if len(results) < len(arrivals):
            raise snapshots.contention(receiver, model_id)
    except RetrainError as error:
        results |= {place: error for place in range(len(arrivals)) if place not in results}
    return [results[place] for place in range(len(arrivals))]


def _decide_once(
    receiver: ReceiverParts, model_id: str, arrivals: dict[int, Arrival]
) -> dict[int, Outcome | RetrainError]:
    """Decide on as many *arrivals* as the state of the model allows now."""
    snapshot = snapshots.load(receiver.ledger, model_id)
    repeats = {place: one for place, one in arrivals.items() if snapshot.state.has_seen(one.trigger.trigger_id)}
    fresh = {place: one for place, one in arrivals.items() if place not in repeats}
    results: dict[int, Outcome | RetrainError] = {}
    for place, arrival in repeats.items():
        try:
            results[place] = _repeat(receiver, arrival, snapshot)
        except RetrainError as error:
            results[place] = error
    if not fresh:
        resume_follow_ups(receiver, model_id, snapshot.state)
    elif not repeats and not catch_up(receiver, model_id, snapshot):
        try:
            results |= _decide(receiver, model_id, snapshot, fresh)
        except _LeftUndoneError:
            return results
        resume_follow_ups(receiver, model_id, snapshot.state)
    return results


def _decide(
    receiver: ReceiverParts, model_id: str, snapshot: Snapshot, arrivals: dict[int, Arrival]
) -> dict[int, Outcome | RetrainError]:
    """Decide on new triggers, each on the state that results from the previous one.

    Raises:
        _LeftUndoneError: another writer was faster, and the new state has unfinished work.

    """
    model = receiver.config.find(model_id)
    rules = Rules(model=model, target=model.target(receiver.cloud))
    verdicts: dict[int, Verdict] = {}

    def step(state: ModelState, now: datetime, holder: str) -> ModelState:
        if state.training is not None and state.training.holder == holder:
            return state  # The claim of this call, which was saved although the response was lost.
        if state is not snapshot.state and (
            any(state.has_seen(one.trigger.trigger_id) for one in arrivals.values())
            or is_left_undone(receiver, model_id, state)
        ):
            raise _LeftUndoneError
        verdicts.clear()
        for place, arrival in arrivals.items():
            trigger = arrival.trigger
            if state.has_seen(trigger.trigger_id):
                verdicts[place] = DUPLICATE
                continue
            verdicts[place] = decide(state, trigger, rules.policy, now)
            state = transitions.decided(state, trigger, verdicts[place], rules, now=now, holder=holder)
        return state

    events = {one.trigger.trigger_id: one.event for one in reversed(arrivals.values())}
    done = transition(receiver, model_id, step, snapshot, events=events)
    return {
        place: _outcome_of(receiver, arrival.trigger, verdicts[place], done.refusals.get(arrival.trigger.trigger_id))
        for place, arrival in arrivals.items()
    }


def _repeat(receiver: ReceiverParts, arrival: Arrival, snapshot: Snapshot) -> Outcome | RetrainError:
    """Finish the launch of a trigger that was decided before, if it is unfinished."""
    trigger = arrival.trigger
    if not _is_claimed_for(trigger, snapshot.state) and advance(receiver, trigger.model_id, snapshot):
        snapshot = snapshots.load(receiver.ledger, trigger.model_id)
    if not _is_claimed_for(trigger, snapshot.state):
        return _report(receiver, trigger, DUPLICATE)
    refusals = finish(receiver, trigger.model_id, snapshot, events={trigger.trigger_id: arrival.event})
    verdict = Verdict(decision="launch", reason="launched", detail="finished a launch that was under way")
    return _outcome_of(receiver, trigger, verdict, refusals.get(trigger.trigger_id))


def _is_claimed_for(trigger: RetrainTrigger, state: ModelState) -> bool:
    training = state.training
    return training is not None and training.run_id is None and training.trigger.trigger_id == trigger.trigger_id


def _outcome_of(
    receiver: ReceiverParts, trigger: RetrainTrigger, verdict: Verdict, refusal: TargetRefusedError | None
) -> Outcome | RetrainError:
    if refusal is not None:
        if receiver.dead_letters is None:
            return refusal
        verdict = Verdict(decision="reject", reason="rejected", detail=str(refusal))
    return Outcome(model_id=trigger.model_id, trigger_id=trigger.trigger_id, **dataclasses.asdict(verdict))


def _report(receiver: ReceiverParts, trigger: RetrainTrigger, verdict: Verdict) -> Outcome:
    line = decided_about(trigger, at=receiver.clock(), **dataclasses.asdict(verdict))
    return report(receiver, trigger.model_id, line)


def report(receiver: ReceiverParts, model_id: str, decided: Decided) -> Outcome:
    """Log and count a decision that is not in the history of a model, and return it as an outcome."""
    snapshots.report(receiver, model_id, decided)
    return Outcome(
        model_id=model_id,
        trigger_id=decided.trigger_id,
        decision=decided.decision,
        reason=decided.reason,
        detail=decided.detail,
    )
