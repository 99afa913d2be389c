"""Notifications about decisions, sent once: a channel that fails is logged and delays nothing.

Notifications that are retried (ends of trainings, approval requests) are in `follow_up`.
"""

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from shared.config.follow_ups import Notify
from shared.decision.state import Decided, ModelState
from shared.decision.transitions import HANDED_OVER
from shared.errors import UnknownModelError
from shared.ledger.snapshots import Snapshot
from shared.notice import Notice
from shared.training.channels import send_to_channels
from shared.training.parts import ReceiverParts
from shared.trigger import RetrainTrigger

# A function has at most 60 s, and a channel may take long to fail: the remaining ones are skipped then.
NOTICE_TIME_LIMIT: Final = timedelta(seconds=10)


def announce(receiver: ReceiverParts, snapshot: Snapshot) -> None:
    """Notify people of the changes in *snapshot*: a training that started, or that was refused.

    A snapshot that was only loaded has no changes.
    """
    if receiver.notifier is None or snapshot.before is None:
        return
    for notice in (
        *_launched(receiver, snapshot.before, snapshot.state),
        *_refused(receiver, snapshot.before, snapshot.state),
    ):
        send_notice(receiver, notice)


def announce_rejection(
    receiver: ReceiverParts, snapshot: Snapshot | None, model_id: str, trigger_id: str, error: str
) -> None:
    """Notify people of a rejected event, but not again when it is delivered again.

    Args:
        receiver: the parts.
        snapshot: the state of the model with the rejection; None for an event without a configured model.
        model_id: the model; empty if there is none.
        trigger_id: the id of the trigger; may be empty.
        error: the error.

    """
    if snapshot is not None and (snapshot.before is None or _lists(snapshot.before, snapshot.state.rejected[0])):
        return
    notice = Notice(
        event="rejected",
        cloud=receiver.cloud,
        at=receiver.clock(),
        model_id=model_id,
        trigger_id=trigger_id,
        reason=error,
    )
    send_notice(receiver, notice)


def send_notice(receiver: ReceiverParts, notice: Notice) -> None:
    """Send *notice* through the channels of its model if they get such events; nothing is raised."""
    notify = notify_of(receiver, notice.model_id)
    if receiver.notifier is None or notice.event not in notify.on:
        return
    until = receiver.clock() + NOTICE_TIME_LIMIT
    placed = with_place(receiver, notice)
    send_to_channels(placed, notify.channels, receiver.notifier, is_late=lambda: receiver.clock() > until)


def notify_of(receiver: ReceiverParts, model_id: str) -> Notify:
    """Return the channels and events of *model_id*; those of `[notify]` if it is not configured."""
    try:
        return receiver.config.notify_of(receiver.config.find(model_id))
    except UnknownModelError:
        return receiver.config.notify_of(None)


def with_place(receiver: ReceiverParts, notice: Notice) -> Notice:
    """Return *notice* with the names that its commands and its link to the console need."""
    return dataclasses.replace(notice, environment=receiver.environment, console=receiver.config.console_url)


def _lists(state: ModelState, line: Decided) -> bool:
    return any((one.trigger_id, one.detail) == (line.trigger_id, line.detail) for one in state.rejected)


def _launched(receiver: ReceiverParts, before: ModelState, state: ModelState) -> Iterator[Notice]:
    known = {run.run_id for run in before.runs}
    # A claim that was put back is only in the new state.
    triggers = {one.trigger.trigger_id: one.trigger for one in (before.training, state.training) if one is not None}
    for run in state.runs:
        trigger = None if run.run_id in known else triggers.get(run.trigger_id)
        # If only the end of a run shows that it started, the start is not announced.
        over = "" if run.result is None else run.result
        if trigger is not None and over in ("", HANDED_OVER):
            details = {"run_id": run.run_id, "url": run.url or "", "result": over}
            yield notice_about(receiver, "launched", trigger, run.started_at, **details)


def _refused(receiver: ReceiverParts, before: ModelState, state: ModelState) -> Iterator[Notice]:
    known = set(before.decisions)
    for line in state.decisions:
        if line not in known and line.decision == "reject" and before.training is not None:
            yield notice_about(receiver, "rejected", before.training.trigger, line.at, reason=line.detail)


def notice_about(receiver: ReceiverParts, event: str, trigger: RetrainTrigger, at: datetime, **more: str) -> Notice:
    """Return the notice of an *event* about *trigger*; *more* are further fields, or replace those of the trigger."""
    fields: dict[str, Any] = {
        "reason": trigger.reason,
        "severity": trigger.severity or "",
        "origin": trigger.origin,
        "requested_by": trigger.requested_by or "",
    }
    return Notice(
        event=event,
        cloud=receiver.cloud,
        at=at,
        model_id=trigger.model_id,
        trigger_id=trigger.trigger_id,
        evidence=trigger.evidence,
        **fields | more,
    )
