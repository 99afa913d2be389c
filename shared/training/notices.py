"""Telling people what was decided, as best as can be: a channel that fails is logged and keeps nothing up.

What people must not miss, as somebody waits for them, is in `after`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from shared.decision.state import Decided, ModelState
from shared.decision.transitions import HANDED_OVER
from shared.ledger.snapshots import Snapshot
from shared.notice import Notice
from shared.parts import ReceiverParts
from shared.training.channels import send_to_channels
from shared.trigger import RetrainTrigger

# A function has 60 s at most, and a channel may take many of them to fail: those behind it are left out then.
PATIENCE: Final = timedelta(seconds=10)


def announce(receiver: ReceiverParts, snapshot: Snapshot) -> None:
    """Tell people what is new on *snapshot*: a training that started, or that was refused.

    A page that was not just written has no news.
    """
    if receiver.notifier is None or snapshot.before is None:
        return
    for notice in (
        *_launched(receiver, snapshot.before, snapshot.state),
        *_refused(receiver, snapshot.before, snapshot.state),
    ):
        tell_people(receiver, notice)


def announce_rejection(
    receiver: ReceiverParts, snapshot: Snapshot | None, model_id: str, trigger_id: str, error: str
) -> None:
    """Tell people of an event that was rejected, and not once more when it comes again.

    Args:
        receiver: the parts.
        snapshot: the model's, with the rejection listed; none where the event is for no model.
        model_id: whose event; empty where there is none.
        trigger_id: which trigger, where it has one.
        error: what is wrong with it.

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
    tell_people(receiver, notice)


def tell_people(receiver: ReceiverParts, notice: Notice) -> None:
    """Send *notice* through every channel, if the configuration wants such news; nothing is raised."""
    if receiver.notifier is None or notice.event not in receiver.config.notify_on:
        return
    until = receiver.clock() + PATIENCE
    channels, notifier = receiver.config.channels, receiver.notifier
    send_to_channels(notice, channels, notifier, is_late=lambda: receiver.clock() > until)


def _lists(state: ModelState, line: Decided) -> bool:
    return any((one.trigger_id, one.detail) == (line.trigger_id, line.detail) for one in state.rejected)


def _launched(receiver: ReceiverParts, before: ModelState, state: ModelState) -> Iterator[Notice]:
    known, training = {run.run_id for run in before.runs}, before.training
    for run in state.runs:
        # A start of which only the end tells is no news any more.
        if run.run_id not in known and training is not None and run.trigger_id == training.trigger.trigger_id:
            over = "" if run.result is None else run.result
            if over in ("", HANDED_OVER):
                told = {"run_id": run.run_id, "url": run.url or "", "result": over}
                yield notice_about(receiver, "launched", training.trigger, run.started_at, **told)


def _refused(receiver: ReceiverParts, before: ModelState, state: ModelState) -> Iterator[Notice]:
    known = set(before.decisions)
    for line in state.decisions:
        if line not in known and line.reason == "rejected" and before.training is not None:
            yield notice_about(receiver, "rejected", before.training.trigger, line.at, reason=line.detail)


def notice_about(receiver: ReceiverParts, event: str, trigger: RetrainTrigger, at: datetime, **more: str) -> Notice:
    """Return the notice of an *event* about *trigger*; *more* are fields that are told besides, or instead."""
    fields = {
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
