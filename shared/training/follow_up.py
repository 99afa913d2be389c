"""Follow-ups of trainings (notifications and GitHub dispatches), and approval requests.

Actions are recorded together with the end, or the waiting trigger, to which they belong (`Pending`), and removed one by
one. Actions that failed or were interrupted are resumed the next time that the model is loaded. No error is raised to
the caller: a recorded end is acknowledged, and no training waits for the follow-ups of another one.
"""

import dataclasses
import logging
from datetime import datetime, timedelta
from typing import Final

from shared.config.follow_ups import NOTIFY, read_dispatch
from shared.config.model import Model
from shared.config.targets import AzureMlTarget
from shared.decision import pending
from shared.decision.retries import AS_CONFIGURED
from shared.decision.state import MAX_ATTEMPTS, ModelState, Pending
from shared.errors import PermanentError, TargetRefusedError, UnknownModelError
from shared.fields import format_time
from shared.ledger import snapshots
from shared.notice import Notice
from shared.ports import Dispatch, RunResult
from shared.training.channels import channel_label, described
from shared.training.dead_letters import give_up
from shared.training.notices import notice_about, notify_of, with_place
from shared.training.parts import ReceiverParts

SUCCEEDED: Final = RunResult.SUCCEEDED
AWAITING: Final = "awaiting_approval"
# A function has at most 60 s; actions for which there is no time are resumed later.
FOLLOW_UP_TIME_LIMIT: Final = timedelta(seconds=10)

log = logging.getLogger("retrain")


def actions_after(receiver: ReceiverParts, model_id: str, result: str) -> tuple[str, ...]:
    """Return the actions after the end of a training of *model_id*, without duplicates.

    While the model is not configured, the placeholder `AS_CONFIGURED` is returned.
    """
    model = _configured(receiver, model_id)
    if model is None:
        return (AS_CONFIGURED,)
    configured = model.after.succeeded if result == SUCCEEDED else model.after.failed
    events = ("ended",) if result == SUCCEEDED else ("ended", "failed")
    notifies = NOTIFY in configured or any(event in receiver.config.notify_of(model).on for event in events)
    actions = [action for action in configured if action != NOTIFY]
    return tuple(dict.fromkeys((*actions, *(_notices(receiver, model_id) if notifies else ()))))


def request_approval(
    receiver: ReceiverParts, before: ModelState, state: ModelState, *, now: datetime, holder: str
) -> ModelState:
    """Return *state* with an approval request recorded, if a trigger has started to wait since *before*."""
    waiting = state.waiting
    if waiting is None or waiting.approved_by or (before.waiting and before.waiting.trigger == waiting.trigger):
        return state
    model_id = waiting.trigger.model_id
    actions = _notices(receiver, model_id) if AWAITING in notify_of(receiver, model_id).on else ()
    return pending.approval_requested(state, waiting, actions, now=now, holder=holder)


def follow_up(receiver: ReceiverParts, model_id: str, snapshot: snapshots.Snapshot, holder: str) -> None:
    """Carry out the actions that *holder* claimed in *snapshot*, one after the other; nothing is raised.

    Actions that fail, or for which there is no time, are resumed the next time that the model is loaded.
    """
    if _configured(receiver, model_id) is None:
        return
    until = receiver.clock() + FOLLOW_UP_TIME_LIMIT
    claimed = [
        (entry, action) for entry in snapshot.state.pending if entry.holder == holder for action in entry.actions
    ]
    for entry, action in claimed:
        if receiver.clock() > until:
            return
        try:
            snapshot = _act(receiver, model_id, snapshot, entry, action)
        except Exception as error:  # noqa: BLE001 - every failure is retried and blocks nothing
            fields = {"model_id": model_id, "run_id": entry.run_id, "action": action, "attempt": entry.attempts}
            log.warning("retrain.follow_up_failed", extra={**fields, "error": described(error)})


def resume_follow_ups(receiver: ReceiverParts, model_id: str, state: ModelState) -> None:
    """Take over and carry out the unfinished actions in *state*; nothing is raised.

    If there are none, no service is called.
    """
    now = receiver.clock()
    if not any(pending.is_due(entry, now) for entry in state.pending) or _configured(receiver, model_id) is None:
        return
    holder = receiver.new_id()
    try:
        snapshot = snapshots.change(receiver, model_id, lambda state: pending.taken_over(state, now=now, holder=holder))
    except Exception as error:  # noqa: BLE001 - every failure is retried and blocks nothing
        log.warning("retrain.follow_up_failed", extra={"model_id": model_id, "error": described(error)})
        return
    follow_up(receiver, model_id, snapshot, holder)


def make_room(
    receiver: ReceiverParts, model_id: str, snapshot: snapshots.Snapshot, actions: tuple[str, ...]
) -> snapshots.Snapshot:
    """Give up the oldest follow-ups until the state of the model has room for one more entry, with *actions*.

    Raises:
        TransientError: the ledger or the dead letters are unavailable.

    """
    for entry in pending.displaced(snapshot.state, actions):
        for action in entry.actions:
            snapshot = _drop(
                receiver,
                model_id,
                snapshot,
                entry,
                action,
                "too many trainings have pending follow-ups",
            )
    return snapshot


def _act(
    receiver: ReceiverParts, model_id: str, snapshot: snapshots.Snapshot, entry: Pending, action: str
) -> snapshots.Snapshot:
    if pending.is_given_up(entry):
        return _drop(receiver, model_id, snapshot, entry, action, f"no success in {MAX_ATTEMPTS} attempts")
    if action == AS_CONFIGURED:
        actions = actions_after(receiver, model_id, entry.result)
        resolved = snapshots.change(
            receiver, model_id, lambda state: pending.resolved(state, entry, AS_CONFIGURED, actions), snapshot
        )
        for following in actions:
            resolved = _act(receiver, model_id, resolved, dataclasses.replace(entry, actions=actions), following)
        return resolved
    try:
        if action.startswith(f"{NOTIFY}:"):
            if notice := _notice_of(receiver, model_id, snapshot.state, entry):
                _notify(receiver, notice, action)
        else:
            _dispatch(receiver, model_id, entry, action)
    except PermanentError as error:
        return _drop(receiver, model_id, snapshot, entry, action, str(error))
    log.info("retrain.followed_up", extra={"model_id": model_id, "run_id": entry.run_id, "action": action})
    return snapshots.change(receiver, model_id, lambda state: pending.done(state, entry, action), snapshot)


def _drop(
    receiver: ReceiverParts, model_id: str, snapshot: snapshots.Snapshot, entry: Pending, action: str, error: str
) -> snapshots.Snapshot:
    fields = {"model_id": model_id, "run_id": entry.run_id, "action": action}
    log.error("retrain.follow_up_given_up", extra={**fields, "error": error})
    # First the letter, then the record: a crash between them repeats the letter instead of losing it.
    event = {**fields, "trigger_id": entry.trigger_id, "token": entry.token, "result": entry.result}
    give_up(receiver, f"{action}: {error}", event)
    now = receiver.clock()
    return snapshots.change(
        receiver, model_id, lambda state: pending.given_up(state, entry, action, error, now=now), snapshot
    )


def _notices(receiver: ReceiverParts, model_id: str) -> tuple[str, ...]:
    """Return the actions for notifications, one for each channel."""
    channels = () if receiver.notifier is None else notify_of(receiver, model_id).channels
    return tuple(f"{NOTIFY}:{channel_label(channel)}" for channel in channels)


def _notify(receiver: ReceiverParts, notice: Notice, action: str) -> None:
    label = action.removeprefix(f"{NOTIFY}:")
    # A channel that another table of the configuration has now is still a channel.
    channels = (*notify_of(receiver, notice.model_id).channels, *receiver.config.channels)
    channel = next((one for one in channels if channel_label(one) == label), None)
    if receiver.notifier is None or channel is None:
        raise TargetRefusedError("the configuration no longer has this channel")
    receiver.notifier(channel).send(with_place(receiver, notice))


def _notice_of(receiver: ReceiverParts, model_id: str, state: ModelState, entry: Pending) -> Notice | None:
    """Return the notice of *entry*; None if its trigger no longer waits for an approval."""
    if entry.is_approval_request:
        waiting = pending.trigger_awaiting_approval(state, entry)
        return notice_about(receiver, AWAITING, waiting.trigger, waiting.since) if waiting else None
    run = next((run for run in state.runs if run.run_id == entry.run_id), None)
    return Notice(
        event="ended" if entry.result == SUCCEEDED else "failed",
        cloud=receiver.cloud,
        at=entry.ended_at,
        model_id=model_id,
        trigger_id=entry.trigger_id,
        reason=entry.reason,
        run_id=entry.run_id,
        url=entry.url or "",
        result=entry.result,
        error=run.error if run else "",
        attempts=run.attempt if run and entry.result != SUCCEEDED else 0,
        severity=entry.severity or "",
        origin=entry.origin,
        requested_by=entry.requested_by or "",
    )


def _dispatch(receiver: ReceiverParts, model_id: str, entry: Pending, action: str) -> None:
    repository, event_type = read_dispatch(action)
    if repository not in receiver.config.repositories:
        raise TargetRefusedError(f"{repository!r} is no longer in github.repositories")
    if receiver.dispatcher is None:
        raise TargetRefusedError("this bundle has no GitHub client")
    payload = {
        # The fields that workflows for Azure Machine Learning's own events read.
        "data": {"runId": entry.run_id, "experimentName": _experiment(receiver, model_id)},
        "model_id": model_id,
        "trigger_id": entry.trigger_id,
        "token": entry.token,
        "result": entry.result,
        "ended_at": format_time(entry.ended_at),
        "url": entry.url or "",
        "cloud": receiver.cloud,
    }
    dispatch = Dispatch(repository=repository, event_type=event_type, token=entry.token, payload=payload)
    receiver.dispatcher.dispatch(dispatch)


def _experiment(receiver: ReceiverParts, model_id: str) -> str:
    model = _configured(receiver, model_id)
    target = model.targets.get(receiver.cloud) if model else None
    return (target.experiment if isinstance(target, AzureMlTarget) else "") or model_id


def _configured(receiver: ReceiverParts, model_id: str) -> Model | None:
    try:
        return receiver.config.find(model_id)
    except UnknownModelError:
        return None
