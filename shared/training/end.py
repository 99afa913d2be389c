"""The end of a training: reported by an event, or observed; it is recorded once, and then followed up."""

import dataclasses
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from shared.decision.ending import End, ended
from shared.decision.reasons import Result
from shared.decision.record import one_line
from shared.decision.retries import AS_CONFIGURED
from shared.decision.state import ModelState
from shared.decision.terms import rules_of
from shared.errors import DamagedStateError, RetrainError, UnavailableError
from shared.ledger import snapshots
from shared.ledger.index import is_complete, is_own
from shared.ports import RunResult
from shared.training.follow_up import actions_after, make_room, resume_follow_ups
from shared.training.parts import ReceiverParts
from shared.training.start import launcher_of, terms_of
from shared.training.transition import finish, transition
from shared.trigger import RUN_PREFIX, run_name
from shared.wire.incoming import RunEnded

# While models are not indexed, the end of a run may search this many; a function has time for a few hundred.
MOST_SEARCHED: Final = 100
RESULTS: Final[Mapping[RunResult, Result]] = {
    RunResult.SUCCEEDED: "succeeded",
    RunResult.FAILED: "failed",
    RunResult.STOPPED: "stopped",
    RunResult.GONE: "gone",
}
"""How a run has ended, for each status but `running`."""

log = logging.getLogger("retrain")


def record_end(receiver: ReceiverParts, model_id: str, end: End, snapshot: snapshots.Snapshot | None = None) -> None:
    """Record *end*, which frees the model; plan a retry or follow up on the training, and start the kept trigger.

    An end that was already recorded changes nothing. With a *snapshot* that the caller has just loaded, the first
    attempt needs no read.

    Raises:
        TransientError: a service that must respond first is unavailable.

    """
    known = dataclasses.replace(end, actions=actions_after(receiver, model_id, end.result))
    snapshot = snapshot or snapshots.load(receiver.ledger, model_id)
    rules = rules_of(receiver.config, receiver.cloud, model_id)
    policy = rules.policy if rules else None
    # The failure before a retry is recorded as a follow-up if the retry does not start.
    expected = known.actions or ((AS_CONFIGURED,) if policy and policy.retries else ())
    if expected:
        snapshot = make_room(receiver, model_id, snapshot, expected)
    log.info("retrain.ended", extra=_fields_of(model_id, end) | _known_fields(snapshot.state, end))

    def step(state: ModelState, now: datetime, holder: str) -> ModelState:
        return ended(state, dataclasses.replace(known, holder=holder), now=now, policy=policy)

    transition(receiver, model_id, step, snapshot)


def _fields_of(model_id: str, end: End) -> dict[str, object]:
    fields: dict[str, object] = {"model_id": model_id, "run_id": end.run_id, "result": end.result}
    return fields | ({"error": end.error} if end.error else {})


def _known_fields(state: ModelState, end: End) -> dict[str, object]:
    """Return how many seconds the run took, from which the clouds make a metric, and its trace, as far as known."""
    started = next((run.started_at for run in state.runs if run.run_id == end.run_id), None)
    seconds = {"seconds": max((end.at - started).total_seconds(), 0.0)} if started else {}
    training = state.training
    return seconds | (training.trigger.trace_field if training is not None and training.run_id == end.run_id else {})


def run_ended(receiver: ReceiverParts, news: RunEnded) -> str | None:
    """Record the end of a run that an event reports, and return the id of its model; None for a run of no model.

    An end may be reported several times: only the first report changes anything. A later one finishes the start of the
    queued trigger and the follow-ups if these are unfinished.

    Raises:
        TransientError: the event must be delivered again.

    """
    result = RESULTS.get(news.result)
    if result is None or not news.name.startswith(RUN_PREFIX):
        return None
    ended_at = news.ended_at or receiver.clock()
    for model_id in _candidates(receiver, news):
        try:
            snapshot = snapshots.load(receiver.ledger, model_id)
        except DamagedStateError as error:
            if model_id == news.model_id:
                raise
            log.warning("retrain.state_damaged", extra={"model_id": model_id, "error": str(error)})
            continue
        if not _owns(snapshot.state, news):
            continue
        why = news.error or (_reported_error(receiver, model_id, snapshot.state, news) if result == "failed" else "")
        end = End(run_id=news.run_id, name=news.name, result=result, at=ended_at, error=one_line(why))
        record_end(receiver, model_id, end, snapshot)
        snapshot = snapshots.load(receiver.ledger, model_id)
        try:
            finish(receiver, model_id, snapshot)
        finally:
            resume_follow_ups(receiver, model_id, snapshot.state)
        return model_id
    return None


def _reported_error(receiver: ReceiverParts, model_id: str, state: ModelState, news: RunEnded) -> str:
    """Query why a run failed whose end has just been reported without a reason.

    The end is recorded without a reason if the service does not answer.
    """
    training = state.training
    if training is None or run_name(training.trigger.token) != news.name:
        return ""
    try:
        return launcher_of(receiver, terms_of(receiver, model_id, training)).status(news.run_id).error
    except RetrainError as error:
        log.warning("retrain.status_unknown", extra={"model_id": model_id, "run_id": news.run_id, "error": str(error)})
        return ""


def _candidates(receiver: ReceiverParts, news: RunEnded) -> Iterator[str]:
    """Yield the models whose run may have ended, the most likely first.

    Raises:
        UnavailableError: not all models are indexed yet, and there are too many to search.

    """
    if news.model_id is not None:
        yield news.model_id
    indexed = receiver.ledger.model_of_run(news.name)
    if indexed is not None and indexed != news.model_id:
        yield indexed
    if is_complete(receiver.ledger):
        return
    stored = receiver.ledger.models(None, MOST_SEARCHED + 1)
    if len(stored) > MOST_SEARCHED:
        raise UnavailableError("The ledger", f"find the model of {news.name}", "a sweep is still indexing the models")
    yield from (model_id for model_id in stored if model_id not in (news.model_id, indexed) and not is_own(model_id))


def _owns(state: ModelState, news: RunEnded) -> bool:
    training = state.training
    if training is not None and run_name(training.trigger.token) == news.name:
        return True
    return any(run.run_id == news.run_id for run in state.runs)
